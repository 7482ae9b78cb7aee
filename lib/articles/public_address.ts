import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * Whether an IP address is one of the public internet. Everything else is refused: private, loopback,
 * link-local (the metadata services of clouds), carrier-grade NAT, multicast, unspecified, reserved, and the
 * IPv6 forms that carry an IPv4 address (mapped, NAT64, 6to4, Teredo), which could carry a private one.
 */
export function isPublicAddress(address: string): boolean {
  // isIP first: ipaddr.js also takes "127.1" and "0x7f000001", which nothing here hands over on purpose.
  return isIP(address) !== 0 && ipaddr.parse(address).range() === "unicast";
}

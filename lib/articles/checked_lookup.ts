import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { isPublicAddress } from "./public_address.ts";

/** Thrown when a name leads only to addresses that may not be asked. */
export class PrivateAddressError extends Error {
  override readonly name = "PrivateAddressError";
}

/**
 * A `lookup` for node:http that resolves a name and hands over its public addresses only. The connection is
 * made to what this returns, so a name that answers differently the second time (DNS rebinding) gains nothing.
 * It is not called for addresses written as numbers: the caller checks those.
 */
export const checkedLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, "", 0);
    const allowed = found.filter(({ address }) => isPublicAddress(address));
    if (allowed.length === 0) {
      return callback(new PrivateAddressError(`${hostname} leads to a private address`), "", 0);
    }
    if (options.all) callback(null, allowed);
    else callback(null, allowed[0].address, allowed[0].family);
  });
};

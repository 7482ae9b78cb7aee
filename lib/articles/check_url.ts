import { isIP } from "node:net";
import { IngestError, NotGrantedError } from "./ingest_error.ts";
import { isPublicAddress } from "./public_address.ts";

/**
 * Checks an address before it is asked; every hop is checked, for a public page may redirect to a private one.
 * Names are checked when they are resolved, by `checkedLookup`. Throws `IngestError`.
 * @param address The address that was asked for at first, for the message.
 */
export function checkUrl(text: string, address: string, allowPrivate: boolean): URL {
  const url = URL.parse(text);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw refusal(address, "an http or https address", url ? url.protocol : "something else", "correct it");
  }
  if (url.username !== "" || url.password !== "") {
    throw refusal(address, "an address without credentials", "one with a user or password", "remove them");
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) throw privateRefusal(address);
  return url;
}

export function privateRefusal(address: string): IngestError {
  return refusal(address, "a public address", "a private one", "set ALLOW_PRIVATE_FEEDS to allow it");
}

/** @param endpoint Host and port that the address leads to, perhaps by a redirect. */
export function notGranted(address: string, endpoint: string): NotGrantedError {
  const host = endpoint.replace(/:(?:80|443)$/, "");
  const { message } = refusal(
    address,
    `the permission to reach ${endpoint}`,
    "none",
    `add ${host} to FEED_HOSTS and start again`,
  );
  return new NotGrantedError(message, host);
}

/** The address is shown without credentials and cut: it may come from a feed. */
export function refusal(address: string, wanted: string, given: string, advice: string): IngestError {
  const shown = address.replace(/\/\/[^/@]*@/, "//").slice(0, 200);
  return new IngestError(`Cannot fetch ${shown}: wanted ${wanted}, got ${given}; ${advice}.`);
}

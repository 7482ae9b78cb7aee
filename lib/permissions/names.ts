/**
 * The environment variables that the permission sets of deno.json let the program see, beside its settings; any other
 * one looks as if it were not set. A test compares the sets with this list and with the settings.
 *
 * What Deno reads by itself needs no entry (2.9.6): OTEL_*, DENO_CERT, NODE_EXTRA_CA_CERTS, TZ, and the proxies for
 * `fetch`. DEBUG and NODE_DEBUG are left out on purpose: libraries would print addresses with tokens in them.
 */
import { SETTINGS } from "../settings.ts";
import { findNearNames } from "./near_names.ts";

/** Name or pattern, and who reads it for what. */
export const LIBRARY_NAMES = {
  DENO_DEPLOY: "lib/deploy.ts: whether this is Deno Deploy",
  DENO_TIMELINE: "lib/deploy.ts: which of its timelines",
  "PG*": "pg: host, port, user, password, TLS of a server, where DATABASE_URL does not say",
  HOME: "pg: ~/.pgpass, when nothing else names the password",
  APPDATA: "the same on Windows",
  USER: "pg: the user, when nothing else names one",
  USERNAME: "the same on Windows",
  ALL_PROXY: "lib/config.ts: whether there is a proxy, which `fetch` knows",
  all_proxy: "the same in the other spelling",
  HTTPS_PROXY: "the same, and undici, which sends to Telegram: the proxy",
  HTTP_PROXY: "the same for http",
  NO_PROXY: "the same: hosts that are reached without it",
  https_proxy: "the same in the other spelling",
  http_proxy: "the same in the other spelling",
  no_proxy: "the same in the other spelling",
} as const;

/** Only commands speak to terminals. */
export const TERMINAL_NAMES = {
  NO_COLOR: "picocolors, commander: no colours",
  FORCE_COLOR: "the same: colours also where there is no terminal",
  CLICOLOR_FORCE: "commander: the same",
  TERM: "picocolors: whether the terminal knows colours",
  CI: "picocolors: colours in the logs of build machines",
} as const;

/** Of deno.json. */
export type PermissionSet = "serve" | "desk";

/** In order. */
export function listNames(set: PermissionSet): string[] {
  return [
    ...Object.keys(SETTINGS),
    ...Object.keys(LIBRARY_NAMES),
    ...(set === "desk" ? Object.keys(TERMINAL_NAMES) : []),
  ].toSorted();
}

/** Those and what is nearly a setting's name; empty when nothing is, because then the set itself says it all. */
export function listNamesWith(set: PermissionSet, present: readonly string[]): string[] {
  const near = findNearNames(present, Object.keys(SETTINGS));
  return near.length > 0 ? [...listNames(set), ...near] : [];
}

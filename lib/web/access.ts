/**
 * Who may ask. On the loopback address everybody on the machine may read; anywhere else, and behind a proxy, reading
 * needs API_TOKEN too.
 * Changing anything needs it everywhere, and without one set it is off. A token comes as a bearer token, or as the
 * password of HTTP Basic, which is what a browser can do.
 */
import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { makeProblem } from "./problem.ts";

const LOOPBACK = new Set(["127.0.0.1", "localhost", "::1", "[::1]"]);

export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host.toLowerCase()) || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Compares without telling by the time it takes how much of it was right. */
export function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

function givenToken(authorization: string | undefined): string | null {
  const [scheme = "", value = ""] = (authorization ?? "").trim().split(/\s+/, 2);
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return null;
  const pair = Buffer.from(value, "base64").toString("utf8");
  return pair.includes(":") ? pair.slice(pair.indexOf(":") + 1) : null;
}

/** A page of another site cannot make a browser ask this one under a name that it chose itself (DNS rebinding). */
export function refuseForeignNames(host: string): MiddlewareHandler {
  return async (c, next) => {
    const name = (c.req.header("host") ?? "").replace(/:\d+$/, "");
    if (isLoopback(host) && !isLoopback(name)) {
      return makeProblem(421, "This address serves 127.0.0.1 and localhost only");
    }
    await next();
  };
}

/** What proxies say about whom they ask for. */
const FORWARDING = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
];

export interface Reach {
  host: string;
  token: string | null;
  /** The service has a public address, so a proxy on this machine asks for the whole world. */
  published: boolean;
}

/** For everything that only reads. A request that a proxy passed on comes from elsewhere, whatever its address says. */
export function allowReading({ host, token, published }: Reach): MiddlewareHandler {
  const local = isLoopback(host) && !published;
  return async (c, next) => {
    if (local && !FORWARDING.some((name) => c.req.header(name) !== undefined)) return await next();
    if (token === null) {
      return makeProblem(
        403,
        "Reading from another machine, or through a proxy, is off: set API_TOKEN, or ask 127.0.0.1 itself",
      );
    }
    const given = givenToken(c.req.header("authorization"));
    if (given !== null && sameSecret(given, token)) return await next();
    return makeProblem(401, "Wanted API_TOKEN as a bearer token, or as the password with any user name", {
      "www-authenticate": 'Basic realm="Nightdesk", charset="UTF-8"',
    });
  };
}

/** For everything that changes something. Basic is refused here: a browser would add it to a foreign page's form. */
export function allowChanging(token: string | null): MiddlewareHandler {
  return async (c, next) => {
    if (token === null) {
      return makeProblem(403, "Starting and steering over HTTP is off: API_TOKEN is not set");
    }
    const authorization = c.req.header("authorization");
    const given = /^bearer\s/i.test(authorization ?? "") ? givenToken(authorization) : null;
    if (given !== null && sameSecret(given, token)) return await next();
    return makeProblem(401, "Wanted API_TOKEN as a bearer token", { "www-authenticate": "Bearer" });
  };
}

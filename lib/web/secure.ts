/** What every request must pass and every answer carries: rates, sizes, times, headers. */
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { NONCE, secureHeaders } from "hono/secure-headers";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import type { WebEnv } from "./deps.ts";
import { makeProblem } from "./problem.ts";

/** Requests that one address may send in `RATE_SECONDS`; a page with its parts and polls stays far below. */
const RATE_POINTS = 1_200;
const RATE_SECONDS = 10;
/** The largest body that a route takes, bytes: a start request has a hundred, a Telegram update some thousand. */
const BODY_BYTES = 256 * 1_024;
/** After this long an answer that has not begun is given up, ms. */
const ANSWER_MS = 15_000;

/** @param addressOf The address that a request came from. */
export function limitRate(addressOf: (request: Request) => string): MiddlewareHandler {
  const limiter = new RateLimiterMemory({ points: RATE_POINTS, duration: RATE_SECONDS });
  return async (c, next) => {
    try {
      await limiter.consume(addressOf(c.req.raw));
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      return makeProblem(429, `Wanted at most ${RATE_POINTS} requests in ${RATE_SECONDS} s`, {
        "retry-after": String(Math.max(1, Math.ceil(refused.msBeforeNext / 1_000))),
      });
    }
    await next();
  };
}

export function limitBody(): MiddlewareHandler {
  return bodyLimit({
    maxSize: BODY_BYTES,
    onError: () => makeProblem(413, `Wanted a body of at most ${BODY_BYTES} bytes`),
  });
}

/** A body in another form would be passed over, and a start would get the usual budget instead of the one in it. */
export function requireJson(): MiddlewareHandler {
  return async (c, next) => {
    const [type, length] = [c.req.header("content-type"), c.req.header("content-length")];
    const sent = length === undefined
      ? type !== undefined || c.req.header("transfer-encoding") !== undefined
      : Number(length) > 0;
    if (sent && !/^application\/([\w.-]+\+)?json\b/i.test(type ?? "")) {
      return makeProblem(415, `Wanted a body of Content-Type application/json, got ${type ?? "none"}`);
    }
    await next();
  };
}

/** Streams are over when their answer begins: they are not cut. */
export function limitTime(): MiddlewareHandler<WebEnv> {
  return async (c, next) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), ANSWER_MS));
    const deadline = new AbortController();
    c.set("deadline", deadline.signal);
    const outcome = await Promise.race([next(), late]).finally(() => clearTimeout(timer));
    if (outcome === "late") {
      deadline.abort();
      c.res = makeProblem(
        504,
        `No answer within ${ANSWER_MS / 1_000} s. Try again, or look at the service's log`,
      );
    }
  };
}

/** Only what comes from here runs, and scripts and styles only with the answer's own nonce. */
export function addHeaders(): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: [NONCE],
      styleSrc: [NONCE],
      imgSrc: ["'self'", "data:"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    referrerPolicy: "no-referrer",
    xFrameOptions: "DENY",
    crossOriginOpenerPolicy: "same-origin",
    crossOriginResourcePolicy: "same-origin",
    permissionsPolicy: { camera: [], microphone: [], geolocation: [] },
    // Served on loopback or behind a proxy that ends TLS: the promise of HTTPS is the proxy's to make.
    strictTransportSecurity: false,
  });
}

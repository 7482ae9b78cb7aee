/** Errors over HTTP: problem+json (RFC 9457), one line for a person, never a stack trace. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "@hono/zod-openapi";
import { isConnectionLost } from "../database/connection_lost.ts";
import { messageOf, NotFoundError, ReusedKeyError, UsageError, UserError } from "../errors.ts";
import type { Log } from "../log.ts";

export const problemSchema = z.object({
  type: z.string().openapi({ example: "about:blank" }),
  title: z.string().openapi({ example: "Not Found" }),
  status: z.number().int().openapi({ example: 404 }),
  detail: z.string().openapi({ example: "There is no session 7. The list of sessions says which there are" }),
}).openapi("Problem");

/** A connection that is lost while it commits leaves it open whether it did. */
const UNKNOWN_OUTCOME =
  "The database went away, and whether this was done is unknown. Look first; a start may be " +
  "sent again with the same Idempotency-Key";
/** Seconds after which a request that met a lost database is worth another try. */
const DATABASE_RETRY_SECONDS = 5;

const TITLES: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

export function makeProblem(status: number, detail: string, headers: Record<string, string> = {}): Response {
  const body = { type: "about:blank", title: TITLES[status] ?? "Error", status, detail };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}

/** What an error that reached the edge means to the one who asked. Defects are logged and told without details. */
export function describeError(error: unknown, c: Context, log: Log): Response {
  if (error instanceof HTTPException) {
    return makeProblem(error.status, error.message || "The request was refused");
  }
  if (error instanceof NotFoundError) return makeProblem(404, error.message);
  if (error instanceof UsageError) return makeProblem(400, error.message);
  if (error instanceof ReusedKeyError) return makeProblem(422, error.message);
  if (error instanceof UserError) return makeProblem(409, error.message);
  const where = { method: c.req.method, route: c.req.routePath, error: messageOf(error) };
  if (isConnectionLost(error)) {
    log("warn", where, "a request met a lost database");
    return makeProblem(
      503,
      c.req.method === "POST" ? UNKNOWN_OUTCOME : "The database is away; try again in a moment",
      {
        "retry-after": String(DATABASE_RETRY_SECONDS),
      },
    );
  }
  log("error", where, "a request failed in a way that it should not");
  return makeProblem(
    500,
    "Something failed inside. The service's log says what; nothing that was paid for is lost",
  );
}

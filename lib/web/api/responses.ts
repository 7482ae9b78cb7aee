/** The parts of route definitions that many routes share. */
import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { parseUsd } from "../../money.ts";
import type { Micros } from "../../money.ts";
import { UsageError } from "../../errors.ts";
import type { WebEnv } from "../deps.ts";
import { problemSchema } from "../problem.ts";

export type Api = OpenAPIHono<WebEnv>;

export function answers<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { "application/json": { schema } } };
}

function problem(description: string) {
  return { description, content: { "application/problem+json": { schema: problemSchema } } };
}

export const BAD_REQUEST = { 400: problem("A value is wrong; `detail` says which") } as const;
export const NOT_FOUND = { 404: problem("There is no such thing") } as const;
/** What any route may answer. */
export const ANYWHERE = {
  421: problem("Asked under a name that is not this machine's own"),
  429: problem("Too many requests; come back after Retry-After seconds"),
  504: problem("It took too long"),
} as const;
/** What any route of the API may answer. */
export const COMMON = {
  401: problem("The token is missing or wrong"),
  403: problem("API_TOKEN is not set, and this needs it"),
  503: problem("The database is away; try again"),
  ...ANYWHERE,
} as const;
export const CHANGING = {
  409: problem("It cannot be done in this state; `detail` says what was wanted"),
} as const;
export const WITH_BODY = {
  413: problem("The body is too large"),
  415: problem("The body is not JSON by its Content-Type"),
} as const;
export const REUSED_KEY = {
  422: problem("The Idempotency-Key has started a session with another request"),
} as const;

/** Session numbers are 32 bits in the database. */
export const MOST_NUMBER = 2_147_483_647;

export const numberParam = z.object({
  n: z.coerce.number().int().min(1).max(MOST_NUMBER).openapi({
    type: "integer",
    param: { name: "n", in: "path", required: true },
    description: "Session number",
    example: 12,
  }),
});

export function limitQuery(usual: number, most: number) {
  return z.coerce.number().int().min(1).max(most).default(usual).openapi({
    type: "integer",
    description: `How many, ${usual} unless given`,
    example: usual,
  });
}

export function cursorQuery(description: string) {
  return z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional().openapi({
    type: "integer",
    description,
  });
}

/** Dollars as a JSON number or text. Throws `UsageError` in the words of the settings. */
export function readBudget(given: number | string | undefined): Micros | undefined {
  if (given === undefined) return undefined;
  const budget = parseUsd(typeof given === "number" ? given.toString() : given);
  if (budget !== null && budget > 0) return budget;
  throw new UsageError(`budget_usd: wanted US dollars over 0, such as 0.30, got ${JSON.stringify(given)}`);
}

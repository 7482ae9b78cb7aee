/** Finds the failure row of an answer that is not HTTP 200. */
import { z } from "zod";
import { readRetryAfter } from "../../http/retry_after.ts";
import type { Finding } from "../failures.ts";

const detailSchema = z.object({
  reason: z.string().catch(""),
  retryDelay: z.string().catch(""),
  violations: z.array(z.object({ quotaId: z.string().catch(""), quotaMetric: z.string().catch("") })).catch(
    [],
  ),
});
type Detail = z.infer<typeof detailSchema>;

const errorSchema = z.object({
  message: z.string().catch(""),
  status: z.string().catch(""),
  details: z.array(detailSchema).catch([]),
});
type ApiError = z.infer<typeof errorSchema>;

const NO_ERROR: ApiError = { message: "", status: "", details: [] };

/** Classifies by status first; the body, which may be anything, only refines. */
export function classifyStatus(status: number, headers: Headers, body: string): Finding<"gemini"> {
  const error = readError(body);
  const detail = error.message || `HTTP ${status}`;
  switch (status) {
    case 400:
      return { failure: classifyBadRequest(error), detail };
    case 401:
    case 403:
      return { failure: "key_refused", detail };
    case 402:
      return { failure: "purse_empty", detail };
    case 404:
      return { failure: "model_not_found", detail };
    case 429:
      return classifyTooMany(error, headers, detail);
    case 500:
      return { failure: "provider_error", detail };
    case 502:
    case 504:
      return { failure: "gateway_error", detail };
    case 503: {
      const waitMs = readRetryDelay(error.details) ?? readRetryAfter(headers);
      return waitMs === undefined
        ? { failure: "overloaded", detail }
        : { failure: "come_back_later", detail, waitMs };
    }
  }
  if (status >= 300 && status < 400) return { failure: "redirected", detail: `HTTP ${status}` };
  if (status >= 400 && status < 500) return { failure: "bad_request", detail };
  return { failure: "unexpected_status", detail };
}

function classifyBadRequest(error: ApiError): Finding<"gemini">["failure"] {
  const badKey = error.details.some((entry) => entry.reason === "API_KEY_INVALID") ||
    /api key (not valid|expired|not found)/i.test(error.message);
  if (badKey) return "key_refused";
  return error.status === "FAILED_PRECONDITION" ? "not_available" : "bad_request";
}

/** A daily quota comes before a RetryInfo: Gemini sends "retry in 31s" along with a limit that lasts until tomorrow. */
function classifyTooMany(error: ApiError, headers: Headers, detail: string): Finding<"gemini"> {
  // Seen in 2026 as a 429 where the price page says 402.
  if (/credits? (is|are) depleted/i.test(error.message)) return { failure: "purse_empty", detail };
  const violations = error.details.flatMap((entry) => entry.violations);
  if (violations.some(({ quotaId, quotaMetric }) => /per_?day/i.test(quotaId + quotaMetric))) {
    return { failure: "quota_exhausted", detail };
  }
  const waitMs = readRetryDelay(error.details) ?? readRetryAfter(headers);
  return { failure: "rate_limited", detail, ...(waitMs !== undefined && { waitMs }) };
}

/** google.rpc.RetryInfo: a duration such as "31s" or "0.5s", in ms. */
function readRetryDelay(details: readonly Detail[]): number | undefined {
  for (const { retryDelay } of details) {
    const seconds = /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(retryDelay)?.[1];
    if (seconds !== undefined) return Number(seconds) * 1000;
  }
  return undefined;
}

/** The `error` object of an answer, which some endpoints wrap in an array. */
function readError(body: string): ApiError {
  try {
    const json: unknown = JSON.parse(body);
    const holder: unknown = Array.isArray(json) ? json[0] : json;
    const parsed = z.object({ error: errorSchema }).safeParse(holder);
    return parsed.success ? parsed.data.error : NO_ERROR;
  } catch {
    return NO_ERROR;
  }
}

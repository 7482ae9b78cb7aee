/**
 * What every answer of a paid provider means: what to do next and what became of the money. The adapters only find
 * the row; nothing else in the system decides on retries or billing by looking at a status or a message.
 *
 * Billing of errors: Google states that requests failing with a 400 or 500 error are not charged (Gemini API billing
 * page, Aug 2026). Refusals at the door (401 to 404, 429, 503) did no work. What a gateway or a deadline answered may
 * have been worked on behind it, so those stay UNKNOWN. Tavily publishes nothing on failed searches: its refusals
 * count as unbilled, its server errors as UNKNOWN.
 */
import type { Action, Billing, Failure } from "./port.ts";

export interface FailureRow {
  action: Action;
  billing: Billing;
  /** For a person: what happened and, where somebody must act, what to do. */
  text: string;
}

/** Wait after a 429 that names no time (ms). Per-minute quotas refill within 60 s; half of that is a fair try. */
export const DEFAULT_WAIT_MS = 30_000;
/** A wait costs no attempt, so "0s" must not become a hot loop (ms). */
export const MIN_WAIT_MS = 1_000;
/** No quota of these providers runs longer than a day (ms); a longer "wait" is a mistake of the answer. */
export const MAX_WAIT_MS = 86_400_000;

/** The same for every provider: what can happen to a request on its way. */
const ON_THE_WAY = {
  not_sent: { action: "retry", billing: "NOT_BILLED", text: "Could not connect; nothing was sent" },
  timed_out: { action: "retry", billing: "UNKNOWN", text: "No answer in time" },
  cancelled: { action: "retry", billing: "UNKNOWN", text: "Cancelled while waiting for the answer" },
  connection_lost: {
    action: "retry",
    billing: "UNKNOWN",
    text: "The connection broke before the answer was whole",
  },
  unexpected_status: { action: "retry", billing: "UNKNOWN", text: "An HTTP status nobody documents" },
} as const satisfies Record<string, FailureRow>;

export const FAILURES = {
  gemini: {
    ...ON_THE_WAY,
    rate_limited: { action: "wait", billing: "NOT_BILLED", text: "Rate limit reached" },
    overloaded: { action: "retry", billing: "NOT_BILLED", text: "The model is overloaded" },
    come_back_later: {
      action: "wait",
      billing: "NOT_BILLED",
      text: "The model is overloaded and named a time",
    },
    provider_error: { action: "retry", billing: "NOT_BILLED", text: "Gemini failed inside" },
    gateway_error: { action: "retry", billing: "UNKNOWN", text: "A gateway gave up on Gemini" },
    quota_exhausted: {
      action: "stop_session",
      billing: "NOT_BILLED",
      text: "The daily quota is used up; raise it or go on tomorrow",
    },
    purse_empty: {
      action: "stop_session",
      billing: "NOT_BILLED",
      text: "The prepaid credit is empty; top it up",
    },
    key_refused: {
      action: "stop_session",
      billing: "NOT_BILLED",
      text: "The key was refused; check GEMINI_API_KEY",
    },
    not_available: {
      action: "stop_session",
      billing: "NOT_BILLED",
      text: "The account or region may not use this model; check billing in AI Studio",
    },
    model_not_found: {
      action: "stop_session",
      billing: "NOT_BILLED",
      text: "No such model; check GEMINI_MODEL",
    },
    redirected: {
      action: "stop_session",
      billing: "NOT_BILLED",
      text: "The server redirects, which is not followed with a key; check GEMINI_BASE_URL",
    },
    bad_request: { action: "give_up", billing: "NOT_BILLED", text: "The request was refused" },
    prompt_blocked: {
      action: "give_up",
      billing: "BILLED",
      text: "The article was blocked before it was read",
    },
    blocked_safety: {
      action: "give_up",
      billing: "BILLED",
      text: "The answer was blocked by a content filter",
    },
    blocked_recitation: {
      action: "give_up",
      billing: "BILLED",
      text: "The answer was stopped as a recitation",
    },
    stopped: { action: "give_up", billing: "BILLED", text: "The model stopped for another reason" },
    cut_off: { action: "retry", billing: "BILLED", text: "The answer ran into its token limit" },
    empty_answer: { action: "retry", billing: "BILLED", text: "The answer holds no text" },
    not_json: { action: "retry", billing: "BILLED", text: "The answer is not JSON" },
    off_schema: { action: "retry", billing: "BILLED", text: "The answer does not fit the schema" },
    malformed_response: { action: "retry", billing: "BILLED", text: "Answered, but not as Gemini does" },
    answer_too_large: { action: "retry", billing: "BILLED", text: "The answer is larger than is read" },
  },
  tavily: {
    ...ON_THE_WAY,
    rate_limited: { action: "wait", billing: "NOT_BILLED", text: "Search rate limit reached" },
    provider_error: { action: "retry", billing: "UNKNOWN", text: "Tavily failed inside" },
    key_refused: {
      action: "stop_research",
      billing: "NOT_BILLED",
      text: "The key was refused; check TAVILY_API_KEY",
    },
    plan_limit: { action: "stop_research", billing: "NOT_BILLED", text: "The plan's credits are used up" },
    payg_limit: {
      action: "stop_research",
      billing: "NOT_BILLED",
      text: "The pay-as-you-go limit is reached",
    },
    redirected: {
      action: "stop_research",
      billing: "NOT_BILLED",
      text: "The server redirects, which is not followed with a key; check TAVILY_BASE_URL",
    },
    not_found: {
      action: "stop_research",
      billing: "NOT_BILLED",
      text: "No search there; check TAVILY_BASE_URL",
    },
    bad_request: { action: "give_up", billing: "NOT_BILLED", text: "The search was refused" },
    malformed_response: { action: "retry", billing: "BILLED", text: "Answered, but not as Tavily does" },
    answer_too_large: { action: "retry", billing: "BILLED", text: "The answer is larger than is read" },
  },
} as const satisfies Record<string, Record<string, FailureRow>>;

export type FailureTable = typeof FAILURES;
export type FailureWord<P extends keyof FailureTable> = keyof FailureTable[P] & string;

/** What an adapter found out about a failed call. */
export interface Finding<P extends keyof FailureTable> {
  failure: FailureWord<P>;
  /** What the provider said about it, untrusted; cut, kept to one line and cleared of the key. */
  detail?: string;
  /** Only for rows with action `wait`; without it the default applies. */
  waitMs?: number;
}

const DETAIL_LENGTH = 160;

/** Turns a finding into the port's failure. `key` is struck from the message should a provider echo it. */
export function describeFailure<P extends keyof FailureTable>(
  provider: P,
  finding: Finding<P>,
  key: string,
): Failure {
  const row = (FAILURES[provider] as Record<string, FailureRow>)[finding.failure]!;
  const detail = oneLine(finding.detail ?? "", key);
  return {
    failure: finding.failure,
    action: row.action,
    billing: row.billing,
    ...(row.action === "wait" && { waitMs: limitWait(finding.waitMs) }),
    message: detail === "" ? row.text : `${row.text} (${detail})`,
  };
}

function limitWait(waitMs: number | undefined): number {
  if (waitMs === undefined || !Number.isFinite(waitMs) || waitMs < 0) return DEFAULT_WAIT_MS;
  return Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, Math.ceil(waitMs)));
}

function oneLine(text: string, key: string): string {
  // The key goes first: cutting before it could leave half of one.
  const cleared = key === "" ? text : text.replaceAll(key, "[key]");
  // deno-lint-ignore no-control-regex -- they are what is taken out
  const line = cleared.replace(/[\s\u0000-\u001f\u007f]+/g, " ").trim().toWellFormed();
  return line.length <= DETAIL_LENGTH ? line : `${line.slice(0, DETAIL_LENGTH - 1).toWellFormed()}…`;
}

/**
 * Reads a Retry-After header: seconds, or a date measured against the answer's own Date, so that a wrong local clock
 * does no harm. Returns ms, or undefined when there is none or it makes no sense.
 */
export function readRetryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (!value) return undefined;
  if (/^\d{1,9}(\.\d{1,9})?$/.test(value)) return Number(value) * 1000;
  const until = Date.parse(value) - Date.parse(headers.get("date") ?? "");
  return Number.isFinite(until) ? Math.max(0, until) : undefined;
}

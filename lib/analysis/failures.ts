/**
 * What every answer of a paid provider means: what to do next, what became of the money, and whether it counts for the
 * circuit breaker. The adapters only find the row; nothing else in the system decides on retries, billing or blame by
 * looking at a status or a message.
 *
 * Blame: a refused request (400) may be one article's fault, a text that the model does not take, or that of every
 * request, a field that it takes no more. So it is tried again, and only an article that stays refused while others
 * pass is given up. No article makes a connection fail or a model overloaded. A long prompt can end in a 500 or a 504, as Google's
 * troubleshooting page says (Aug 2026), so those are the provider's only perhaps.
 *
 * Billing of errors: Google states that requests failing with a 400 or 500 error are not charged (Gemini API billing
 * page, Aug 2026). Refusals at the door (401 to 404, 429, 503) did no work. What a gateway or a deadline answered may
 * have been worked on behind it, so those stay UNKNOWN. Tavily publishes nothing on failed searches: its refusals
 * count as unbilled, its server errors as UNKNOWN.
 */
import { Cron } from "croner";
import { foldLine } from "./cut_text.ts";
import type { Action, Billing, Failure, Trouble } from "./port.ts";

export interface FailureRow {
  action: Action;
  billing: Billing;
  /** Counts for the circuit breaker; rows without it do not. */
  trouble?: Trouble;
  /** With `retry`: the provider did not take the request, be it for this article or for what all requests share. */
  refused?: true;
  /** With `stop_session`: it is over when the provider's next day begins. */
  over?: "next_quota_day";
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
  not_sent: {
    action: "retry",
    billing: "NOT_BILLED",
    trouble: "provider",
    text: "Could not connect; nothing was sent",
  },
  timed_out: { action: "retry", billing: "UNKNOWN", trouble: "perhaps", text: "No answer in time" },
  cancelled: { action: "retry", billing: "UNKNOWN", text: "Cancelled while waiting for the answer" },
  connection_lost: {
    action: "retry",
    billing: "UNKNOWN",
    trouble: "perhaps",
    text: "The connection broke before the answer was whole",
  },
  unexpected_status: {
    action: "retry",
    billing: "UNKNOWN",
    trouble: "perhaps",
    text: "An HTTP status nobody documents",
  },
  circuit_open: {
    action: "pause",
    billing: "NOT_BILLED",
    text: "Nothing was sent: the provider failed several times in a row",
  },
} as const satisfies Record<string, FailureRow>;

export const FAILURES = {
  gemini: {
    ...ON_THE_WAY,
    rate_limited: { action: "wait", billing: "NOT_BILLED", text: "Rate limit reached" },
    overloaded: {
      action: "retry",
      billing: "NOT_BILLED",
      trouble: "provider",
      text: "The model is overloaded",
    },
    come_back_later: {
      action: "wait",
      billing: "NOT_BILLED",
      text: "The model is overloaded and named a time",
    },
    provider_error: {
      action: "retry",
      billing: "NOT_BILLED",
      trouble: "perhaps",
      text: "Gemini failed inside",
    },
    gateway_error: {
      action: "retry",
      billing: "UNKNOWN",
      trouble: "perhaps",
      text: "A gateway gave up on Gemini",
    },
    quota_exhausted: {
      action: "stop_session",
      billing: "NOT_BILLED",
      over: "next_quota_day",
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
    bad_request: { action: "retry", billing: "NOT_BILLED", refused: true, text: "The request was refused" },
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
    malformed_response: {
      action: "retry",
      billing: "BILLED",
      trouble: "perhaps",
      text: "Answered, but not as Gemini does",
    },
    answer_too_large: { action: "retry", billing: "BILLED", text: "The answer is larger than is read" },
  },
  tavily: {
    ...ON_THE_WAY,
    // No query makes a search fail, and a failed one costs a credit: it takes no second one to believe it.
    timed_out: { ...ON_THE_WAY.timed_out, trouble: "provider" },
    connection_lost: { ...ON_THE_WAY.connection_lost, trouble: "provider" },
    unexpected_status: { ...ON_THE_WAY.unexpected_status, trouble: "provider" },
    rate_limited: { action: "wait", billing: "NOT_BILLED", text: "Search rate limit reached" },
    provider_error: {
      action: "retry",
      billing: "UNKNOWN",
      trouble: "provider",
      text: "Tavily failed inside",
    },
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
    malformed_response: {
      action: "retry",
      billing: "BILLED",
      trouble: "provider",
      text: "Answered, but not as Tavily does",
    },
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
  /** Only for rows with action `wait` or `pause`; without it the default applies. */
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
    ...(row.trouble && { trouble: row.trouble }),
    ...(row.refused && { refused: row.refused }),
    ...((row.action === "wait" || row.action === "pause") && { waitMs: limitWait(finding.waitMs) }),
    ...(row.over && { waitMs: msToNextQuotaDay(new Date()) }),
    message: detail === "" ? row.text : `${row.text} (${detail})`,
  };
}

/** Gemini's daily quotas begin anew at midnight Pacific time (ai.google.dev/gemini-api/docs/rate-limits, 2026). */
const QUOTA_DAY = new Cron("0 0 * * *", { timezone: "America/Los_Angeles" });
/** Past midnight by this much, so that no clock has to be exact (ms). */
const QUOTA_MARGIN_MS = 3 * 60_000;

/** ms from `now` until shortly after the provider's next day has begun. */
export function msToNextQuotaDay(now: Date): number {
  return (QUOTA_DAY.msToNext(now) ?? MAX_WAIT_MS) + QUOTA_MARGIN_MS;
}

function limitWait(waitMs: number | undefined): number {
  if (waitMs === undefined || !Number.isFinite(waitMs) || waitMs < 0) return DEFAULT_WAIT_MS;
  return Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, Math.ceil(waitMs)));
}

function oneLine(text: string, key: string): string {
  // The key goes first: cutting before it could leave half of one.
  const line = foldLine(key === "" ? text : text.replaceAll(key, "[key]"));
  return line.length <= DETAIL_LENGTH ? line : `${line.slice(0, DETAIL_LENGTH - 1).toWellFormed()}…`;
}

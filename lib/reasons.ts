/** Why a session is paused or ended short, in words for people; they complete "Session 3 PAUSED (…)". */
const REASONS: Record<string, string> = {
  budget: "no room left in its budget",
  day_budget: "no room left in the day's budget",
  failures: "some articles failed",
  operator: "an operator paused it",
  interrupted: "the command was interrupted",
  cancelled: "it was cancelled",
  failing: "too many articles failed in a row",
  requests_refused: "the provider refuses one request after another",
  rate_limited: "the provider's rate limit",
  provider_outage: "the provider is out of order",
  key_refused: "the provider refused the key",
  purse_empty: "the prepaid credit is used up",
  quota_exhausted: "the provider's daily quota is used up",
  not_available: "the provider does not offer this model to the account",
  model_not_found: "the provider does not know the model",
  redirected: "the provider's address redirects",
  not_possible_here: "the worker lacks what it needs",
  queued: "it waits for another session to end",
  reopened: "it had ended with articles still open",
  never_started: "it never started",
};

/** A reason that nobody put into words is shown as it stands. */
export function describeReason(reason: string): string {
  return REASONS[reason] ?? reason.replaceAll("_", " ");
}

/** Pauses that are nobody's trouble: no alert tells of them, and what comes back from them works on at full speed. */
export const UNTROUBLED: ReadonlySet<string | null> = new Set([
  "operator",
  "interrupted",
  "queued",
  "reopened",
  "never_started",
]);

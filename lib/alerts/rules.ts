/**
 * The rules as data: what each is about, how loud it is, and what a person can do about it. Where they are raised:
 *
 *     in the transaction of the change    moves of a session (lib/batches/change_session.ts), money (the trigger of
 *                                         migration 004), the digest
 *     by looking                          everything in CONDITIONS (conditions.ts), by monitoring and by every runtime
 */
import type { AlertLevel } from "./types.ts";

export interface AlertRule {
  level: AlertLevel;
  /** Open until it is resolved; otherwise an event that is told once. */
  lasting: boolean;
  /** A few words, for headings and lists. */
  title: string;
  /** What to do about it, one line; empty: nothing. */
  advice: string;
}

function lasting(level: AlertLevel, title: string, advice: string): AlertRule {
  return { level, lasting: true, title, advice };
}

function event(level: AlertLevel, title: string, advice: string): AlertRule {
  return { level, lasting: false, title, advice };
}

export const RULES = {
  session_ended: event("info", "Session ended", "What failed or was left out can be recovered"),
  provider_refusing: lasting(
    "critical",
    "Provider refuses",
    "Put right what the provider names, then resume the session",
  ),
  failing: lasting("critical", "Too many failures in a row", "Look at the failures, then resume the session"),
  cannot_work: lasting(
    "critical",
    "Nobody can do the work",
    "Give the worker what it lacks, then resume the session",
  ),
  searches_failing: lasting(
    "warning",
    "Searches fail",
    "See whether the search provider works; what is analysed meanwhile lacks its research",
  ),
  research_off: event("warning", "Searches stopped", "Check the search provider's key and plan"),

  budget_warning: lasting("warning", "Budget warning", "Raise the budget if everything should be read"),
  budget_critical: lasting(
    "critical",
    "Budget critical",
    "Raise the budget, or let the session stop at its cap",
  ),
  budget_exhausted: event("critical", "Budget exhausted", "Recover the session with a larger budget"),
  budget_projection: lasting("warning", "Budget will not fit", "Raise the budget to read everything"),
  day_budget_warning: lasting(
    "warning",
    "Day budget warning",
    "Raise the day's budget if more should be read today",
  ),
  day_budget_exhausted: lasting(
    "critical",
    "Day budget exhausted",
    "Raise the day's budget, or recover the session tomorrow",
  ),
  overrun: event("warning", "Billed above a hold", "Compare the model's price with the provider's list"),
  unknown_outcomes: lasting(
    "warning",
    "Unknown outcomes",
    "Look the calls up at the provider and say whether they were paid",
  ),
  books_repaired: event(
    "warning",
    "Sums put right",
    "Find out who else writes to the database: sums did not match articles and calls",
  ),

  failure_rate: lasting("warning", "Many failures", "Look at the failures; pause the session if they go on"),
  ungrounded_evidence: lasting(
    "warning",
    "Quotes not in the articles",
    "Read some analyses before trusting them; another model may quote better",
  ),
  stalled: lasting(
    "critical",
    "Stalled",
    "See whether workers and provider answer; pause and resume the session",
  ),
  queue_not_moving: lasting(
    "critical",
    "Queue not moving",
    "Restart the service; nothing that was paid for is lost",
  ),
  no_worker: lasting("critical", "No worker", "Start the service, or resume the session from a terminal"),
  cron_not_running: lasting(
    "warning",
    "Cron not running",
    "See whether the service runs and what its log says",
  ),
  cron_failing: lasting(
    "warning",
    "Cron failing",
    "See what its error names; it runs again at its next time",
  ),
  schedules_differ: lasting(
    "warning",
    "Schedules differ",
    "Give every process the same SCHEDULE, FEEDS_SCHEDULE and DIGEST_SCHEDULE, or only one of them any",
  ),
  feed_failing: lasting(
    "warning",
    "Feed failing",
    "See whether its address still holds, or take it off the list",
  ),
  bot_refused: lasting(
    "critical",
    "Telegram refuses the bot",
    "Ask @BotFather for the bot's token, set TELEGRAM_BOT_TOKEN and restart the service",
  ),
  scheduled_session: event("info", "Nightly session", ""),
  daily_digest: event("info", "Daily digest", ""),
} as const satisfies Record<string, AlertRule>;

export type RuleName = keyof typeof RULES;

export const RULE_NAMES = Object.keys(RULES) as RuleName[];

export function isRule(name: string): name is RuleName {
  return Object.hasOwn(RULES, name);
}

/** The rule of a stored alert, which another version of the program may have raised. */
export function ruleOf(name: string): AlertRule {
  return isRule(name) ? RULES[name] : event("info", name.replaceAll("_", " "), "");
}

/** What to do about a stored alert; empty: nothing, as about all that is only information. */
export function adviceFor({ rule, level }: { rule: string; level: AlertLevel }): string {
  return level === "info" ? "" : ruleOf(rule).advice;
}

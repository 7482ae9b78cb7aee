/** What people are told of a session's moves. Called in the transaction of the move, under the session's lock. */
import { describeReason, UNTROUBLED } from "../reasons.ts";
import type { Session } from "../batches/types.ts";
import type { Queryable } from "../database/port.ts";
import { formatUsd } from "../money.ts";
import { dedupeKey, type NewAlert, raiseAlert, resolveAlerts } from "./raise.ts";
import { RULE_NAMES, type RuleName, RULES } from "./rules.ts";
import type { AlertLevel } from "./types.ts";
import { count, money, utcTime } from "./words.ts";

/** Pauses that are not the provider's doing; every other reason is. */
const PAUSE_RULES: Record<string, RuleName> = { failing: "failing", not_possible_here: "cannot_work" };
const PAUSE_ALERTS: readonly RuleName[] = ["provider_refusing", "failing", "cannot_work"];
/** Told once a run of the session: a recovered one may end, and exhaust its budget, again. */
const ONCE_A_RUN: readonly RuleName[] = ["session_ended", "budget_exhausted"];
/** An unknown outcome still waits for a person after the end. */
const CLOSED_BY_END = RULE_NAMES.filter((rule) => RULES[rule].lasting && rule !== "unknown_outcomes");

/** Raises and resolves what the move from `before` to `after` means; `detail` is what the audit trail is told of it. */
export async function alertMove(
  tx: Queryable,
  before: Session,
  after: Session,
  detail: Record<string, unknown>,
): Promise<void> {
  const { session_id: sessionId } = after;
  if (hasEnded(after)) return await alertEnd(tx, after);
  if (hasEnded(before)) {
    const how = { resolution: "the session was recovered", tell: false };
    await resolveAlerts(tx, { sessionId, rules: ONCE_A_RUN }, how);
  }
  if (after.status === "PAUSED") return await alertPause(tx, after, detail);
  // One that comes back by itself has yet to show that the trouble is over: its first success does (migration 004).
  if (detail.by_itself === true) return;
  const how = { resolution: "the session goes on", tell: true };
  await resolveAlerts(tx, { sessionId, rules: PAUSE_ALERTS }, how);
}

async function alertPause(tx: Queryable, session: Session, detail: Record<string, unknown>): Promise<void> {
  const { session_id: sessionId, number, reason, resume_at } = session;
  if (reason === null || UNTROUBLED.has(reason)) return;
  const error = typeof detail.error === "string" ? `: ${detail.error}` : "";
  const stays = resume_at === null;
  const next = stays ? "Somebody must resume it" : `It tries again at ${utcTime(resume_at)}`;
  const alert: NewAlert = {
    rule: PAUSE_RULES[reason] ?? "provider_refusing",
    sessionId,
    subject: PAUSE_RULES[reason] ? null : reason,
    // What may pass by itself wakes nobody; when it is given up, it is told again, as what it is then.
    level: stays ? "critical" : "warning",
    text: `Session ${number} is paused, ${describeReason(reason)}${error}. ${next}. ${countDone(session)}`,
    detail: { ...figures(session), ...detail, reason, resume_at },
  };
  await resolveAlerts(tx, { sessionId, rules: PAUSE_ALERTS, exceptKey: dedupeKey(alert) }, {
    resolution: "it is another trouble now",
    tell: false,
  });
  await raiseAlert(tx, alert);
}

/** The end says it all: what was open about the session is closed without a word, but not what still needs a person. */
async function alertEnd(tx: Queryable, session: Session): Promise<void> {
  const { session_id: sessionId, status, reason } = session;
  await resolveAlerts(tx, { sessionId, rules: CLOSED_BY_END }, {
    resolution: "the session has ended",
    tell: false,
  });
  await raiseAlert(tx, {
    rule: "session_ended",
    sessionId,
    level: END_LEVELS[status],
    text: describeEnd(session),
    detail: { ...figures(session), reason, research_missing: session.research_missing },
  });
}

const END_LEVELS: Partial<Record<Session["status"], AlertLevel>> = {
  COMPLETED: "info",
  CANCELLED: "info",
  PARTIAL: "warning",
  FAILED: "critical",
};

function hasEnded({ status }: Session): boolean {
  return END_LEVELS[status] !== undefined;
}

function describeEnd(session: Session): string {
  const { number, status, reason, failed, skipped, spent, unknown, overrun, budget, simulated } = session;
  const why = reason === null ? "" : ` (${describeReason(reason)})`;
  return [
    `Session ${number} ${status}${why}: ${countDone(session)}`,
    failed > 0 ? `${failed} failed` : null,
    skipped > 0 ? `${skipped} skipped` : null,
    `${money(spent, simulated)} of ${formatUsd(budget)}`,
    unknown > 0 ? `of it ${formatUsd(unknown)} with an unknown outcome` : null,
    overrun > 0 ? `${formatUsd(overrun)} billed above holds` : null,
    session.ungrounded > 0 ? `${count(session.ungrounded, "quote")} dropped` : null,
    session.research_missing > 0 ? `research missing: ${session.research_missing}` : null,
  ].filter((part) => part !== null).join(", ");
}

/** The session searches no more. */
export async function alertResearchOff(tx: Queryable, session: Session, reason: string): Promise<void> {
  await raiseAlert(tx, {
    rule: "research_off",
    sessionId: session.session_id,
    text: `Session ${session.number} searches no more: ${reason}. Its analyses go on`,
    detail: { number: session.number, reason },
  });
}

function countDone({ analyzed, total }: Session): string {
  return `${analyzed} of ${total} analysed`;
}

const FIGURES = [
  "number",
  "status",
  "analyzed",
  "failed",
  "skipped",
  "total",
  "spent",
  "held",
  "budget",
  "unknown",
  "overrun",
  "simulated",
] as const satisfies readonly (keyof Session)[];

/** The session in figures, for the detail of an alert. */
export function figures(session: Session): Pick<Session, typeof FIGURES[number]> {
  return Object.fromEntries(FIGURES.map((name) => [name, session[name]])) as ReturnType<typeof figures>;
}

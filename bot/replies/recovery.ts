/** What a recovery would do, and what one has done. */
import type { FormattedString } from "@grammyjs/parse-mode";
import type { UnknownCall } from "../../lib/budget/ledger/list_unknown.ts";
import type { RecoveryReport } from "../../lib/batches/recover_items.ts";
import type { CleanupReport } from "../../lib/batches/clean_up.ts";
import { describeCleanup as listCleanup } from "../../lib/batches/describe_cleanup.ts";
import type { ResolvedUnknown } from "../../lib/batches/resolve_unknown.ts";
import type { Session } from "../../lib/batches/types.ts";
import { formatUsd, type Micros, micros } from "../../lib/money.ts";
import type { Clock } from "./estimate.ts";
import { blocks, clock, count, facts, lines, money, plain, strong } from "./format.ts";
import { oneLine } from "./plain_text.ts";
import type { Remedy } from "./session_result.ts";

/** @param budget The cap it would have; null: as it is. */
export function describeRemedy(session: Session, remedy: Remedy, budget: Micros | null): FormattedString {
  const { number, spent, simulated } = session;
  const cap = budget ?? session.budget;
  return blocks(
    strong(`Recover session ${number}?`),
    facts([
      ["Again", remedy.failed > 0 ? `${count(remedy.failed, "article")} that failed` : null],
      ["Left out", remedy.leftOut > 0 ? count(remedy.leftOut, "article") : null],
      ["Spent", `${formatUsd(spent)} so far`],
      [
        "Budget",
        budget === null ? `stays ${formatUsd(cap)}` : `${formatUsd(session.budget)} → ${formatUsd(budget)}`,
      ],
      ["At most", `${formatUsd(micros(Math.max(0, cap - spent)))} more`],
      ["Money", simulated ? "simulated" : null],
    ]),
    session.reason === "budget" && cap <= session.budget
      ? plain("Without a larger budget what was left out stays out.")
      : null,
  );
}

/** One line: what went back to work, and what did not. */
export function summariseRecovery(report: RecoveryReport): string {
  const { session, requeuedFailed, requeuedSkipped } = report;
  const again = requeuedFailed + requeuedSkipped;
  if (again === 0) {
    return `Session ${session.number}: nothing could be queued again. ${describeLeft(report)}`.trim();
  }
  const when = session.status === "PAUSED" ? "wait for their turn" : "are at work again";
  return `Session ${session.number}: ${count(again, "article")} ${when}. ${describeLeft(report)}`.trim();
}

function describeLeft({ permanent, exhausted, elsewhere, withoutBudget, shortOf }: RecoveryReport): string {
  const forGood = permanent.reduce((sum, { articles }) => sum + articles, 0);
  const parts = [
    forGood > 0 ? `${forGood} failed for good` : null,
    exhausted > 0 ? `${exhausted} were tried too often` : null,
    elsewhere > 0 ? `${elsewhere} are in another session` : null,
    withoutBudget > 0 && shortOf !== null
      ? `${withoutBudget} do not fit the ${shortOf === "day_budget" ? "day's budget" : "budget"}`
      : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? "" : `Not these: ${parts.join(", ")}.`;
}

/** Calls that one look at the unknown ones shows, and that one word is about. */
export const CALLS_SHOWN = 20;

/** Calls whose outcome nobody knows, with what one needs to look them up at the provider. */
export function describeUnknown(calls: readonly UnknownCall[], { now, zone }: Clock): FormattedString {
  if (calls.length === 0) return plain("Every call's outcome is known.");
  return blocks(
    strong(`${count(calls.length, "call")} with an unknown outcome`),
    plain(
      `${
        formatUsd(sumOf(calls))
      } charged in full. Look them up at the provider, then say whether they were paid.`,
    ),
    listCalls(calls, { now, zone }),
  );
}

export function listCalls(calls: readonly UnknownCall[], { now, zone }: Clock): FormattedString {
  const rest = calls.length - CALLS_SHOWN;
  return blocks(
    lines(...calls.slice(0, CALLS_SHOWN).map((call) => plain(describeCall(call, now, zone)))),
    rest > 0 ? plain(`… and ${rest} more, which stay open until these are done`) : null,
  );
}

/** What is charged for them. */
export function sumOf(calls: readonly UnknownCall[]): Micros {
  return micros(calls.reduce((total, { amount }) => total + amount, 0));
}

function describeCall(call: UnknownCall, now: Date, zone: string): string {
  const late = call.late_bill === null ? "" : `; an answer came late, billed ${formatUsd(call.late_bill)}`;
  return `· ${clock(call.held_at, zone, now)} ${
    oneLine(call.model, 30)
  }, ${call.kind} of #${call.article_id}: ` +
    `${money(call.amount, call.simulated)}${late}`;
}

/** @param asked How many the word was about. */
export function summariseResolved(
  { session, resolved, returned }: ResolvedUnknown,
  verdict: "paid" | "unpaid",
  asked: number,
): string {
  if (resolved.length === 0) return `Session ${session.number}: somebody has said so of these calls before.`;
  const before = asked - resolved.length;
  const back = (returned > 0 ? ` ${formatUsd(returned)} went back to the budget.` : "") +
    (before > 0 ? ` Of ${count(before, "other")} it was said before.` : "");
  return `Session ${session.number}: ${count(resolved.length, "call")} recorded as ${
    verdict === "paid" ? "paid" : "not paid"
  }.${back}`;
}

export function describeCleanup(report: CleanupReport): FormattedString {
  const told = listCleanup(report);
  return told.length === 0
    ? plain("Nothing to clean up: every sum adds up, nothing is stuck.")
    : lines(strong("Cleaned up"), ...told.map((line) => `· ${oneLine(line, 300)}`));
}

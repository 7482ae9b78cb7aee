/** What people are told when money is used up, in the transaction that finds it out. */
import type { Session } from "../batches/types.ts";
import { projectFit, worstOf } from "../budget/project_fit.ts";
import type { Queryable } from "../database/port.ts";
import { formatUsd, type Micros } from "../money.ts";
import { raiseAlert } from "./raise.ts";
import { figures } from "./session_alerts.ts";
import { count, money } from "./words.ts";

/** The money is used up, and so many articles are left out. `session` is as it was before they were skipped. */
export async function alertExhausted(
  tx: Queryable,
  session: Session,
  reason: "budget" | "day_budget",
  leftOut: number,
): Promise<void> {
  if (reason === "day_budget") return await alertDayExhausted(tx, session, leftOut);
  const { session_id: sessionId, number, spent, budget, simulated } = session;
  const left = session.total - session.analyzed - session.failed - session.skipped;
  const enough = projectFit({ ...session, left, worst: worstOf(session) })?.enough ?? session.worst_cost;
  const used = `${money(spent, simulated)} of ${formatUsd(budget)}, the next article does not fit`;
  const rest = `${count(leftOut, "article")} left out; about ${formatUsd(enough)} would do for all`;
  await raiseAlert(tx, {
    rule: "budget_exhausted",
    sessionId,
    text: `Session ${number} has used up its budget: ${used}. ${rest}`,
    detail: { ...figures(session), left_out: leftOut, enough },
  });
}

async function alertDayExhausted(tx: Queryable, session: Session, leftOut: number): Promise<void> {
  const { number, simulated } = session;
  const { rows: [day] } = await tx.query<{ day: string; budget: Micros; spent: Micros }>(
    `SELECT day::text, budget, spent FROM day_budgets WHERE simulated = $1 AND budget IS NOT NULL
     ORDER BY day_budgets.day DESC LIMIT 1`,
    [simulated],
  );
  const used = `${money(day.spent, simulated)} of ${formatUsd(day.budget)}`;
  const rest = `Session ${number} leaves out ${count(leftOut, "article")}`;
  await raiseAlert(tx, {
    rule: "day_budget_exhausted",
    subject: dayKey(day.day, simulated),
    text: `The budget of ${day.day} (UTC) is used up: ${used}. ${rest}`,
    detail: { ...day, simulated, number, left_out: leftOut },
  });
}

/** Names a day's cap; real and simulated money have one each. */
export function dayKey(day: string, simulated: boolean): string {
  return simulated ? `${day}:simulated` : day;
}

/** The cap of a session, changed after its start. */
import type { Database, Queryable } from "../database/port.ts";
import { UserError } from "../errors.ts";
import { exactUsd, formatUsd, type Micros, micros } from "../money.ts";
import { lockSession } from "./change_session.ts";
import { writeEvent } from "../events.ts";
import { type Session, SESSION_COLUMNS } from "./types.ts";

/**
 * A live session heeds it from its next claim on; one that has ended keeps its end until it is recovered. Throws
 * `UserError` for a cap of nothing, or one below what is spent and held.
 */
export async function changeBudget(
  db: Database,
  sessionId: string,
  budget: Micros,
  actor: string,
): Promise<Session> {
  return await db.transaction(async (tx) =>
    await setBudget(tx, await lockSession(tx, sessionId), budget, actor)
  );
}

/** The same inside a transaction that has locked the session. The cap that it has already changes nothing. */
export async function setBudget(
  tx: Queryable,
  session: Session,
  budget: Micros,
  actor: string,
): Promise<Session> {
  const { session_id, number, spent, held } = session;
  if (budget === session.budget) return session;
  if (budget <= 0) {
    throw new UserError(
      `Cannot set the budget of session ${number}: it must be over $0, got ${formatUsd(budget)}`,
    );
  }
  if (budget < spent + held) {
    // To the last digit: what a person reads here and types must be accepted.
    const used = [spent + held, spent, held].map((amount) => `$${exactUsd(micros(amount))}`);
    throw new UserError(
      `Cannot set the budget of session ${number}: wanted at least ${used[0]}, of which ${
        used[1]
      } are spent and ` +
        `${used[2]} held, got $${exactUsd(budget)}`,
    );
  }
  const { rows: [changed] } = await tx.query<Session>(
    `UPDATE batch_processing_sessions SET budget = $2 WHERE session_id = $1 RETURNING ${SESSION_COLUMNS}`,
    [session_id, budget],
  );
  await writeEvent(tx, {
    sessionId: session_id,
    actor,
    action: "budget_changed",
    detail: { from: session.budget, to: budget },
  });
  return changed;
}

/** The moves of a session after its start: pause, resume, cancel, leave the rest out, finish. Each is one transaction. */
import { UserError } from "../errors.ts";
import type { Database, Queryable } from "../database/port.ts";
import { writeEvent } from "./events.ts";
import { assertNoneActive, lockActivation } from "./start_session.ts";
import { isLive, type Session, SESSION_COLUMNS, type SessionStatus } from "./types.ts";

/** The session's row, locked until the transaction ends. Throws `UserError` when there is no such session. */
export async function lockSession(tx: Queryable, sessionId: string): Promise<Session> {
  const { rows: [session] } = await tx.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM batch_processing_sessions WHERE session_id = $1 FOR UPDATE`,
    [sessionId],
  );
  if (!session) throw new UserError(`There is no session ${sessionId}`);
  return session;
}

/** Moves the session and tells the audit trail. `finished` states get their time. */
export async function moveSession(
  tx: Queryable,
  session: Session,
  to: SessionStatus,
  move: { actor: string; action: string; reason: string | null; detail?: Record<string, unknown> },
): Promise<Session> {
  const { rows: [moved] } = await tx.query<Session>(
    `UPDATE batch_processing_sessions
     SET status = $2, reason = $3, finished_at = CASE WHEN $4 THEN now() END,
       failure_run = CASE WHEN $2 = 'PROCESSING' THEN 0 ELSE failure_run END,
       last_progress_at = CASE WHEN $2 = 'PROCESSING' THEN now() ELSE last_progress_at END
     WHERE session_id = $1
     RETURNING ${SESSION_COLUMNS}`,
    [session.session_id, to, move.reason, !isLive(to)],
  );
  await writeEvent(tx, {
    sessionId: session.session_id,
    actor: move.actor,
    action: move.action,
    from: session.status,
    to,
    detail: { ...move.detail, ...(move.reason ? { reason: move.reason } : {}) },
  });
  return moved;
}

/** Nothing new starts; what is under way finishes and is settled. Pausing a paused session changes nothing. */
export async function pauseSession(
  db: Database,
  sessionId: string,
  actor: string,
  reason: string,
  detail: Record<string, unknown> = {},
): Promise<Session> {
  return await db.transaction(async (tx) => {
    const session = await lockSession(tx, sessionId);
    if (session.status === "PAUSED") return session;
    if (!isLive(session.status)) throw refuse("pause", session, "one that is still at work");
    return await moveSession(tx, session, "PAUSED", { actor, action: "session_paused", reason, detail });
  });
}

export async function resumeSession(db: Database, sessionId: string, actor: string): Promise<Session> {
  return await db.transaction(async (tx) => {
    await lockActivation(tx);
    const session = await lockSession(tx, sessionId);
    if (session.status === "PROCESSING") return session;
    if (session.status !== "PAUSED") throw refuse("resume", session, "a paused one");
    await assertNoneActive(tx, "resume");
    return await moveSession(tx, session, "PROCESSING", { actor, action: "session_resumed", reason: null });
  });
}

/** Ends the session for good. Articles under way finish, because they are paid for; the rest is skipped. */
export async function cancelSession(db: Database, sessionId: string, actor: string): Promise<Session> {
  return await db.transaction(async (tx) => {
    const session = await lockSession(tx, sessionId);
    if (session.status === "CANCELLED") return session;
    if (!isLive(session.status)) throw refuse("cancel", session, "one that is still at work or paused");
    const skipped = await skipPending(tx, session, "cancelled", actor);
    return await moveSession(tx, { ...session, skipped: session.skipped + skipped }, "CANCELLED", {
      actor,
      action: "session_cancelled",
      reason: "cancelled",
      detail: { skipped },
    });
  });
}

/**
 * Skips what the budget cannot cover any more. Only when nothing is held: money that is out may come back
 * (invariant 4). `check` is asked again under the lock; false leaves everything as it is.
 */
export async function exhaustBudget(
  db: Database,
  sessionId: string,
  reason: "budget" | "day_budget",
  actor: string,
  check: (tx: Queryable, session: Session) => Promise<boolean>,
): Promise<boolean> {
  return await db.transaction(async (tx) => {
    const session = await lockSession(tx, sessionId);
    if (session.status !== "PROCESSING" || session.held > 0 || !await check(tx, session)) return false;
    await skipPending(tx, session, reason, actor);
    await finishSession(tx, await lockSession(tx, sessionId), actor);
    return true;
  });
}

/** No more searches in this session; its analyses go on. The first reason stays. */
export async function switchResearchOff(
  db: Database,
  sessionId: string,
  actor: string,
  reason: string,
): Promise<void> {
  await db.transaction(async (tx) => {
    const session = await lockSession(tx, sessionId);
    if (session.research_off !== null) return;
    await tx.query("UPDATE batch_processing_sessions SET research_off = $2 WHERE session_id = $1", [
      sessionId,
      reason,
    ]);
    await writeEvent(tx, { sessionId, actor, action: "research_switched_off", detail: { reason } });
  });
}

/** Ends the session if every item has its final state. Says whether it has ended (now or before). */
export async function finishIfDone(db: Database, sessionId: string, actor: string): Promise<boolean> {
  return await db.transaction(async (tx) => await finishSession(tx, await lockSession(tx, sessionId), actor));
}

async function finishSession(tx: Queryable, session: Session, actor: string): Promise<boolean> {
  if (!isLive(session.status)) return true;
  const { analyzed, failed, skipped, total } = session;
  if (analyzed + failed + skipped < total) return false;
  const status = analyzed === total ? "COMPLETED" : analyzed === 0 ? "FAILED" : "PARTIAL";
  const reason = status === "COMPLETED" ? null : await nameReason(tx, session);
  await moveSession(tx, session, status, {
    actor,
    action: "session_ended",
    reason,
    detail: {
      analyzed,
      failed,
      skipped,
      spent: session.spent,
      overrun: session.overrun,
      unknown: session.unknown,
    },
  });
  return true;
}

/** Why it ended short: what was left out weighs more than what failed, since an operator can change it. */
async function nameReason(tx: Queryable, session: Session): Promise<string> {
  if (session.skipped === 0) return "failures";
  const { rows: [most] } = await tx.query<{ reason: string }>(
    `SELECT reason FROM batch_processing_items WHERE session_id = $1 AND status = 'SKIPPED'
     GROUP BY reason ORDER BY count(*) DESC, reason LIMIT 1`,
    [session.session_id],
  );
  return most?.reason ?? "failures";
}

async function skipPending(tx: Queryable, session: Session, reason: string, actor: string): Promise<number> {
  const { rows: [{ skipped }] } = await tx.query<{ skipped: number }>(
    `WITH skipped AS (
       UPDATE batch_processing_items SET status = 'SKIPPED', reason = $2, updated_at = now()
       WHERE session_id = $1 AND status = 'PENDING'
       RETURNING item_id, batch_id
     ),
     told AS (
       INSERT INTO session_events (session_id, batch_id, item_id, actor, action, from_state, to_state, detail)
       SELECT $1, batch_id, item_id, $3, 'item_skipped', 'PENDING', 'SKIPPED', jsonb_build_object('reason', $2::text)
       FROM skipped
     ),
     ended AS (
       UPDATE batch_processing_records b
       SET skipped = b.skipped + t.skipped,
         status = CASE
           WHEN b.processed + b.failed + b.skipped + t.skipped < b.total THEN b.status
           WHEN b.processed > 0 THEN 'PARTIAL'
           WHEN b.failed > 0 THEN 'FAILED'
           ELSE 'CANCELLED' END,
         error = coalesce(b.error, $2),
         finished_at = CASE WHEN b.processed + b.failed + b.skipped + t.skipped = b.total THEN now() END
       FROM (SELECT batch_id, count(*) AS skipped FROM skipped GROUP BY batch_id) t
         JOIN batch_processing_records was USING (batch_id)
       WHERE b.batch_id = t.batch_id
       RETURNING b.batch_id, was.status AS from_status, b.status, b.finished_at
     ),
     told_batches AS (
       INSERT INTO session_events (session_id, batch_id, actor, action, from_state, to_state, detail)
       SELECT $1, batch_id, $3, 'batch_ended', from_status, status, jsonb_build_object('reason', $2::text)
       FROM ended WHERE finished_at IS NOT NULL
     )
     UPDATE batch_processing_sessions s SET skipped = s.skipped + (SELECT count(*) FROM skipped)
     WHERE s.session_id = $1
     RETURNING (SELECT count(*) FROM skipped) AS skipped`,
    [session.session_id, reason, actor],
  );
  return skipped;
}

function refuse(action: string, session: Session, wanted: string): UserError {
  return new UserError(
    `Cannot ${action} session ${session.number}: wanted ${wanted}, it is ${session.status}`,
  );
}

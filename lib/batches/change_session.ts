/** The moves of a session after its start: pause, resume, cancel, leave the rest out, finish. Each is one transaction. */
import { alertExhausted } from "../alerts/exhausted_alerts.ts";
import { alertMove, alertResearchOff } from "../alerts/session_alerts.ts";
import { UserError } from "../errors.ts";
import type { Database, Queryable } from "../database/port.ts";
import { writeEvent } from "../events.ts";
import { UNTROUBLED } from "../reasons.ts";
import { assertNoneActive, lockActivation } from "./start_session.ts";
import { traceSession } from "./trace_session.ts";
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

export interface Move {
  actor: string;
  action: string;
  reason: string | null;
  detail?: Record<string, unknown>;
  /** With `to` PAUSED: it comes back by itself after this long, ms; null or absent: somebody must resume it. */
  resumeAfterMs?: number | null;
  /** Unless given it stays as it is. */
  resumeTries?: number;
}

/** Moves the session and tells the audit trail and the alerts. `finished` states get their time. */
export async function moveSession(
  tx: Queryable,
  session: Session,
  to: SessionStatus,
  move: Move,
): Promise<Session> {
  const { rows: [moved] } = await tx.query<Session>(
    `UPDATE batch_processing_sessions
     SET status = $2, reason = $3, finished_at = CASE WHEN $4 THEN now() END,
       resume_at = CASE WHEN $2 = 'PAUSED' THEN now() + $5::bigint * interval '1 ms' END,
       resume_tries = coalesce($6, resume_tries),
       research_missing = CASE WHEN $4 AND settings ->> 'research' <> 'off' THEN
         (SELECT count(*) FROM article_analyses a WHERE a.session_id = $1 AND a.research_status = 'NOT_RUN'
            AND a.research -> 'queries' <> '[]') ELSE research_missing END,
       failure_run = CASE WHEN $2 = 'PROCESSING' THEN 0 ELSE failure_run END,
       last_progress_at = CASE WHEN $2 = 'PROCESSING' THEN now() ELSE last_progress_at END
     WHERE session_id = $1
     RETURNING ${SESSION_COLUMNS}`,
    [
      session.session_id,
      to,
      move.reason,
      !isLive(to),
      move.resumeAfterMs === undefined || move.resumeAfterMs === null ? null : Math.ceil(move.resumeAfterMs),
      move.resumeTries ?? null,
    ],
  );
  await writeEvent(tx, {
    sessionId: session.session_id,
    actor: move.actor,
    action: move.action,
    from: session.status,
    to,
    detail: { ...move.detail, ...(move.reason ? { reason: move.reason } : {}) },
  });
  await alertMove(tx, session, moved, move.detail ?? {});
  if (!isLive(to)) await traceSession(tx, moved);
  return moved;
}

/** Says after how many ms a pause ends by itself, from the times that it did without success since; null: never. */
export type ComeBack = (resumeTries: number) => number | null;

/**
 * Nothing new starts; what is under way finishes and is settled. Pausing a paused session changes nothing, except that
 * a person's word keeps one paused that would have come back by itself.
 */
export async function pauseSession(
  db: Database,
  sessionId: string,
  actor: string,
  reason: string,
  detail: Record<string, unknown> = {},
  comeBack: ComeBack = () => null,
): Promise<Session> {
  return await db.transaction(async (tx) => {
    const session = await lockSession(tx, sessionId);
    if (!isLive(session.status)) throw refuse("pause", session, "one that is still at work");
    if (session.status === "PAUSED" && (session.resume_at === null || reason !== BY_OPERATOR)) return session;
    const resumeAfterMs = session.status === "PAUSED" ? null : comeBack(session.resume_tries);
    return await moveSession(tx, session, "PAUSED", {
      actor,
      action: "session_paused",
      reason,
      resumeAfterMs,
      detail: {
        ...detail,
        ...(session.status === "PAUSED" && { was: session.reason }),
        ...(resumeAfterMs !== null &&
          { resume_in_ms: Math.ceil(resumeAfterMs), tries: session.resume_tries }),
      },
    });
  });
}

/** The reason of a pause that a person wished. */
const BY_OPERATOR = "operator";

/** A person's word: at once, whatever time it would have come back by itself. The waits between its tries begin anew. */
export async function resumeSession(db: Database, sessionId: string, actor: string): Promise<Session> {
  return await db.transaction(async (tx) => {
    await lockActivation(tx);
    const session = await lockSession(tx, sessionId);
    if (session.status === "PROCESSING") return session;
    if (session.status !== "PAUSED") throw refuse("resume", session, "a paused one");
    await assertNoneActive(tx, "resume");
    return await moveSession(tx, session, "PROCESSING", {
      actor,
      action: "session_resumed",
      reason: null,
      resumeTries: UNTROUBLED.has(session.reason) ? 0 : 1,
    });
  });
}

/** Resumes by itself. The caller has locked activation and the session, and knows that nothing else is active. */
export async function resumeByItself(tx: Queryable, session: Session, actor: string): Promise<Session> {
  const troubled = !UNTROUBLED.has(session.reason);
  const resumeTries = troubled ? session.resume_tries + 1 : 0;
  return await moveSession(tx, session, "PROCESSING", {
    actor,
    action: "session_resumed",
    reason: null,
    resumeTries,
    detail: { by_itself: true, after: session.reason, ...(troubled && { try: resumeTries }) },
  });
}

/** Ends the session for good. Articles under way finish, because they are paid for; the rest is skipped. */
export async function cancelSession(
  db: Database,
  sessionId: string,
  actor: string,
  reason = "cancelled",
): Promise<Session> {
  return await db.transaction(async (tx) => {
    const session = await lockSession(tx, sessionId);
    if (session.status === "CANCELLED") return session;
    if (!isLive(session.status)) throw refuse("cancel", session, "one that is still at work or paused");
    const skipped = await skipPending(tx, session, "cancelled", actor);
    return await moveSession(tx, { ...session, skipped: session.skipped + skipped }, "CANCELLED", {
      actor,
      action: "session_cancelled",
      reason,
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
    await alertExhausted(tx, session, reason, await skipPending(tx, session, reason, actor));
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
    await alertResearchOff(tx, session, reason);
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

/** Needs the session's lock. Skips every article that still waits, ends its batches and says how many there were. */
export async function skipPending(
  tx: Queryable,
  session: Session,
  reason: string,
  actor: string,
): Promise<number> {
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
         status = batch_status(b.status, b.total, b.processed, b.failed, b.skipped + t.skipped),
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

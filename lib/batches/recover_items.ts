/** Gives failed articles of a session new attempts, and articles skipped for money another chance once there is some. */
import { UserError } from "../errors.ts";
import { formatUsd, type Micros } from "../money.ts";
import type { Database, Queryable } from "../database/port.ts";
import { lockSession, moveSession } from "./change_session.ts";
import { writeEvent } from "./events.ts";
import { assertNoneActive, lockActivation } from "./start_session.ts";
import { isLive, type Session } from "./types.ts";

/** An article gets new attempts this often; after that only a new session takes it up. */
const MAX_RECOVERIES = 3;

export interface RecoveryReport {
  session: Session;
  requeuedFailed: number;
  requeuedSkipped: number;
  /** Failures that trying again cannot change, with an example. */
  permanent: { error_class: string; articles: number; example: string }[];
  /** Recovered too often already. */
  exhausted: number;
  /** Analysed by another session meanwhile, or in one that is live. */
  elsewhere: number;
  /** Still skipped because the budget was not raised. */
  withoutBudget: number;
}

/**
 * @param budget The session's new cap; null leaves it. Throws `UserError` when it is below what is spent and held,
 * when the session is live, or when another one is active.
 */
export async function recoverSession(
  db: Database,
  sessionId: string,
  budget: Micros | null,
  actor: string,
): Promise<RecoveryReport> {
  return await db.transaction(async (tx) => {
    await lockActivation(tx);
    const session = await lockSession(tx, sessionId);
    if (isLive(session.status)) {
      throw new UserError(
        `Cannot recover session ${session.number}: wanted one that has ended, it is ${session.status}. ` +
          (session.status === "PAUSED" ? "Resume it instead" : "It retries by itself"),
      );
    }
    await setBudget(tx, session, budget, actor);
    const room = (budget ?? session.budget) - session.spent - session.held;
    const counts = await requeue(tx, session, budget !== null && budget > session.budget && room > 0, actor);
    const requeued = counts.failed + counts.skipped;
    const report = await describeLeft(tx, sessionId);
    if (requeued === 0) {
      return { session: await lockSession(tx, sessionId), requeuedFailed: 0, requeuedSkipped: 0, ...report };
    }
    await assertNoneActive(tx, "recover");
    const moved = await moveSession(tx, session, "PROCESSING", {
      actor,
      action: "session_recovered",
      reason: null,
      detail: {
        requeued_failed: counts.failed,
        requeued_skipped: counts.skipped,
        budget: budget ?? session.budget,
      },
    });
    return { session: moved, requeuedFailed: counts.failed, requeuedSkipped: counts.skipped, ...report };
  });
}

async function setBudget(
  tx: Queryable,
  session: Session,
  budget: Micros | null,
  actor: string,
): Promise<void> {
  if (budget === null || budget === session.budget) return;
  if (budget <= 0) {
    throw new UserError(
      `Cannot recover session ${session.number}: the budget must be over $0, got ${formatUsd(budget)}`,
    );
  }
  if (budget < session.spent + session.held) {
    throw new UserError(
      `Cannot set the budget of session ${session.number} to ${formatUsd(budget)}: ` +
        `${formatUsd((session.spent + session.held) as Micros)} are spent or held already`,
    );
  }
  await tx.query("UPDATE batch_processing_sessions SET budget = $2 WHERE session_id = $1", [
    session.session_id,
    budget,
  ]);
  await writeEvent(tx, {
    sessionId: session.session_id,
    actor,
    action: "budget_changed",
    detail: { from: session.budget, to: budget },
  });
}

/*
 * What was skipped for the session's money needs a higher budget; what was skipped for the day's comes again on any day
 * with room. The wait before the new attempt grows with the attempts that an item has had, as for any retry. An
 * article that is in a live session elsewhere is left alone: the unique index on live items would refuse it. A batch
 * of a cancelled session may still have articles under way; it stays PROCESSING.
 */
async function requeue(
  tx: Queryable,
  session: Session,
  withSkipped: boolean,
  actor: string,
): Promise<{ failed: number; skipped: number }> {
  const { rows: [counts] } = await tx.query<{ failed: number; skipped: number }>(
    `WITH again AS (
       SELECT i.item_id, i.batch_id, i.status AS was
       FROM batch_processing_items i JOIN articles a ON a.id = i.article_id
       WHERE i.session_id = $1 AND a.analyzed_at IS NULL
         AND ((i.status = 'FAILED' AND NOT i.permanent AND i.recoveries < $2)
           OR (i.status = 'SKIPPED' AND i.reason IN ('budget', 'day_budget') AND $3)
           OR (i.status = 'SKIPPED' AND i.reason = 'day_budget' AND NOT EXISTS (SELECT FROM day_budgets d
             WHERE d.day = (now() AT TIME ZONE 'UTC')::date AND d.simulated = $7
               AND d.budget - d.spent - d.held < i.worst_case)))
         AND NOT EXISTS (SELECT FROM batch_processing_items o
           WHERE o.article_id = i.article_id AND o.item_id <> i.item_id AND o.status IN ('PENDING', 'PROCESSING'))
       FOR UPDATE OF i
     ),
     moved AS (
       UPDATE batch_processing_items i
       SET status = 'PENDING', reason = NULL, stage = 'ANALYSIS', updated_at = now(),
         recoveries = i.recoveries + CASE WHEN g.was = 'FAILED' THEN 1 ELSE 0 END,
         max_attempts = CASE WHEN g.was = 'FAILED' THEN i.attempts + $4 ELSE i.max_attempts END,
         not_before = CASE WHEN g.was = 'FAILED'
           THEN now() + least(600000, $5 * power(2, greatest(i.attempts - 1, 0))) * interval '1 ms' ELSE now() END
       FROM again g WHERE i.item_id = g.item_id
     ),
     batches AS (
       UPDATE batch_processing_records b
       SET failed = b.failed - t.failed, skipped = b.skipped - t.skipped, error = NULL, finished_at = NULL,
         status = CASE WHEN b.status = 'PROCESSING' THEN b.status ELSE 'PENDING' END
       FROM (SELECT batch_id, count(*) FILTER (WHERE was = 'FAILED') AS failed,
           count(*) FILTER (WHERE was = 'SKIPPED') AS skipped FROM again GROUP BY batch_id) t
         JOIN batch_processing_records was USING (batch_id)
       WHERE b.batch_id = t.batch_id
       RETURNING b.batch_id, was.status AS from_status, b.status
     ),
     told AS (
       INSERT INTO session_events (session_id, batch_id, item_id, actor, action, from_state, to_state)
       SELECT $1, batch_id, item_id, $6, 'item_recovered', was, 'PENDING' FROM again
       UNION ALL
       SELECT $1, batch_id, NULL, $6, 'batch_recovered', from_status, status
       FROM batches WHERE status <> from_status
     )
     UPDATE batch_processing_sessions s
     SET failed = s.failed - t.failed, skipped = s.skipped - t.skipped
     FROM (SELECT count(*) FILTER (WHERE was = 'FAILED') AS failed,
         count(*) FILTER (WHERE was = 'SKIPPED') AS skipped FROM again) t
     WHERE s.session_id = $1
     RETURNING t.failed, t.skipped`,
    [
      session.session_id,
      MAX_RECOVERIES,
      withSkipped,
      session.settings.maxAttempts,
      session.settings.retryBaseMs,
      actor,
      session.simulated,
    ],
  );
  return counts;
}

async function describeLeft(
  tx: Queryable,
  sessionId: string,
): Promise<Pick<RecoveryReport, "permanent" | "exhausted" | "elsewhere" | "withoutBudget">> {
  const { rows: permanent } = await tx.query<RecoveryReport["permanent"][number]>(
    `SELECT coalesce(error_class, 'unknown') AS error_class, count(*) AS articles, max(error) AS example
     FROM batch_processing_items WHERE session_id = $1 AND status = 'FAILED' AND permanent
     GROUP BY 1 ORDER BY 2 DESC`,
    [sessionId],
  );
  const { rows: [left] } = await tx.query<{ exhausted: number; elsewhere: number; without_budget: number }>(
    `SELECT count(*) FILTER (WHERE i.status = 'FAILED' AND NOT i.permanent AND i.recoveries >= $2) AS exhausted,
       count(*) FILTER (WHERE NOT i.permanent AND i.status IN ('FAILED', 'SKIPPED') AND (a.analyzed_at IS NOT NULL
         OR EXISTS (SELECT FROM batch_processing_items o WHERE o.article_id = i.article_id
           AND o.session_id <> $1 AND o.status IN ('PENDING', 'PROCESSING')))) AS elsewhere,
       count(*) FILTER (WHERE i.status = 'SKIPPED' AND i.reason IN ('budget', 'day_budget')
         AND a.analyzed_at IS NULL) AS without_budget
     FROM batch_processing_items i JOIN articles a ON a.id = i.article_id
     WHERE i.session_id = $1`,
    [sessionId, MAX_RECOVERIES],
  );
  return {
    permanent,
    exhausted: left.exhausted,
    elsewhere: left.elsewhere,
    withoutBudget: left.without_budget,
  };
}

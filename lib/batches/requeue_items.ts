/** Puts the articles of an ended session back into the queue, and says which it left and why. */
import type { Queryable } from "../database/port.ts";
import type { Micros } from "../money.ts";
import type { Session } from "./types.ts";

/** An article gets new attempts this often; after that only a new session takes it up. */
const MAX_RECOVERIES = 3;

export interface Requeued {
  failed: number;
  skipped: number;
  /** Whose money the next article does not fit that was left for lack of it; null: none was. */
  shortOf: "budget" | "day_budget" | null;
  /** The smallest cap, of the session or the day, with which that article fits. */
  needed: Micros | null;
}

export interface LeftOut {
  /** Failures that trying again cannot change, with an example. */
  permanent: { error_class: string; articles: number; example: string }[];
  /** Recovered too often already. */
  exhausted: number;
  /** Analysed or given up by another session meanwhile, in one that is live, or no article of ours any more. */
  elsewhere: number;
  /** Left because the next of them does not fit what the session or the day has left. */
  withoutBudget: number;
}

/** An article that this session may still take up: $1 its session. */
const FREE = `a.analyzed_at IS NULL AND a.given_up IS NULL AND a.status = 'ACTIVE'
  AND NOT EXISTS (SELECT FROM batch_processing_items o
    WHERE o.article_id = i.article_id AND o.session_id <> $1 AND o.status IN ('PENDING', 'PROCESSING'))`;

/*
 * What failed for good, was cancelled or was recovered often enough stays. The rest is queued if it can begin: the
 * first of those that failed, and of those skipped for money, must fit what the session and the day have left, or the
 * session would end at once where it ended before and an article would have lost a recovery for nothing. What does not
 * even fit the whole budget is left for itself: queued, it would stand in the way of all behind it.
 *
 * The wait before the new attempt grows with the attempts that an item has had, as for any retry, and at most to the
 * longest wait of a worker. Articles that are live in another session are left alone: the unique index on live items
 * would refuse them. A batch of a cancelled session may still have articles under way; it stays PROCESSING.
 */
const REQUEUE = `
WITH clock AS MATERIALIZED (SELECT coalesce($6::timestamptz, now()) AS now),
money AS MATERIALIZED (
  SELECT s.hold_permille, s.budget, s.spent + s.held AS used, s.budget - s.spent - s.held AS room,
    (s.settings ->> 'retryBaseMs')::bigint AS base_ms, (s.settings ->> 'maxAttempts')::integer AS new_attempts,
    d.spent + d.held AS day_used, coalesce(d.budget - d.spent - d.held, 9223372036854775807) AS day_room
  FROM batch_processing_sessions s LEFT JOIN day_budgets d
    ON d.day = ((SELECT now FROM clock) AT TIME ZONE 'UTC')::date AND d.simulated = s.simulated
  WHERE s.session_id = $1
),
candidates AS MATERIALIZED (
  SELECT i.item_id, i.batch_id, i.status AS was, i.position, i.attempts, i.worst_case
  FROM batch_processing_items i JOIN articles a ON a.id = i.article_id
  WHERE i.session_id = $1 AND i.updated_at <= coalesce($4::timestamptz, 'infinity') AND ${FREE}
    AND ((i.status = 'FAILED' AND NOT i.permanent AND i.recoveries < $2)
      OR (i.status = 'SKIPPED' AND i.reason IN ('budget', 'day_budget')))
  ORDER BY i.item_id
  FOR UPDATE OF i
),
judged AS MATERIALIZED (
  SELECT item_id, batch_id, was, first_hold,
    CASE WHEN first_hold > room THEN 'budget' WHEN first_hold > day_room THEN 'day_budget' END AS short_of,
    CASE WHEN first_hold > room THEN used WHEN first_hold > day_room THEN day_used END + first_hold AS needed
  FROM (SELECT item_id, batch_id, was, (first_value(worst_case) OVER (
      PARTITION BY was, (worst_case * hold_permille + 999) / 1000 > budget
      ORDER BY CASE WHEN was = 'FAILED' THEN attempts END, position) * hold_permille + 999) / 1000 AS first_hold
    FROM candidates, money) q, money
),
again AS MATERIALIZED (SELECT item_id, batch_id, was FROM judged WHERE short_of IS NULL),
moved AS (
  UPDATE batch_processing_items i
  SET status = 'PENDING', reason = NULL, stage = 'ANALYSIS', updated_at = (SELECT now FROM clock),
    recoveries = i.recoveries + CASE WHEN g.was = 'FAILED' THEN 1 ELSE 0 END,
    max_attempts = CASE WHEN g.was = 'FAILED' THEN i.attempts + m.new_attempts ELSE i.max_attempts END,
    not_before = (SELECT now FROM clock) + CASE WHEN g.was = 'FAILED'
      THEN least($3, m.base_ms * power(2, least(greatest(i.attempts - 1, 0), 30))) ELSE 0 END * interval '1 ms'
  FROM again g, money m WHERE i.item_id = g.item_id
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
  SELECT $1, batch_id, item_id, $5, 'item_recovered', was, 'PENDING' FROM again
  UNION ALL
  SELECT $1, batch_id, NULL, $5, 'batch_recovered', from_status, status
  FROM batches WHERE status <> from_status
)
UPDATE batch_processing_sessions s
SET failed = s.failed - t.failed, skipped = s.skipped - t.skipped
FROM (SELECT count(*) FILTER (WHERE was = 'FAILED') AS failed,
    count(*) FILTER (WHERE was = 'SKIPPED') AS skipped FROM again) t
WHERE s.session_id = $1
RETURNING t.failed, t.skipped, (SELECT min(short_of) FROM judged) AS "shortOf",
  (SELECT needed FROM judged WHERE short_of IS NOT NULL ORDER BY short_of, needed LIMIT 1) AS needed`;

/** No wait before a new attempt is longer than this, ms. */
const LONGEST_WAIT_MS = 10 * 60_000;

/**
 * Needs the session's lock.
 * @param endedBefore Only what had its end by then, so that the same wish that comes twice is granted once.
 */
export async function requeueItems(
  tx: Queryable,
  session: Session,
  actor: string,
  endedBefore: Date | null,
  now: Date | null,
): Promise<Requeued> {
  const { rows: [counts] } = await tx.query<Requeued>(REQUEUE, [
    session.session_id,
    MAX_RECOVERIES,
    LONGEST_WAIT_MS,
    endedBefore,
    actor,
    now,
  ]);
  return counts;
}

/** What is still missing after a requeue, of what had its end before `endedBefore`. */
export async function describeLeft(
  tx: Queryable,
  sessionId: string,
  endedBefore: Date | null,
): Promise<LeftOut> {
  const { rows: permanent } = await tx.query<LeftOut["permanent"][number]>(
    `SELECT coalesce(error_class, 'unknown') AS error_class, count(*) AS articles, max(error) AS example
     FROM batch_processing_items WHERE session_id = $1 AND status = 'FAILED' AND permanent
     GROUP BY 1 ORDER BY 2 DESC, 1`,
    [sessionId],
  );
  const { rows: [left] } = await tx.query<Omit<LeftOut, "permanent">>(
    `SELECT count(*) FILTER (WHERE failed AND free AND recoveries >= $2) AS exhausted,
       count(*) FILTER (WHERE NOT free) AS elsewhere,
       count(*) FILTER (WHERE free AND (NOT failed OR recoveries < $2)) AS "withoutBudget"
     FROM (
       SELECT i.status = 'FAILED' AS failed, i.recoveries, ${FREE} AS free
       FROM batch_processing_items i JOIN articles a ON a.id = i.article_id
       WHERE i.session_id = $1 AND i.updated_at <= coalesce($3::timestamptz, 'infinity')
         AND ((i.status = 'FAILED' AND NOT i.permanent)
           OR (i.status = 'SKIPPED' AND i.reason IN ('budget', 'day_budget')))
     ) missing`,
    [sessionId, MAX_RECOVERIES, endedBefore],
  );
  return { permanent, ...left };
}

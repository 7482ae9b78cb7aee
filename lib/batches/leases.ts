/**
 * Leases: a claim is an item's lease token with an expiry, renewed while its worker lives. What a dead worker left is
 * taken back here: its calls become UNKNOWN, its items go back to the queue.
 */
import type { Database, Queryable } from "../database/port.ts";
import { lockSession } from "./change_session.ts";

export interface Lease {
  item_id: number;
  lease_token: string;
}

/**
 * Extends the leases that are still ours and returns their item ids; the others are lost. Rows are locked in the order
 * in which settlements lock them, so that neither waits for the other for ever.
 */
export async function renewLeases(
  db: Queryable,
  leases: readonly Lease[],
  leaseMs: number,
  now: Date | null = null,
): Promise<Set<number>> {
  const { rows } = await db.query<Lease>(
    `WITH kept AS MATERIALIZED (
       SELECT i.item_id
       FROM unnest($1::bigint[], $2::uuid[]) AS ours (item_id, lease_token)
       JOIN batch_processing_items i USING (item_id, lease_token)
       WHERE i.status = 'PROCESSING'
       ORDER BY i.item_id
       FOR UPDATE OF i
     )
     UPDATE batch_processing_items i SET lease_until = coalesce($4::timestamptz, now()) + $3 * interval '1 ms'
     FROM kept WHERE i.item_id = kept.item_id
     RETURNING i.item_id`,
    [leases.map((lease) => lease.item_id), leases.map((lease) => lease.lease_token), leaseMs, now],
  );
  return new Set(rows.map((row) => row.item_id));
}

export interface Reclaimed {
  requeued: number;
  failed: number;
  /** Their analysis was stored; only research was cut off. */
  finished: number;
  unknownCalls: number;
}

export const NOTHING_RECLAIMED: Reclaimed = { requeued: 0, failed: 0, finished: 0, unknownCalls: 0 };

/**
 * Takes back every expired lease. An item with attempts left is due again after its backoff, one without is FAILED,
 * one whose analysis is stored is ANALYZED without research.
 */
export async function reclaimExpired(
  db: Database,
  actor: string,
  now: Date | null = null,
): Promise<Reclaimed> {
  const { rows: sessions } = await db.query<{ session_id: string }>(
    `SELECT DISTINCT session_id FROM batch_processing_items
     WHERE status = 'PROCESSING' AND (lease_until < coalesce($1::timestamptz, now()) OR lease_until IS NULL)`,
    [now],
  );
  const total = { ...NOTHING_RECLAIMED };
  for (const { session_id } of sessions) {
    const some = await db.transaction((tx) => reclaimSession(tx, session_id, actor, now));
    total.requeued += some.requeued;
    total.failed += some.failed;
    total.finished += some.finished;
    total.unknownCalls += some.unknownCalls;
  }
  return total;
}

/*
 * In a session that was cancelled or has ended nothing is queued again: what was under way there counts as failed.
 * The wait before the next attempt is the session's own backoff without jitter: 2^(attempts - 1) times its base, ten
 * minutes at most.
 */
const RECLAIM = `
WITH clock AS MATERIALIZED (SELECT coalesce($3::timestamptz, now()) AS now),
expired AS MATERIALIZED (
  SELECT i.item_id, i.batch_id, i.attempts, i.lease_owner, CASE
    WHEN i.stage = 'RESEARCH' THEN 'ANALYZED'
    WHEN i.attempts < i.max_attempts AND s.status IN ('PROCESSING', 'PAUSED') THEN 'PENDING'
    ELSE 'FAILED' END AS next, (s.settings ->> 'retryBaseMs')::bigint AS base_ms
  FROM batch_processing_items i JOIN batch_processing_sessions s USING (session_id)
  WHERE i.session_id = $1 AND i.status = 'PROCESSING' AND (i.lease_until < (SELECT now FROM clock) OR i.lease_until IS NULL)
  ORDER BY i.item_id
  FOR UPDATE OF i
),
calls AS (
  UPDATE paid_calls c
  SET state = 'UNKNOWN', spent = c.amount, ended_at = (SELECT now FROM clock), failure = 'worker_lost',
    detail = 'the worker ' || e.lease_owner || ' stopped renewing its lease'
  FROM expired e
  WHERE c.item_id = e.item_id AND c.state = 'HELD'
  RETURNING c.call_id, c.item_id, c.batch_id, c.amount, c.day
),
moved AS (
  UPDATE batch_processing_items i
  SET status = e.next, lease_token = NULL, lease_until = NULL, lease_owner = NULL, error_class = 'worker_lost',
    error = 'the worker stopped in the middle of it', updated_at = (SELECT now FROM clock),
    not_before = CASE WHEN e.next = 'PENDING'
      THEN (SELECT now FROM clock) + least(600000, e.base_ms * power(2, greatest(e.attempts - 1, 0))) * interval '1 ms'
      ELSE i.not_before END
  FROM expired e
  WHERE i.item_id = e.item_id
),
researched AS (
  UPDATE article_analyses a
  SET research = jsonb_set(a.research, '{reason}', '"the worker stopped in the middle of it"'),
    cost = a.cost + coalesce((SELECT sum(amount) FROM calls WHERE calls.item_id = e.item_id), 0)
  FROM expired e JOIN batch_processing_items i USING (item_id)
  WHERE e.next = 'ANALYZED' AND a.article_id = i.article_id AND a.session_id = $1
),
days AS (
  UPDATE day_budgets d SET held = d.held - t.amount, spent = d.spent + t.amount
  FROM (SELECT day, sum(amount)::bigint AS amount FROM calls GROUP BY day) t
  WHERE d.day = t.day AND d.simulated = (SELECT simulated FROM batch_processing_sessions WHERE session_id = $1)
),
per_batch AS (
  SELECT batch_id, count(*) FILTER (WHERE next = 'ANALYZED') AS analyzed, count(*) FILTER (WHERE next = 'FAILED') AS failed,
    (SELECT coalesce(sum(amount), 0)::bigint FROM calls WHERE calls.batch_id = expired.batch_id) AS spent
  FROM expired GROUP BY batch_id
),
batches AS (
  UPDATE batch_processing_records b
  SET processed = b.processed + t.analyzed, failed = b.failed + t.failed, actual_cost = b.actual_cost + t.spent,
    status = batch_status(b.status, b.total, b.processed + t.analyzed, b.failed + t.failed, b.skipped),
    finished_at = CASE WHEN b.processed + b.failed + b.skipped + t.analyzed + t.failed = b.total
      THEN (SELECT now FROM clock) END
  FROM per_batch t WHERE b.batch_id = t.batch_id
  RETURNING b.batch_id, b.status, b.finished_at
),
totals AS (
  UPDATE batch_processing_sessions s
  SET held = s.held - t.amount, spent = s.spent + t.amount, unknown = s.unknown + t.amount,
    analyzed = s.analyzed + t.analyzed, failed = s.failed + t.failed, retries = s.retries + t.requeued
  FROM (
    SELECT (SELECT coalesce(sum(amount), 0)::bigint FROM calls) AS amount,
      count(*) FILTER (WHERE next = 'ANALYZED') AS analyzed, count(*) FILTER (WHERE next = 'FAILED') AS failed,
      count(*) FILTER (WHERE next = 'PENDING') AS requeued
    FROM expired
  ) t
  WHERE s.session_id = $1
),
told AS (
  INSERT INTO session_events (session_id, batch_id, item_id, call_id, actor, action, from_state, to_state, detail, at)
  SELECT $1, e.batch_id, e.item_id, c.call_id, $2, 'lease_expired', 'PROCESSING', e.next,
    jsonb_strip_nulls(jsonb_build_object('worker', e.lease_owner, 'call',
      CASE WHEN c.call_id IS NOT NULL THEN 'UNKNOWN' END, 'spent', c.amount)), (SELECT now FROM clock)
  FROM expired e LEFT JOIN calls c USING (item_id)
  UNION ALL
  SELECT $1, batch_id, NULL, NULL, $2, 'batch_ended', 'PROCESSING', status, NULL, (SELECT now FROM clock)
  FROM batches WHERE finished_at IS NOT NULL
)
SELECT count(*) FILTER (WHERE next = 'PENDING') AS requeued, count(*) FILTER (WHERE next = 'FAILED') AS failed,
  count(*) FILTER (WHERE next = 'ANALYZED') AS finished, (SELECT count(*) FROM calls) AS "unknownCalls"
FROM expired`;

async function reclaimSession(
  tx: Queryable,
  sessionId: string,
  actor: string,
  now: Date | null,
): Promise<Reclaimed> {
  await lockSession(tx, sessionId);
  const { rows: [counts] } = await tx.query<Reclaimed>(RECLAIM, [sessionId, actor, now]);
  return counts;
}

/**
 * Compares what a session and its batches say with their items and the ledger, and puts them right. The program keeps
 * them equal by itself; a hand in psql or a half-restored backup does not.
 */
import type { Queryable } from "../../database/port.ts";
import type { Micros } from "../../money.ts";
import { writeEvent } from "../../events.ts";
import type { Session } from "../types.ts";

/** Sums that a session carries so that nobody has to add them up. */
export interface SessionSums {
  total: number;
  analyzed: number;
  failed: number;
  skipped: number;
  held: Micros;
  spent: Micros;
  unknown: Micros;
  overrun: Micros;
}

const COLUMNS = ["total", "analyzed", "failed", "skipped", "held", "spent", "unknown", "overrun"] as const;

/** What changed, each as [before, after]. */
export type Corrections = Record<string, [number, number]>;

/*
 * $1: the session. A batch without items cannot be worked off; the program deletes such ones. One whose articles wait
 * may have been begun or not.
 */
const TRUTH = `
items AS MATERIALIZED (
  SELECT batch_id, count(*) AS total, count(*) FILTER (WHERE status = 'PROCESSING') AS under_way,
    count(*) FILTER (WHERE status = 'PENDING') AS pending, count(*) FILTER (WHERE status = 'ANALYZED') AS analyzed,
    count(*) FILTER (WHERE status = 'FAILED') AS failed, count(*) FILTER (WHERE status = 'SKIPPED') AS skipped
  FROM batch_processing_items WHERE session_id = $1 GROUP BY batch_id
),
calls AS MATERIALIZED (
  SELECT batch_id, coalesce(sum(amount) FILTER (WHERE state = 'HELD'), 0)::bigint AS held, sum(spent)::bigint AS spent,
    coalesce(sum(spent) FILTER (WHERE state = 'UNKNOWN'), 0)::bigint AS unknown, sum(overrun)::bigint AS overrun
  FROM paid_calls WHERE session_id = $1 GROUP BY batch_id
),
wrong_batches AS MATERIALIZED (
  SELECT * FROM (
    SELECT b.batch_id, b.batch_number, b.status AS was_status, b.finished_at IS NOT NULL AS was_finished,
      jsonb_build_object('total', b.total, 'processed', b.processed, 'failed', b.failed, 'skipped', b.skipped,
        'actual_cost', b.actual_cost) AS was,
      jsonb_build_object('total', coalesce(i.total, 0), 'processed', coalesce(i.analyzed, 0),
        'failed', coalesce(i.failed, 0), 'skipped', coalesce(i.skipped, 0),
        'actual_cost', coalesce(c.spent + c.overrun, 0)) AS now,
      coalesce(i.pending + i.under_way, 0) = 0 AS finished,
      batch_status(CASE WHEN i.under_way > 0 OR b.status = 'PROCESSING' THEN 'PROCESSING' ELSE 'PENDING' END,
        coalesce(i.total, 0), coalesce(i.analyzed, 0), coalesce(i.failed, 0), coalesce(i.skipped, 0)) AS status
    FROM batch_processing_records b LEFT JOIN items i USING (batch_id) LEFT JOIN calls c USING (batch_id)
    WHERE b.session_id = $1
  ) every
  WHERE was <> now OR was_status <> status OR was_finished <> finished
),
sums AS MATERIALIZED (
  SELECT coalesce(sum(total), 0)::bigint AS total, coalesce(sum(analyzed), 0)::bigint AS analyzed,
    coalesce(sum(failed), 0)::bigint AS failed, coalesce(sum(skipped), 0)::bigint AS skipped,
    coalesce(sum(pending), 0)::bigint AS pending,
    (SELECT coalesce(sum(held), 0)::bigint FROM calls) AS held,
    (SELECT coalesce(sum(spent), 0)::bigint FROM calls) AS spent,
    (SELECT coalesce(sum(unknown), 0)::bigint FROM calls) AS unknown,
    (SELECT coalesce(sum(overrun), 0)::bigint FROM calls) AS overrun
  FROM items
)`;

/*
 * All in one statement, so all of one moment: no lock is needed to see that something is wrong.
 *
 * An ended session may not have articles that wait, and its state must be the one that its articles make. Only a
 * cancelled one may still have articles under way.
 */
const CHECK = `
WITH ${TRUTH}
SELECT (SELECT count(*) FROM wrong_batches) > 0
  OR (s.total, s.analyzed, s.failed, s.skipped, s.held, s.spent, s.unknown, s.overrun)
    IS DISTINCT FROM (t.total, t.analyzed, t.failed, t.skipped, t.held, t.spent, t.unknown, t.overrun)
  OR CASE s.status
    WHEN 'CANCELLED' THEN t.pending > 0
    WHEN 'COMPLETED' THEN t.analyzed < t.total
    WHEN 'PARTIAL' THEN t.analyzed IN (0, t.total) OR t.analyzed + t.failed + t.skipped < t.total
    WHEN 'FAILED' THEN t.analyzed > 0 OR t.failed + t.skipped < t.total
    ELSE false END AS wrong
FROM batch_processing_sessions s, sums t
WHERE s.session_id = $1`;

/**
 * Whether anything is wrong with the session. Reads all its items and calls: for 100,000 articles with 200,000 calls
 * 0.2 s on a server, 0.5 s on the embedded database.
 */
export async function isOutOfBalance(db: Queryable, sessionId: string): Promise<boolean> {
  const { rows: [row] } = await db.query<{ wrong: boolean }>(CHECK, [sessionId]);
  return row?.wrong ?? false;
}

const REPAIR_BATCHES = `
WITH ${TRUTH},
repaired AS (
  UPDATE batch_processing_records b
  SET total = (w.now ->> 'total')::integer, processed = (w.now ->> 'processed')::integer,
    failed = (w.now ->> 'failed')::integer, skipped = (w.now ->> 'skipped')::integer,
    actual_cost = (w.now ->> 'actual_cost')::bigint, status = w.status,
    finished_at = CASE WHEN w.finished THEN coalesce(b.finished_at, now()) END
  FROM wrong_batches w WHERE b.batch_id = w.batch_id
),
told AS (
  INSERT INTO session_events (session_id, batch_id, actor, action, from_state, to_state, detail)
  SELECT $1, batch_id, $2, 'counters_repaired', CASE WHEN was_status <> status THEN was_status END,
    CASE WHEN was_status <> status THEN status END,
    jsonb_build_object('batch', batch_number, 'before', was, 'after', now)
  FROM wrong_batches
)
SELECT count(*) AS batches FROM wrong_batches`;

/** Needs the session's lock. Brings every batch in line with its items and calls; says how many were not. */
export async function repairBatches(tx: Queryable, sessionId: string, actor: string): Promise<number> {
  const { rows: [{ batches }] } = await tx.query<{ batches: number }>(REPAIR_BATCHES, [sessionId, actor]);
  return batches;
}

/**
 * Needs the session's lock. The ledger is the truth, also when it says that more was spent than the budget allows: then
 * the budget becomes exactly that, as the constraint wants it, and nothing more is spent. Returns what was changed.
 */
export async function repairSums(tx: Queryable, session: Session, actor: string): Promise<Corrections> {
  const { session_id: sessionId } = session;
  const { rows: [truth] } = await tx.query<SessionSums>(
    `WITH ${TRUTH} SELECT ${COLUMNS.join(", ")} FROM sums`,
    [sessionId],
  );
  const after = { ...truth, budget: Math.max(session.budget, truth.spent + truth.held) };
  const corrections: Corrections = {};
  for (const column of [...COLUMNS, "budget"] as const) {
    if (session[column] !== after[column]) corrections[column] = [session[column], after[column]];
  }
  if (Object.keys(corrections).length === 0) return corrections;
  await tx.query(
    `UPDATE batch_processing_sessions SET total = $2, analyzed = $3, failed = $4, skipped = $5, held = $6, spent = $7,
       unknown = $8, overrun = $9, budget = $10
     WHERE session_id = $1`,
    [sessionId, ...COLUMNS.map((column) => after[column]), after.budget],
  );
  await writeEvent(tx, { sessionId, actor, action: "counters_repaired", detail: { corrections } });
  return corrections;
}

/** The figures behind /metrics, each one cheap statement: Postgres is the truth, so any process can be asked. */
import type { Queryable } from "../database/port.ts";

export interface SpendFigure {
  provider: string;
  model: string;
  kind: string;
  simulated: boolean;
  calls: number;
  spent: number;
  overrun: number;
}

export interface DeskFigures {
  sessions: { status: string; n: number }[];
  totals: {
    analyzed: number;
    failed: number;
    skipped: number;
    retries: number;
    ungrounded: number;
    stale: number;
  };
  live: { budget: number; spent: number; held: number; failed: number; ended: number } | null;
  queue: { due: number; waiting: number; processing: number; oldest_due_seconds: number };
  unknown: { simulated: boolean; calls: number; spent: number }[];
  days: { simulated: boolean; budget: number | null; spent: number; held: number }[];
  last_success: number | null;
  alerts: { level: string; open: number; kept: number }[];
  crons: { job: string; last_ok: number | null; failures: number }[];
  workers: number;
}

/**
 * What live sessions have before them, from what sessions and batches count anyway: counting the articles read all of
 * them, 50 ms a scrape in a session of 100,000. An article waits with its batch, or after a failure by itself.
 */
const QUEUE = `
SELECT coalesce(sum(s.total - s.analyzed - s.failed - s.skipped), 0) AS open,
  coalesce(sum((SELECT count(*) FROM batch_processing_items i
    WHERE i.session_id = s.session_id AND i.status = 'PROCESSING')), 0) AS under_way,
  coalesce(sum((SELECT coalesce(sum(b.total - b.processed - b.failed - b.skipped), 0) FROM batch_processing_records b
    WHERE b.session_id = s.session_id AND b.not_before > now())
    + (SELECT count(*) FROM batch_processing_items i JOIN batch_processing_records b USING (batch_id)
      WHERE i.session_id = s.session_id AND i.status = 'PENDING' AND i.error_class IS NOT NULL
        AND i.not_before > now() AND b.not_before <= now())), 0) AS waiting,
  max(extract(epoch FROM now() - (SELECT min(i.not_before) FROM batch_processing_items i
    WHERE i.session_id = s.session_id AND i.status = 'PENDING'))) FILTER (WHERE s.status = 'PROCESSING') AS oldest_due
FROM batch_processing_sessions s WHERE s.status IN ('INITIATED', 'PROCESSING', 'PAUSED')`;

/** What every session but the newest ones says never changes much: one pass over the sessions, not over their calls. */
export async function readFigures(db: Queryable): Promise<DeskFigures> {
  const { rows: [row] } = await db.query<{ figures: DeskFigures }>(
    `SELECT jsonb_build_object(
      'sessions', (SELECT coalesce(jsonb_agg(t), '[]') FROM
        (SELECT status, count(*) AS n FROM batch_processing_sessions GROUP BY status) t),
      'totals', (SELECT jsonb_build_object('analyzed', coalesce(sum(analyzed), 0), 'failed', coalesce(sum(failed), 0),
        'skipped', coalesce(sum(skipped), 0), 'retries', coalesce(sum(retries), 0),
        'ungrounded', coalesce(sum(ungrounded), 0), 'stale', coalesce(sum(stale_writes), 0))
        FROM batch_processing_sessions),
      'live', (SELECT jsonb_build_object('budget', budget, 'spent', spent, 'held', held, 'failed', failed,
        'ended', analyzed + failed) FROM batch_processing_sessions
        WHERE status IN ('INITIATED', 'PROCESSING', 'PAUSED') ORDER BY status = 'PROCESSING' DESC, number DESC LIMIT 1),
      'queue', (SELECT jsonb_build_object('due', greatest(0, open - under_way - waiting), 'waiting', waiting,
        'processing', (SELECT count(*) FROM batch_processing_items WHERE status = 'PROCESSING'),
        'oldest_due_seconds', coalesce(oldest_due, 0)) FROM (${QUEUE}) queue),
      'unknown', (SELECT coalesce(jsonb_agg(t), '[]') FROM (SELECT simulated, count(*) AS calls, sum(spent) AS spent
        FROM paid_calls WHERE state = 'UNKNOWN' GROUP BY simulated) t),
      'days', (SELECT coalesce(jsonb_agg(t), '[]') FROM (SELECT simulated, budget, spent, held FROM day_budgets
        WHERE day = (now() AT TIME ZONE 'UTC')::date) t),
      'last_success', (SELECT extract(epoch FROM max(created_at)) FROM article_analyses
        WHERE analysis_id > (SELECT coalesce(max(analysis_id), 0) - 1000 FROM article_analyses)),
      'alerts', (SELECT coalesce(jsonb_agg(t), '[]') FROM (SELECT level,
        count(*) FILTER (WHERE lasting AND resolved_at IS NULL) AS open, count(*) AS kept
        FROM alerts GROUP BY level) t),
      'crons', (SELECT coalesce(jsonb_agg(t), '[]') FROM
        (SELECT job, extract(epoch FROM last_ok_at) AS last_ok, failures FROM crons) t),
      'workers', (SELECT count(*) FROM workers WHERE role <> 'web' AND seen_at > now() - interval '10 s')
    ) AS figures`,
  );
  return row.figures;
}

/** Articles that nobody has read: an entry of the index each. */
export async function countUnread(db: Queryable): Promise<number> {
  const { rows: [{ unread }] } = await db.query<{ unread: number }>(
    "SELECT count(*) AS unread FROM articles WHERE analyzed_at IS NULL AND given_up IS NULL AND status = 'ACTIVE'",
  );
  return unread;
}

/**
 * Spend by use of the calls that have ended and were held on the days of the span. How such a call ended stays: a held
 * one has no bill and perhaps another model, an unknown one may turn out unpaid, and either would let a counter fall.
 * @param from First UTC day, null: from the beginning. @param to First day after it, null: to now.
 */
export async function readSpend(
  db: Queryable,
  from: string | null,
  to: string | null,
): Promise<SpendFigure[]> {
  const { rows } = await db.query<SpendFigure>(
    `SELECT provider, coalesce(answered_model, model) AS model, kind, simulated, count(*) AS calls,
       sum(spent)::bigint AS spent, sum(overrun)::bigint AS overrun
     FROM paid_calls
     WHERE state IN ('SETTLED', 'RELEASED') AND ($1::date IS NULL OR day >= $1) AND ($2::date IS NULL OR day < $2)
     GROUP BY 1, 2, 3, 4 ORDER BY min(call_id)`,
    [from, to],
  );
  return rows;
}

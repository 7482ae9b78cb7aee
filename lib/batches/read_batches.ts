/** The batches of a session: those at work and next to it, or a page of all of them. */
import type { Queryable } from "../database/port.ts";
import type { Micros } from "../money.ts";

export interface BatchRow {
  batch_number: number;
  status: string;
  total: number;
  processed: number;
  failed: number;
  skipped: number;
  estimated_cost: Micros;
  actual_cost: Micros;
  error: string | null;
  started_at: Date | null;
  finished_at: Date | null;
}

export interface BatchesAtWork {
  /** In order; all of a session that has no more than `MOST_BATCHES`. */
  batches: BatchRow[];
  /** Of the session. */
  batch_count: number;
}

/** Nobody reads more at once; a session of 100,000 articles has 10,000. */
export const MOST_BATCHES = 100;

const COLUMNS =
  `batch_number, status, total, processed, failed, skipped, estimated_cost, actual_cost, error, started_at,
  finished_at`;

/** Those around the first one that is not done, or the last ones when all are: what people ask about. */
export async function readBatchesAtWork(db: Queryable, sessionId: string): Promise<BatchesAtWork> {
  const { rows } = await db.query<BatchRow & { batch_count: number }>(
    `WITH every AS (
       SELECT count(*) AS batch_count, max(batch_number) AS last,
         min(batch_number) FILTER (WHERE status IN ('PENDING', 'PROCESSING')) AS open
       FROM batch_processing_records WHERE session_id = $1
     )
     SELECT e.batch_count, ${COLUMNS} FROM every e, batch_processing_records
     WHERE session_id = $1
       AND batch_number >= greatest(1, least(coalesce(e.open, e.last) - $2 / 2, e.last - $2 + 1))
     ORDER BY batch_number LIMIT $2`,
    [sessionId, MOST_BATCHES],
  );
  return {
    batches: rows.map(({ batch_count: _, ...batch }) => batch),
    batch_count: rows[0]?.batch_count ?? 0,
  };
}

/** The same again for a smaller place: `most` of them around the first one that is not done, else the last ones. */
export function aroundWork(batches: readonly BatchRow[], most: number): BatchRow[] {
  const open = batches.findIndex(({ status }) => status === "PENDING" || status === "PROCESSING");
  const around = open < 0 ? batches.length - most : open - Math.floor(most / 2);
  const from = Math.max(0, Math.min(around, batches.length - most));
  return batches.slice(from, from + most);
}

export interface BatchPage {
  /** Number after which the page begins; 0 for the first. */
  after?: number;
  limit: number;
}

export async function listBatches(db: Queryable, sessionId: string, page: BatchPage): Promise<BatchRow[]> {
  const { rows } = await db.query<BatchRow>(
    `SELECT ${COLUMNS} FROM batch_processing_records
     WHERE session_id = $1 AND batch_number > $2 ORDER BY batch_number LIMIT $3`,
    [sessionId, page.after ?? 0, page.limit],
  );
  return rows;
}

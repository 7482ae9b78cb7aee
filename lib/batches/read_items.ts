/** The articles of a session, a page at a time: what became of each, and what it cost. */
import type { Queryable } from "../database/port.ts";
import type { Micros } from "../money.ts";
import type { ItemStatus } from "../budget/ledger/ledger.ts";

export interface SessionArticle {
  /** Order of work; the cursor of the next page. */
  position: number;
  batch_number: number;
  article_id: number;
  title: string;
  source: string;
  status: ItemStatus;
  /** Why it was skipped. */
  reason: string | null;
  attempts: number;
  recoveries: number;
  error_class: string | null;
  error: string | null;
  permanent: boolean;
  /** Charged for it in this session, unknown outcomes and overrun included. */
  cost: Micros;
  /** Of the analysis that this session made; null: none. */
  sentiment: string | null;
  signal_strength: number | null;
  updated_at: Date;
}

export interface ItemPage {
  status?: ItemStatus | null;
  /** Position after which the page begins; 0 for the first. */
  after?: number;
  limit: number;
}

/** The batches whose counters say that they have articles of the state $3, null: of any. */
const MATCHING =
  `CASE WHEN $3::text IS NULL THEN total WHEN $3 = 'ANALYZED' THEN processed WHEN $3 = 'FAILED' THEN failed
  WHEN $3 = 'SKIPPED' THEN skipped ELSE total - processed - failed - skipped END`;

/*
 * No index has the order of work: it would cost an entry with every claim and settlement. The batches stand in that
 * order and count their articles, so they say where a page of articles is: in as many as have enough of them, and some
 * more, since the first may begin before the page and what waits is counted together with what is under way. In a
 * session of 100,000 in 10,000 batches 9 ms, failed articles too; sorting the articles took 30 to 50 ms. The session
 * of an analysis is compared in a form that no index serves: before there are statistics that index seemed as good.
 */
const IN_BATCHES = `
WITH session AS MATERIALIZED (
  SELECT coalesce((settings ->> 'batchSize')::integer, 2000000000) AS batch_size FROM batch_processing_sessions
  WHERE session_id = $1
),
counted AS (
  SELECT batch_id, batch_number, ${MATCHING} AS matching FROM batch_processing_records
  WHERE session_id = $1 AND batch_number > $2 / (SELECT batch_size FROM session)
),
chosen AS MATERIALIZED (
  SELECT batch_id FROM (
    SELECT batch_id, sum(matching) OVER (ORDER BY batch_number) - matching AS before FROM counted WHERE matching > 0
  ) running
  WHERE before < $4 + (SELECT batch_size FROM session) + (SELECT count(*) FROM batch_processing_items
    WHERE session_id = $1 AND status = 'PROCESSING')
)`;
const OF_CHOSEN = `i.article_id = ANY (ARRAY(SELECT unnest(article_ids) FROM batch_processing_records
  WHERE batch_id = ANY (ARRAY(SELECT batch_id FROM chosen))))`;

export async function listItems(db: Queryable, sessionId: string, page: ItemPage): Promise<SessionArticle[]> {
  // The few that are under way have an index of their own.
  const underWay = page.status === "PROCESSING";
  const { rows } = await db.query<SessionArticle>(
    `${underWay ? "" : IN_BATCHES}
     SELECT i.position, b.batch_number, i.article_id, a.title, a.source, i.status, i.reason, i.attempts, i.recoveries,
       i.error_class, i.error, i.permanent, coalesce(c.cost, 0)::bigint AS cost, n.sentiment, n.signal_strength,
       i.updated_at
     FROM (
       SELECT * FROM batch_processing_items i
       WHERE i.session_id = $1 AND i.position > $2 AND ($3::text IS NULL OR i.status = $3)
         AND ${underWay ? "i.status = 'PROCESSING'" : OF_CHOSEN}
       ORDER BY i.position LIMIT $4
     ) i
     JOIN batch_processing_records b USING (batch_id)
     JOIN articles a ON a.id = i.article_id
     LEFT JOIN LATERAL (SELECT sum(spent + overrun) AS cost FROM paid_calls WHERE paid_calls.article_id = i.article_id
       AND paid_calls.item_id = i.item_id) c ON true
     LEFT JOIN LATERAL (SELECT sentiment, signal_strength FROM article_analyses n
       WHERE n.article_id = i.article_id AND n.session_id IS NOT DISTINCT FROM i.session_id
       ORDER BY version DESC LIMIT 1) n ON true
     ORDER BY i.position`,
    [sessionId, page.after ?? 0, page.status ?? null, page.limit],
  );
  return rows;
}

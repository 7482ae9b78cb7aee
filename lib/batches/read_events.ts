/** The audit trail of a session, a page at a time. */
import type { Queryable } from "../database/port.ts";

export interface TrailEvent {
  /** Grows with time inside a session: every event is written under the session's row lock. */
  event_id: number;
  batch_number: number | null;
  article_id: number | null;
  call_id: number | null;
  actor: string;
  action: string;
  from_state: string | null;
  to_state: string | null;
  detail: Record<string, unknown> | null;
  at: Date;
}

export interface TrailPage {
  /** Only events after this one, oldest first: what is new. */
  after?: number | null;
  /** Only events before this one, newest first: what was earlier. */
  before?: number | null;
  /** Only moves of the session and its batches, without those of single articles. */
  withoutArticles?: boolean;
  /** Only moves of the session itself. */
  withoutBatches?: boolean;
  limit: number;
}

/** With `after` oldest first, else newest first. */
export async function listEvents(db: Queryable, sessionId: string, page: TrailPage): Promise<TrailEvent[]> {
  const forward = page.after !== null && page.after !== undefined;
  const { rows } = await db.query<TrailEvent>(
    `SELECT e.event_id, b.batch_number, i.article_id, e.call_id, e.actor, e.action, e.from_state, e.to_state, e.detail, e.at
     FROM session_events e
     LEFT JOIN batch_processing_records b ON b.batch_id = e.batch_id
     LEFT JOIN batch_processing_items i ON i.item_id = e.item_id
     WHERE e.session_id = $1 AND e.event_id > $2 AND e.event_id < $3 AND (NOT $4 OR e.item_id IS NULL)
       ${page.withoutBatches ? "AND e.batch_id IS NULL AND e.item_id IS NULL" : ""}
     ORDER BY e.event_id ${forward ? "ASC" : "DESC"} LIMIT $5`,
    [
      sessionId,
      page.after ?? 0,
      page.before ?? Number.MAX_SAFE_INTEGER,
      page.withoutArticles ?? false,
      page.limit,
    ],
  );
  return rows;
}

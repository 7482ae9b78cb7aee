/** Which sessions a worker would find something to do in. */
import type { Queryable } from "../database/port.ts";

/** Numbers of the sessions at work that have an article due now, oldest first. */
export async function findDueSessions(db: Queryable, now?: Date): Promise<number[]> {
  const { rows } = await db.query<{ number: number }>(
    `SELECT number FROM batch_processing_sessions s
     WHERE status = 'PROCESSING' AND EXISTS (
       SELECT FROM batch_processing_items i
       WHERE i.session_id = s.session_id AND i.status = 'PENDING'
         AND i.not_before <= coalesce($1::timestamptz, now())
     )
     ORDER BY number`,
    [now ?? null],
  );
  return rows.map(({ number }) => number);
}

/** A history for the web bench. */
import type { Database } from "../../lib/database/port.ts";

/** Ended sessions of 200 articles with their calls, as a year of nights leaves them. */
export async function addOldSessions(db: Database, count: number): Promise<void> {
  await db.query(
    `INSERT INTO batch_processing_sessions (number, status, provider, model, simulated, budget, spent, estimated_cost,
       worst_cost, total, analyzed, settings, started_by, created_at, started_at, finished_at)
     SELECT n, 'COMPLETED', 'gemini', 'gemini-3.1-flash-lite', false, 300000, 200000, 260000, 900000, 200, 200, '{}',
       'bench', now() - ($1 - n + 2) * interval '8 hours', now() - ($1 - n + 2) * interval '8 hours',
       now() - ($1 - n + 2) * interval '8 hours' + interval '10 minutes'
     FROM generate_series(1, $1::integer) AS n`,
    [count],
  );
  await db.query(
    `WITH batches AS (
       INSERT INTO batch_processing_records (session_id, batch_number, article_ids, status, not_before, estimated_cost,
         total, processed)
       SELECT session_id, 1, '{}', 'COMPLETED', created_at, 260000, 200, 200 FROM batch_processing_sessions
       RETURNING batch_id, session_id
     ),
     items AS (
       INSERT INTO batch_processing_items (session_id, batch_id, article_id, position, status, max_attempts, not_before,
         worst_case)
       SELECT session_id, batch_id, (SELECT min(id) FROM articles) + n, n, 'ANALYZED', 3, now(), 4000
       FROM batches, generate_series(1, 200) AS n
       RETURNING item_id, session_id, batch_id, article_id
     )
     INSERT INTO paid_calls (session_id, batch_id, item_id, article_id, attempt, kind, provider, model, simulated,
       state, amount, spent, input_tokens, output_tokens, day, lease_token, held_at, ended_at)
     SELECT session_id, batch_id, item_id, article_id, 1, 'analysis', 'gemini', 'gemini-3.1-flash-lite', false, 'SETTLED',
       4000, 1000, 2000, 400, s.created_at::date, gen_random_uuid(), s.created_at, s.created_at
     FROM items JOIN batch_processing_sessions s USING (session_id)`,
  );
  await db.query("ANALYZE");
}

/** Calls that are out although nobody has the claim they were made under: their outcome is unknown for good. */
import type { Queryable } from "../../database/port.ts";
import type { DayName } from "./day_books.ts";

const ORPHANED = `FROM paid_calls c
  LEFT JOIN batch_processing_items i ON i.item_id = c.item_id AND i.lease_token = c.lease_token
    AND i.status = 'PROCESSING'
  WHERE c.state = 'HELD' AND i.item_id IS NULL`;

/** Reads the calls that are out, nothing more. */
export async function findOrphanedSessions(db: Queryable): Promise<Set<string>> {
  const { rows } = await db.query<{ session_id: string }>(`SELECT DISTINCT c.session_id ${ORPHANED}`);
  return new Set(rows.map((row) => row.session_id));
}

const GIVE_UP = `
WITH chosen AS MATERIALIZED (
  SELECT call_id, batch_id, item_id, article_id, kind, amount, day, simulated FROM paid_calls
  WHERE call_id IN (SELECT c.call_id ${ORPHANED} AND c.session_id = $1)
  ORDER BY call_id
  FOR UPDATE
),
ended AS (
  UPDATE paid_calls c
  SET state = 'UNKNOWN', spent = c.amount, ended_at = now(), failure = 'claim_lost',
    detail = 'nobody has the claim that it was made under'
  FROM chosen x WHERE c.call_id = x.call_id
),
analyses AS (
  UPDATE article_analyses a SET cost = a.cost + t.amount
  FROM (SELECT article_id, sum(amount)::bigint AS amount FROM chosen WHERE kind <> 'analysis' GROUP BY article_id) t
  WHERE a.session_id = $1 AND a.article_id = t.article_id
),
told AS (
  INSERT INTO session_events (session_id, batch_id, item_id, call_id, actor, action, detail)
  SELECT $1, batch_id, item_id, call_id, $2, 'call_orphaned', jsonb_build_object('call', 'UNKNOWN', 'spent', amount)
  FROM chosen
)
SELECT DISTINCT day::text, simulated, (SELECT count(*) FROM chosen) AS calls FROM chosen`;

/**
 * Needs the session's lock. Changes the calls only: the sums of the session and of the days that it returns must be
 * repaired in the same transaction.
 */
export async function giveUpOrphans(
  tx: Queryable,
  sessionId: string,
  actor: string,
): Promise<{ calls: number; days: DayName[] }> {
  const { rows } = await tx.query<DayName & { calls: number }>(GIVE_UP, [sessionId, actor]);
  const days = rows.map(({ day, simulated }) => ({ day, simulated }))
    .sort((a, b) => a.day.localeCompare(b.day) || Number(a.simulated) - Number(b.simulated));
  return { calls: rows[0]?.calls ?? 0, days };
}

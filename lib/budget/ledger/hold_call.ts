/** Holds one more call for an item that the worker has claimed: a search, or the validation after it. */
import type { Micros } from "../../money.ts";
import type { Queryable } from "../../database/port.ts";
import type { CallKind } from "./ledger.ts";

export interface HoldRequest {
  sessionId: string;
  itemId: number;
  leaseToken: string;
  worker: string;
  kind: Exclude<CallKind, "analysis">;
  provider: string;
  model: string;
  amount: Micros;
  now?: Date | null;
}

/*
 * Lock order as everywhere: session, item, day. A paused session still lets its articles under way finish, so it
 * may hold; an ended one may not. Why `spent`, `unknown` and `budget` are written too: see hold_items.ts.
 */
const HOLD = `
WITH clock AS MATERIALIZED (SELECT coalesce($9::timestamptz, now()) AS now),
session AS MATERIALIZED (
  SELECT session_id, budget, held, spent, unknown, budget - spent - held AS room, simulated,
    status IN ('PROCESSING', 'PAUSED') AS live
  FROM batch_processing_sessions
  WHERE session_id = $1
  FOR UPDATE
),
item AS MATERIALIZED (
  SELECT i.item_id, i.batch_id, i.article_id, i.attempts
  FROM session s JOIN batch_processing_items i USING (session_id)
  WHERE i.item_id = $2 AND i.lease_token = $3 AND i.status = 'PROCESSING'
  FOR UPDATE OF i
),
today AS MATERIALIZED (
  SELECT d.day, d.budget, d.held, d.spent, coalesce(d.budget - d.spent - d.held, 9223372036854775807) AS room
  FROM session s, item, day_budgets d
  WHERE d.day = ((SELECT now FROM clock) AT TIME ZONE 'UTC')::date AND d.simulated = s.simulated
  FOR UPDATE OF d
),
call AS (
  INSERT INTO paid_calls (session_id, batch_id, item_id, article_id, attempt, kind, provider, model, simulated,
    amount, day, lease_token, held_at)
  SELECT $1, item.batch_id, item.item_id, item.article_id, item.attempts, $5, $6, $7, s.simulated, $8, t.day, $3,
    (SELECT now FROM clock)
  FROM session s, item, today t
  WHERE s.live AND $8 <= least(s.room, t.room)
  RETURNING call_id, batch_id, item_id
),
session_held AS (
  UPDATE batch_processing_sessions b SET held = s.held + $8, spent = s.spent, unknown = s.unknown, budget = s.budget
  FROM session s
  WHERE b.session_id = s.session_id AND EXISTS (SELECT FROM call)
),
day_held AS (
  UPDATE day_budgets d SET held = t.held + $8, spent = t.spent, budget = t.budget
  FROM session s, today t
  WHERE d.day = t.day AND d.simulated = s.simulated AND EXISTS (SELECT FROM call)
),
told AS (
  INSERT INTO session_events (session_id, batch_id, item_id, call_id, actor, action, to_state, detail, at)
  SELECT $1, batch_id, item_id, call_id, $4, 'call_held', 'HELD',
    jsonb_build_object('kind', $5::text, 'amount', $8::bigint), (SELECT now FROM clock)
  FROM call
)
SELECT (SELECT call_id FROM call) AS call_id, EXISTS (SELECT FROM item) AS owned, (SELECT live FROM session) AS live`;

/** Why a call was not held: it does not fit the budget, the session has ended, or the claim is not ours any more. */
export type NotHeld = "no_room" | "ended" | "lost";

/** The id of the held call, or why there is none. */
export async function holdCall(db: Queryable, request: HoldRequest): Promise<number | NotHeld> {
  const { sessionId, itemId, leaseToken, worker, kind, provider, model, amount, now = null } = request;
  const { rows: [row] } = await db.query<{ call_id: number | null; owned: boolean; live: boolean | null }>(
    HOLD,
    [sessionId, itemId, leaseToken, worker, kind, provider, model, amount, now],
  );
  if (row.call_id !== null) return row.call_id;
  if (!row.owned) return "lost";
  return row.live ? "no_room" : "ended";
}

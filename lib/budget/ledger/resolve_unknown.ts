/**
 * An operator's word on calls whose outcome nobody knows: UNKNOWN becomes SETTLED (paid) or RELEASED (not paid), and
 * every sum that had counted them in full follows in the same statement.
 */
import type { Queryable } from "../../database/port.ts";
import type { Micros } from "../../money.ts";

export interface ResolvedCall {
  call_id: number;
  article_id: number;
  state: "SETTLED" | "RELEASED";
  /** What was charged for it until now. */
  amount: Micros;
  /** What is charged from now on. */
  spent: Micros;
  /** Billed above its hold. */
  overrun: Micros;
}

export interface Resolution {
  sessionId: string;
  /** Those of them that are unknown; null: every unknown call of the session. */
  callIds: readonly number[] | null;
  paid: boolean;
  /** What the provider charged; null: nobody knows, so a paid call stays charged in full. */
  bill: Micros | null;
  actor: string;
}

/*
 * Calls first, then days in their order, as everywhere in the ledger. The cost of a search or
 * validation had been added to its article's analysis, that of a lost analysis to none. A bill above the hold is
 * treated as any other: charged at the hold, the rest is overrun, and one of an analysis raises the next holds.
 */
const RESOLVE = `
WITH chosen AS MATERIALIZED (
  SELECT call_id, batch_id, item_id, article_id, kind, amount, day, simulated,
    CASE WHEN $3 THEN 'SETTLED' ELSE 'RELEASED' END AS state,
    CASE WHEN $3 THEN least(coalesce($4::bigint, amount), amount) ELSE 0 END AS spent,
    CASE WHEN $3 THEN greatest(coalesce($4::bigint, amount) - amount, 0) ELSE 0 END AS overrun
  FROM paid_calls
  WHERE session_id = $1 AND state = 'UNKNOWN' AND ($2::bigint[] IS NULL OR call_id = ANY ($2))
  ORDER BY call_id
  FOR UPDATE
),
ended AS (
  UPDATE paid_calls c SET state = x.state, spent = x.spent, overrun = x.overrun
  FROM chosen x WHERE c.call_id = x.call_id
),
analyses AS (
  UPDATE article_analyses a SET cost = a.cost - t.back
  FROM (SELECT article_id, sum(amount - spent - overrun)::bigint AS back FROM chosen
    WHERE kind <> 'analysis' GROUP BY article_id) t
  WHERE a.session_id = $1 AND a.article_id = t.article_id
),
batches AS (
  UPDATE batch_processing_records b SET actual_cost = b.actual_cost - t.back
  FROM (SELECT batch_id, sum(amount - spent - overrun)::bigint AS back FROM chosen GROUP BY batch_id) t
  WHERE b.batch_id = t.batch_id
),
per_day AS MATERIALIZED (
  SELECT day, simulated, sum(amount - spent)::bigint AS back FROM chosen GROUP BY day, simulated
),
locked_days AS MATERIALIZED (
  SELECT d.day, d.simulated FROM day_budgets d
  WHERE (d.day, d.simulated) IN (SELECT day, simulated FROM per_day)
  ORDER BY d.day, d.simulated
  FOR UPDATE
),
days AS (
  UPDATE day_budgets d SET spent = d.spent - t.back
  FROM locked_days l JOIN per_day t USING (day, simulated)
  WHERE d.day = l.day AND d.simulated = l.simulated
),
totals AS (
  UPDATE batch_processing_sessions s
  SET spent = s.spent - t.back, unknown = s.unknown - t.amount, overrun = s.overrun + t.overrun,
    hold_permille = greatest(s.hold_permille, least(1000000, t.permille * s.hold_permille / 1000))
  FROM (
    SELECT sum(amount)::bigint AS amount, sum(amount - spent)::bigint AS back, sum(overrun)::bigint AS overrun,
      coalesce(max((1000 * (amount + overrun) + amount - 1) / nullif(amount, 0))
        FILTER (WHERE overrun > 0 AND kind = 'analysis'), 1000) AS permille
    FROM chosen
  ) t
  WHERE s.session_id = $1 AND t.amount IS NOT NULL
),
told AS (
  INSERT INTO session_events (session_id, batch_id, item_id, call_id, actor, action, from_state, to_state, detail)
  SELECT $1, batch_id, item_id, call_id, $5, 'unknown_resolved', 'UNKNOWN', state,
    jsonb_strip_nulls(jsonb_build_object('kind', kind, 'amount', amount, 'spent', spent, 'overrun', nullif(overrun, 0)))
  FROM chosen
)
SELECT call_id, article_id, state, amount, spent, overrun FROM chosen ORDER BY call_id`;

/** Needs the session's lock. Returns what it changed: nothing for calls that are not UNKNOWN (any more). */
export async function resolveCalls(tx: Queryable, resolution: Resolution): Promise<ResolvedCall[]> {
  const { sessionId, callIds, paid, bill, actor } = resolution;
  const { rows } = await tx.query<ResolvedCall>(RESOLVE, [sessionId, callIds, paid, bill, actor]);
  return rows;
}

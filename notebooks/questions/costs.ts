/**
 * What was paid, for what. Cost is what was charged within the budgets (`spent`, unknown outcomes in full) and what was
 * billed above the holds (`overrun`), in micro-dollars; all sums are made by the database.
 */
import type { SessionStatus } from "../../lib/batches/types.ts";
import type { Queryable } from "../../lib/database/port.ts";
import type { Micros } from "../../lib/money.ts";
import { IN_SCOPE, type Scope, scopeParams } from "./scope.ts";

const COST = "coalesce(sum(c.spent + c.overrun), 0)::bigint";

export interface Totals {
  calls: number;
  sessions: number;
  /** That got an analysis in this time. */
  articles: number;
  cost: Micros;
  /** Within the budgets. */
  spent: Micros;
  overrun: Micros;
  /** Part of `spent`: nobody knows how these calls ended. */
  unknown: Micros;
  /** Calls that were billed for nothing: failed, or repeated because of a failure. */
  wasted: Micros;
}

export async function readTotals(db: Queryable, scope: Scope): Promise<Totals> {
  const { rows: [totals] } = await db.query<Totals>(
    `SELECT count(*) AS calls, count(DISTINCT c.session_id) AS sessions, ${COST} AS cost,
       coalesce(sum(c.spent), 0)::bigint AS spent, coalesce(sum(c.overrun), 0)::bigint AS overrun,
       coalesce(sum(c.spent) FILTER (WHERE c.state = 'UNKNOWN'), 0)::bigint AS unknown,
       coalesce(sum(c.spent + c.overrun) FILTER (WHERE c.state = 'SETTLED' AND c.failure IS NOT NULL), 0)::bigint AS wasted,
       count(DISTINCT c.item_id) FILTER (WHERE c.kind = 'analysis' AND c.state = 'SETTLED' AND c.failure IS NULL) AS articles
     FROM paid_calls c WHERE ${IN_SCOPE}`,
    scopeParams(scope),
  );
  return totals as Totals;
}

/** For `spendByDay`. */
export interface DayUse {
  day: string;
  /** analysis, search or validation. */
  use: string;
  spent: Micros;
}

export async function readDays(db: Queryable, scope: Scope): Promise<DayUse[]> {
  const { rows } = await db.query<DayUse>(
    `SELECT c.day::text AS day, c.kind AS use, ${COST} AS spent
     FROM paid_calls c WHERE ${IN_SCOPE} GROUP BY c.day, c.kind ORDER BY c.day, c.kind`,
    scopeParams(scope),
  );
  return rows;
}

/** The cap that the newest day in scope has; null: none. */
export async function readDayCap(db: Queryable, scope: Scope): Promise<Micros | null> {
  const { rows: [row] } = await db.query<{ budget: Micros | null }>(
    `SELECT budget FROM day_budgets WHERE day BETWEEN $1::date AND $2::date AND simulated = $3
     ORDER BY day DESC LIMIT 1`,
    scopeParams(scope),
  );
  return row?.budget ?? null;
}

export interface UseCost {
  provider: string;
  /** analysis, search, validation. */
  kind: string;
  model: string;
  calls: number;
  articles: number;
  input_tokens: number;
  output_tokens: number;
  credits: number;
  cost: Micros;
}

export async function readUses(db: Queryable, scope: Scope): Promise<UseCost[]> {
  const { rows } = await db.query<UseCost>(
    `SELECT c.provider, c.kind, coalesce(c.answered_model, c.model) AS model, count(*) AS calls,
       count(DISTINCT c.article_id) AS articles, coalesce(sum(c.input_tokens), 0)::bigint AS input_tokens,
       coalesce(sum(c.output_tokens), 0)::bigint AS output_tokens, coalesce(sum(c.credits), 0)::bigint AS credits,
       ${COST} AS cost
     FROM paid_calls c WHERE ${IN_SCOPE}
     GROUP BY 1, 2, 3 ORDER BY cost DESC, 1, 2, 3`,
    scopeParams(scope),
  );
  return rows;
}

export interface SessionCost {
  number: number;
  started_at: Date;
  model: string;
  status: SessionStatus;
  reason: string | null;
  research: string;
  total: number;
  analyzed: number;
  /** Left out because the budget had no room. */
  left_out: number;
  budget: Micros;
  spent: Micros;
  overrun: Micros;
  unknown: Micros;
  /** Part of `spent` and `overrun` that falls in this time; the sum over all sessions is the total. */
  cost: Micros;
  /** Expected for all its articles when it was started. */
  expected: Micros;
}

/** Sessions that called something in this time, oldest first. */
export async function readSessions(db: Queryable, scope: Scope): Promise<SessionCost[]> {
  const { rows } = await db.query<SessionCost>(
    `SELECT s.number, s.started_at, s.model, s.status, s.reason, s.settings ->> 'research' AS research, s.total,
       s.analyzed, s.budget, s.spent, s.overrun, s.unknown, called.cost, s.estimated_cost AS expected,
       (SELECT count(*) FROM batch_processing_items i WHERE i.session_id = s.session_id AND i.status = 'SKIPPED'
         AND i.reason IN ('budget', 'day_budget')) AS left_out
     FROM (SELECT c.session_id, ${COST} AS cost FROM paid_calls c WHERE ${IN_SCOPE} GROUP BY c.session_id) called
     JOIN batch_processing_sessions s USING (session_id)
     ORDER BY s.number`,
    scopeParams(scope),
  );
  return rows;
}

export interface BatchCost {
  number: number;
  batch_number: number;
  status: string;
  total: number;
  processed: number;
  expected: Micros;
  /** Of its calls in this time. */
  cost: Micros;
  /** Of all its calls. */
  whole: Micros;
}

/** Batches that called something in this time, in their order. */
export async function readBatches(db: Queryable, scope: Scope): Promise<BatchCost[]> {
  const { rows } = await db.query<BatchCost>(
    `SELECT s.number, b.batch_number, b.status, b.total, b.processed, b.estimated_cost AS expected, called.cost,
       b.actual_cost AS whole
     FROM (SELECT c.batch_id, ${COST} AS cost FROM paid_calls c WHERE ${IN_SCOPE} GROUP BY c.batch_id) called
     JOIN batch_processing_records b USING (batch_id)
     JOIN batch_processing_sessions s USING (session_id)
     ORDER BY s.number, b.batch_number`,
    scopeParams(scope),
  );
  return rows;
}

/** What was paid, for what: the ledger summed for people. All sums are made by the database on whole micro-dollars. */
import type { Queryable } from "../database/port.ts";
import type { Micros } from "../money.ts";

export interface CostLine {
  calls: number;
  articles: number;
  spent: Micros;
  overrun: Micros;
  /** Part of `spent` whose outcome nobody knows. */
  unknown: Micros;
  held: Micros;
  input_tokens: number;
  output_tokens: number;
  credits: number;
  simulated: boolean;
}

export interface DayCost extends CostLine {
  day: string;
}

export interface UseCost extends CostLine {
  provider: string;
  model: string;
  kind: string;
}

export interface DayKindCost extends DayCost {
  kind: string;
}

export interface CostReport {
  days: number;
  total: CostLine[];
  byDay: DayCost[];
  byUse: UseCost[];
  /** For charts; articles are counted once a day and kind. */
  byDayAndKind: DayKindCost[];
}

const SUMS = `count(*) AS calls, count(DISTINCT article_id) AS articles, sum(spent)::bigint AS spent,
  sum(overrun)::bigint AS overrun, coalesce(sum(spent) FILTER (WHERE state = 'UNKNOWN'), 0)::bigint AS unknown,
  coalesce(sum(amount) FILTER (WHERE state = 'HELD'), 0)::bigint AS held,
  coalesce(sum(input_tokens), 0)::bigint AS input_tokens, coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
  coalesce(sum(credits), 0)::bigint AS credits, simulated`;
const SINCE = "day > (now() AT TIME ZONE 'UTC')::date - $1::integer";

/** @param days UTC days up to today. Real and simulated money are never added up. */
export async function readCosts(db: Queryable, days: number): Promise<CostReport> {
  const [total, byDay, byUse, byDayAndKind] = await Promise.all([
    db.query<CostLine>(
      `SELECT ${SUMS} FROM paid_calls WHERE ${SINCE} GROUP BY simulated ORDER BY simulated`,
      [days],
    ),
    db.query<DayCost>(
      `SELECT day::text, ${SUMS} FROM paid_calls WHERE ${SINCE}
       GROUP BY paid_calls.day, simulated ORDER BY paid_calls.day, simulated`,
      [days],
    ),
    db.query<UseCost>(
      `SELECT provider, coalesce(answered_model, model) AS model, kind, ${SUMS} FROM paid_calls WHERE ${SINCE}
       GROUP BY provider, coalesce(answered_model, model), kind, simulated ORDER BY sum(spent) DESC`,
      [days],
    ),
    db.query<DayKindCost>(
      `SELECT day::text, kind, ${SUMS} FROM paid_calls WHERE ${SINCE}
       GROUP BY paid_calls.day, kind, simulated ORDER BY paid_calls.day, kind, simulated`,
      [days],
    ),
  ]);
  return { days, total: total.rows, byDay: byDay.rows, byUse: byUse.rows, byDayAndKind: byDayAndKind.rows };
}

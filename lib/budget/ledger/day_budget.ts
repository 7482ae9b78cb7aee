/** The cap of a UTC day, over all sessions. */
import type { Micros } from "../../money.ts";
import type { Queryable } from "../../database/port.ts";

export interface DayBudget {
  day: string;
  budget: Micros | null;
  held: Micros;
  spent: Micros;
}

/*
 * `configured` is the lowest cap that a process brought along that day; `least` passes over those that bring none.
 * `day_cap` (migration 005) is the cap as an operator changed it, else the configured one. It is asked again when the
 * row was there already: by then the row is locked, so that a change made meanwhile is seen instead of undone.
 */
const ENSURE = `
INSERT INTO day_budgets AS d (day, simulated, budget, configured)
VALUES ((coalesce($3::timestamptz, now()) AT TIME ZONE 'UTC')::date, $1, day_cap($2), $2)
ON CONFLICT (day, simulated) DO UPDATE SET configured = least(d.configured, $2), budget = (
  SELECT CASE WHEN cap IS NOT NULL THEN greatest(cap, d.spent + d.held) END
  FROM day_cap(least(d.configured, $2)) AS cap)
RETURNING day::text, budget, held, spent`;

/**
 * Makes today's row and gives it its cap: what an operator changed it to, else the configured one. Of processes that
 * are configured differently the lowest cap holds for the day, and one without a cap takes nobody's away. A cap below
 * what the day has already used becomes exactly that: a budget cannot be lowered below spent + held.
 */
export async function ensureDay(
  db: Queryable,
  simulated: boolean,
  configured: Micros | null,
  now: Date | null = null,
): Promise<DayBudget> {
  const { rows } = await db.query<DayBudget>(ENSURE, [simulated, configured, now]);
  return rows[0];
}

/** Today's row as it stands; null when nothing was held today. */
export async function readDay(
  db: Queryable,
  simulated: boolean,
  now: Date | null = null,
): Promise<DayBudget | null> {
  const { rows } = await db.query<DayBudget>(
    `SELECT day::text, budget, held, spent FROM day_budgets
     WHERE day = (coalesce($2::timestamptz, now()) AT TIME ZONE 'UTC')::date AND simulated = $1`,
    [simulated, now],
  );
  return rows[0] ?? null;
}

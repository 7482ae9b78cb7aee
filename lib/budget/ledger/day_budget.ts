/** The cap of a UTC day, over all sessions. */
import type { Micros } from "../../money.ts";
import type { Queryable } from "../../database/port.ts";

export interface DayBudget {
  day: string;
  budget: Micros | null;
  held: Micros;
  spent: Micros;
}

/**
 * Makes today's row and gives it the configured cap. A cap below what the day has already used becomes exactly that:
 * a budget cannot be lowered below spent + held.
 */
export async function ensureDay(
  db: Queryable,
  simulated: boolean,
  cap: Micros | null,
  now: Date | null = null,
): Promise<DayBudget> {
  const { rows } = await db.query<DayBudget>(
    `INSERT INTO day_budgets AS d (day, simulated, budget)
     VALUES ((coalesce($3::timestamptz, now()) AT TIME ZONE 'UTC')::date, $1, $2)
     ON CONFLICT (day, simulated) DO UPDATE
       SET budget = CASE WHEN excluded.budget IS NULL THEN NULL ELSE greatest(excluded.budget, d.spent + d.held) END
     RETURNING day::text, budget, held, spent`,
    [simulated, cap, now],
  );
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

/** Compares the sums of days with the ledger, and puts them right. */
import type { Database, Queryable } from "../../database/port.ts";
import { describeRepairedDay } from "../describe_cleanup.ts";
import { writeEvent } from "../../events.ts";
import { alertRepair } from "./alert_repair.ts";
import type { Corrections } from "./session_books.ts";

export interface DayName {
  day: string;
  simulated: boolean;
}

export interface DayRepair extends DayName {
  /** Sums of the day, each as [before, after]. */
  corrections: Corrections;
}

/** All of one moment, so no lock is needed to see that something is wrong. A day with calls must have its row. */
const WRONG_DAYS = `
SELECT coalesce(d.day, c.day)::text AS day, coalesce(d.simulated, c.simulated) AS simulated
FROM (SELECT * FROM day_budgets WHERE $1::date IS NULL OR day >= $1) d
FULL JOIN (
  SELECT day, simulated, coalesce(sum(amount) FILTER (WHERE state = 'HELD'), 0) AS held, sum(spent) AS spent
  FROM paid_calls WHERE $1::date IS NULL OR day >= $1
  GROUP BY day, simulated
) c ON c.day = d.day AND c.simulated = d.simulated
WHERE d.day IS NULL OR d.held <> coalesce(c.held, 0) OR d.spent <> coalesce(c.spent, 0)
ORDER BY 1, 2`;

/** @param since The first day to look at; null: every day. */
export async function repairDays(db: Database, since: string | null, actor: string): Promise<DayRepair[]> {
  const { rows: days } = await db.query<DayName>(WRONG_DAYS, [since]);
  const repairs: DayRepair[] = [];
  for (const day of days) {
    const repair = await db.transaction((tx) => repairDay(tx, day, actor));
    if (repair) repairs.push(repair);
  }
  return repairs;
}

interface DaySums {
  held: number;
  spent: number;
  budget: number | null;
}

/**
 * Locks the day, then adds up its calls: a claim or settlement that is being written waits for the row and counts on
 * from the sums it finds then. A cap below what was used becomes exactly that, as the constraint wants it. Null: there
 * was nothing wrong (any more).
 */
export async function repairDay(
  tx: Queryable,
  { day, simulated }: DayName,
  actor: string,
): Promise<DayRepair | null> {
  await tx.query("INSERT INTO day_budgets (day, simulated) VALUES ($1, $2) ON CONFLICT DO NOTHING", [
    day,
    simulated,
  ]);
  const { rows: [before] } = await tx.query<DaySums>(
    "SELECT held, spent, budget FROM day_budgets WHERE day = $1 AND simulated = $2 FOR UPDATE",
    [day, simulated],
  );
  const { rows: [after] } = await tx.query<DaySums>(
    `UPDATE day_budgets d
     SET held = c.held, spent = c.spent, budget = CASE WHEN d.budget IS NOT NULL THEN greatest(d.budget, c.held + c.spent) END
     FROM (SELECT coalesce(sum(amount) FILTER (WHERE state = 'HELD'), 0)::bigint AS held,
         coalesce(sum(spent), 0)::bigint AS spent
       FROM paid_calls WHERE day = $1 AND simulated = $2) c
     WHERE d.day = $1 AND d.simulated = $2
     RETURNING d.held, d.spent, d.budget`,
    [day, simulated],
  );
  const corrections: Corrections = {};
  for (const column of ["held", "spent", "budget"] as const) {
    const [was, is] = [before[column], after[column]];
    if (was !== null && is !== null && was !== is) corrections[column] = [was, is];
  }
  if (Object.keys(corrections).length === 0) return null;
  const repair = { day, simulated, corrections };
  await writeEvent(tx, {
    sessionId: null,
    actor,
    action: "counters_repaired",
    detail: repair,
  });
  await alertRepair(tx, { day, simulated }, describeRepairedDay(repair));
  return repair;
}

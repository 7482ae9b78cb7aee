/** The caps that hold now and what of them is used: of a session, of the day; and what the month came to. */
import type { Session } from "../batches/types.ts";
import type { Queryable } from "../database/port.ts";
import type { Micros } from "../money.ts";
import { type DayCap, readDayCap } from "./changed_settings.ts";
import { type DayBudget, readDay } from "./ledger/day_budget.ts";

export interface Budgets {
  /** The cap of a session that is started without one. */
  sessionDefault: Micros;
  /** The current session; null: there has been none. */
  session: Session | null;
  /** Which kind of money `day` is of: real, or computed and paid to nobody. */
  simulated: boolean;
  /** Today (UTC); null: nothing was held today. */
  day: DayBudget | null;
  /** The cap of a day; null: none. */
  dayCap: Micros | null;
  /** Null: the cap is as DAY_BUDGET_USD says. */
  dayCapChanged: DayCap["changed"];
  /** What this UTC month was billed, above holds included, unknown outcomes in full. */
  month: { real: Micros; simulated: Micros };
}

export async function readBudgets(
  db: Queryable,
  { session, sessionDefault, configuredDayCap, simulated, now = null }: {
    session: Session | null;
    sessionDefault: Micros;
    configuredDayCap: Micros | null;
    simulated: boolean;
    now?: Date | null;
  },
): Promise<Budgets> {
  const [day, { cap, changed }, { rows: [month] }] = await Promise.all([
    readDay(db, simulated, now),
    readDayCap(db, configuredDayCap),
    db.query<Budgets["month"]>(
      `SELECT coalesce(sum(spent + overrun) FILTER (WHERE NOT simulated), 0)::bigint AS real,
         coalesce(sum(spent + overrun) FILTER (WHERE simulated), 0)::bigint AS simulated
       FROM paid_calls
       WHERE day >= date_trunc('month', coalesce($1::timestamptz, now()) AT TIME ZONE 'UTC')::date
         AND day <= (coalesce($1::timestamptz, now()) AT TIME ZONE 'UTC')::date`,
      [now],
    ),
  ]);
  return { sessionDefault, session, simulated, day, dayCap: cap, dayCapChanged: changed, month };
}

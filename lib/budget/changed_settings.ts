/**
 * Settings that an operator changed at run time: rows of `changed_settings`, which win over the environment in every
 * process until they are set back. The table is append-only, so it is its own history.
 */
import type { Database, Queryable } from "../database/port.ts";
import { UserError } from "../errors.ts";
import { exactUsd, formatUsd, type Micros, parseUsd } from "../money.ts";
import { type DayBudget, ensureDay } from "./ledger/day_budget.ts";

const DAY_CAP = "DAY_BUDGET_USD";

/** A cap for every day; null: no cap, whatever DAY_BUDGET_USD says; "configured": what DAY_BUDGET_USD says. */
export type DayCapChange = Micros | null | "configured";

export interface DayCap {
  /** What holds now; null: no cap. */
  cap: Micros | null;
  /** Who changed it and what the environment says instead; null: it is as configured. */
  changed: { by: string; at: Date; configured: Micros | null } | null;
}

interface ChangeRow {
  value: string | null;
  changed_by: string;
  changed_at: Date;
}

/** The cap that holds, and whether somebody changed it. */
export async function readDayCap(db: Queryable, configured: Micros | null): Promise<DayCap> {
  const row = await newestChange(db);
  if (!row || row.value === null) return { cap: configured, changed: null };
  const changed = { by: row.changed_by, at: row.changed_at, configured };
  return { cap: row.value === "" ? null : parseUsd(row.value), changed };
}

/**
 * Changes the cap of today and every later day, in all processes at once, and returns today's row for this kind of
 * money. Below what today has used it becomes exactly that for today (nothing more is spent), and holds as given from
 * tomorrow. Throws `UserError` for a cap of nothing.
 * @param simulated Which kind of money the returned row is of; the cap holds for either kind on its own.
 */
export async function changeDayCap(
  db: Database,
  change: DayCapChange,
  { configured, simulated, actor, now = null }: {
    configured: Micros | null;
    simulated: boolean;
    actor: string;
    now?: Date | null;
  },
): Promise<DayBudget> {
  if (typeof change === "number" && change <= 0) {
    throw new UserError(`Cannot set the day's budget: it must be over $0, got ${formatUsd(change)}`);
  }
  const value = change === "configured" ? null : change === null ? "" : exactUsd(change);
  return await db.transaction(async (tx) => {
    // Changes take turns, so that each one's `was` is what it replaced. Readers are not kept waiting.
    await tx.query("LOCK TABLE changed_settings IN SHARE ROW EXCLUSIVE MODE");
    const was = (await newestChange(tx))?.value ?? null;
    if (value !== was) {
      await tx.query(
        `INSERT INTO changed_settings (name, was, value, changed_by, changed_at)
         VALUES ($1, $2, $3, $4, coalesce($5::timestamptz, now()))`,
        [DAY_CAP, was, value, actor, now],
      );
    }
    // Both rows, made if need be: whoever makes one meanwhile waits for ours and then sees the change.
    const real = await ensureDay(tx, false, configured, now);
    const pretended = await ensureDay(tx, true, configured, now);
    return simulated ? pretended : real;
  });
}

async function newestChange(db: Queryable): Promise<ChangeRow | undefined> {
  const { rows: [row] } = await db.query<ChangeRow>(
    `SELECT value, changed_by, changed_at FROM changed_settings WHERE name = $1 ORDER BY change_id DESC LIMIT 1`,
    [DAY_CAP],
  );
  return row;
}

/**
 * Writes down at every commit what stood in a session's and a day's row, beside what the calls in the ledger add up to
 * at the same moment, so that a cap that was crossed for an instant is seen too.
 */
import type { Database } from "../../lib/database/port.ts";

export interface MoneySeen {
  /** Rows that commits left behind. */
  commits: number;
  /** The most that was spent and held at once, as a share of the budget. */
  most: number;
  /** Commits that left more than the budget, by the row or by its calls. */
  crossings: number;
  /** Commits whose row said something else than its calls. */
  mismatches: number;
}

/** The triggers run when a transaction is about to commit, behind everything it wrote. */
export async function watchMoney(db: Database): Promise<void> {
  await db.query(
    `CREATE TABLE money_seen (what text NOT NULL, total bigint NOT NULL, calls bigint NOT NULL, budget bigint)`,
  );
  await db.query(`CREATE FUNCTION see_session_money() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO money_seen SELECT 'session', s.spent + s.held, (
        SELECT coalesce(sum(CASE state WHEN 'HELD' THEN amount ELSE spent END), 0) FROM paid_calls c
        WHERE c.session_id = s.session_id), s.budget
      FROM batch_processing_sessions s WHERE s.session_id = NEW.session_id;
      RETURN NULL;
    END $$`);
  await db.query(`CREATE FUNCTION see_day_money() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO money_seen SELECT 'day', d.spent + d.held, (
        SELECT coalesce(sum(CASE state WHEN 'HELD' THEN amount ELSE spent END), 0) FROM paid_calls c
        WHERE c.day = d.day AND c.simulated = d.simulated), d.budget
      FROM day_budgets d WHERE d.day = NEW.day AND d.simulated = NEW.simulated;
      RETURN NULL;
    END $$`);
  for (const [table, what] of [["batch_processing_sessions", "session"], ["day_budgets", "day"]]) {
    await db.query(
      `CREATE CONSTRAINT TRIGGER see_money AFTER INSERT OR UPDATE ON ${table}
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see_${what}_money()`,
    );
  }
}

export async function readMoneySeen(db: Database, what: "session" | "day"): Promise<MoneySeen> {
  const { rows: [row] } = await db.query<MoneySeen>(
    `SELECT count(*) AS commits, coalesce(max(greatest(total, calls)::float8 / budget), 0) AS most,
       count(*) FILTER (WHERE greatest(total, calls) > budget) AS crossings,
       count(*) FILTER (WHERE total <> calls) AS mismatches
     FROM money_seen WHERE what = $1`,
    [what],
  );
  return row!;
}

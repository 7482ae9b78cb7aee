import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reconcile } from "../../lib/batches/reconcile/reconcile.ts";
import { emptyDatabase, openTestDatabase, SERVER, type TestDatabase } from "../helpers/database.ts";
import { LedgerModel } from "./ledger_model.ts";
import { type Scenario, scenarios } from "./ledger_steps.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());

/** TEST_RUNS asks for more; TEST_SEED repeats the runs of a report. */
const RUNS = Number(Deno.env.get("TEST_RUNS") ?? (SERVER ? 150 : 60));
const SEED = Deno.env.get("TEST_SEED");
/** A scenario has its own days, in a time that no other row of the database knows. */
const FIRST_DAY = Date.UTC(2031, 0, 1, 21);
const DAYS_A_SCENARIO = 90;

let scenariosPlayed = 0;

async function play(scenario: Scenario): Promise<void> {
  const now = new Date(FIRST_DAY + scenariosPlayed++ * DAYS_A_SCENARIO * 86_400_000);
  try {
    const model = await LedgerModel.begin(test.db, scenario, now);
    await model.check();
    for (const step of scenario.steps) {
      await model.take(step);
      await model.check();
    }
    await model.drain();
  } catch (error) {
    await emptyDatabase(test.db);
    throw error;
  }
}

describe("the ledger", () => {
  it("keeps every rule after every step of any interleaving of workers, crashes and operators", async () => {
    await fc.assert(fc.asyncProperty(scenarios, play), {
      numRuns: RUNS,
      ...(SEED ? { seed: Number(SEED) } : {}),
      // Shrinking a long scenario takes its time; a report that is not the smallest is better than none.
      interruptAfterTimeLimit: 100_000 + RUNS * 300,
    });
  }, 200_000 + RUNS * 400);

  it("leaves nothing for a cleanup of all sessions and days to put right", async () => {
    const repaired = await reconcile(test.db, "cleanup", "all");
    expect(scenariosPlayed).toBeGreaterThan(0);
    expect(repaired).toEqual({ sessions: [], days: [] });
  });

  it("keeps money in whole micro-dollars: no money column can hold a fraction", async () => {
    const { rows } = await test.db.query<{ name: string; data_type: string }>(
      `SELECT table_name || '.' || column_name AS name, data_type FROM information_schema.columns
       WHERE table_schema = 'public' AND column_name IN ('budget', 'held', 'spent', 'unknown', 'overrun', 'amount',
         'worst_case', 'worst_cost', 'estimated_cost', 'actual_cost', 'cost')`,
    );
    expect(rows.length).toBeGreaterThan(12);
    expect(rows.filter((row) => row.data_type !== "bigint")).toEqual([]);
  });
});

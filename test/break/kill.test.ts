/** Six kills with every run of the tests; `deno run -A test/break/main.ts kill` is the same with hundreds. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { ZERO } from "../../lib/money.ts";
import { dropDatabase, makeDatabase, type TestDatabase } from "../helpers/database.ts";
import { endProcesses } from "../helpers/process.ts";
import { runKillMatrix } from "./kill_matrix.ts";
import { SMALL_SETTINGS, SMALL_STAGE } from "./small_edition.ts";

let database: TestDatabase["settings"];
beforeEach(async () => {
  database = await makeDatabase();
});
afterEach(async () => {
  await endProcesses();
  await dropDatabase(database);
});

const SMALL = { ...SMALL_STAGE, moreBudget: ZERO, skipWaits: true, recoverBudget: "20" };

it(
  "killed six times, a service loses no article, stores none twice, and the ledger has every request",
  async () => {
    const report = await runKillMatrix({
      ...SMALL,
      database,
      madeUp: 40,
      seed: "kills",
      meanMs: 300,
      kills: 6,
    });
    expect(report.violations).toEqual([]);
    expect(report.callsCutOff).toBeGreaterThan(0);
    expect(report.end).toMatchObject({ matched: report.end.requests, sentLate: 0, crossings: 0 });
    const { status, analyzed, failed, skipped, total } = report.end.session;
    expect({ status, skipped, all: analyzed + failed }).toEqual({
      status: failed === 0 ? "COMPLETED" : "PARTIAL",
      skipped: 0,
      all: total,
    });
    expect(report.looks).toBeGreaterThan(5);
    // At least its end and the calls that were cut off.
    expect(report.alerts.sent).toBeGreaterThanOrEqual(2);
    expect(report.alerts.arrived).toBeGreaterThanOrEqual(report.alerts.sent);
  },
  300_000,
);

it(
  "killed at its cap, a service stays below it, and a recovery with more money finishes the rest",
  async () => {
    const report = await runKillMatrix({
      ...SMALL,
      database,
      madeUp: 10,
      seed: "tight",
      meanMs: 150,
      kills: 4,
      settings: { ...SMALL_SETTINGS, BATCH_BUDGET_USD: "0.06" },
    });
    expect(report.violations).toEqual([]);
    const { status, reason, budget, spent } = report.end.session;
    expect({ status, reason, budget }).toEqual({ status: "PARTIAL", reason: "budget", budget: 60_000 });
    expect(spent).toBeLessThanOrEqual(budget);
    expect(report.end.mostCommitted).toBeLessThanOrEqual(budget);
    expect(report.end.mostCommitted).toBeGreaterThan(budget * 0.9);
    expect(report.afterRecovery?.session).toMatchObject({ status: "COMPLETED", skipped: 0 });
  },
  300_000,
);

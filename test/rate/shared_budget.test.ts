/** Worker processes that all reach for the same money, at the same time, until it is used up. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import type { Session } from "../../lib/batches/types.ts";
import { readConfig } from "../../lib/config.ts";
import { openDatabase } from "../../lib/database/connect.ts";
import type { Database } from "../../lib/database/port.ts";
import { createDesk, type Desk } from "../../lib/desk.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { startFakeGemini } from "../fakes/gemini.ts";
import type { WireServer } from "../fakes/wire_server.ts";
import { addArticles } from "../helpers/articles.ts";
import { dropDatabase, makeDatabase, type TestDatabase } from "../helpers/database.ts";
import { endProcesses, environmentOf, startChild } from "../helpers/process.ts";
import { readMoneySeen, watchMoney } from "../helpers/watch_money.ts";

const ARTICLES = 180;
/** Enough for about half of the articles, and for the worst case of fewer than the three have under way. */
const BUDGET = "0.06";

let settings: TestDatabase["settings"];
let db: Database;
let gemini: WireServer;
beforeEach(async () => {
  settings = await makeDatabase();
  ({ database: db } = await openDatabase({ ...settings, role: "test", onConnectionError: () => {} }));
  gemini = await startFakeGemini({ latencyMs: 100 });
  await watchMoney(db);
  await addArticles(db, ARTICLES);
});
afterEach(async () => {
  await endProcesses();
  await db.close();
  await gemini.close();
  await dropDatabase(settings);
});

/** A desk, and three worker processes with the same settings; `wake` is what the queue would say to them. */
async function open(money: Record<string, string>): Promise<{ desk: Desk; wake(): Promise<unknown> }> {
  const env = {
    ...environmentOf(settings),
    ANALYST: "gemini",
    GEMINI_API_KEY: "test-gemini-key",
    GEMINI_BASE_URL: gemini.url,
    GEMINI_RPM: "100000",
    BATCH_DELAY_SECONDS: "0",
    CONCURRENCY: "6",
    ...money,
  };
  const children = ["one", "two", "three"].map(() => startChild("run_worker", env));
  await Promise.all(children.map((child) => child.printed(/ready/)));
  const config = readConfig(env);
  return {
    desk: createDesk({ db, config, analysts: createAnalysts(config) }),
    wake: () => Promise.all(children.map((child) => child.type("\n"))),
  };
}

async function runToItsEnd({ desk, wake }: Awaited<ReturnType<typeof open>>): Promise<Session> {
  const { number } = await desk.start({}, "operator:test");
  await wake();
  await expect.poll(async () => (await desk.progress(number)).session, { timeout: 60_000, interval: 50 })
    .toMatchObject({ status: "PARTIAL", held: 0 });
  return (await desk.progress(number)).session;
}

async function expectWhole({ session_id, analyzed, skipped }: Session): Promise<void> {
  expect(analyzed).toBeGreaterThan(10);
  expect(skipped).toBe(ARTICLES - analyzed);
  expect(await findViolations(db, session_id)).toEqual([]);
  const { rows: [calls] } = await db.query<{ sent: number; workers: number }>(
    `SELECT (SELECT count(*) FROM paid_calls WHERE failure IS DISTINCT FROM 'not_sent') AS sent,
       (SELECT count(DISTINCT actor) FROM session_events WHERE action = 'item_analyzed') AS workers`,
  );
  expect(calls).toEqual({ sent: gemini.count, workers: 3 });
}

describe("three processes", () => {
  it("never spend more than the session's budget that all of them reach for, at any commit", async () => {
    const session = await runToItsEnd(await open({ BATCH_BUDGET_USD: BUDGET }));
    expect(session.reason).toBe("budget");
    await expectWhole(session);
    const seen = await readMoneySeen(db, "session");
    expect(seen).toMatchObject({ crossings: 0, mismatches: 0 });
    expect(seen.commits).toBeGreaterThan(20);
    expect(seen.most).toBeGreaterThan(0.9);
  }, 120_000);

  it("never spend more than the day's budget that all of them reach for, at any commit", async () => {
    const session = await runToItsEnd(await open({ BATCH_BUDGET_USD: "5", DAY_BUDGET_USD: BUDGET }));
    expect(session.reason).toBe("day_budget");
    await expectWhole(session);
    const seen = await readMoneySeen(db, "day");
    expect(seen).toMatchObject({ crossings: 0, mismatches: 0 });
    expect(seen.commits).toBeGreaterThan(20);
    expect(seen.most).toBeGreaterThan(0.9);
  }, 120_000);
});

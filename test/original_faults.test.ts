/**
 * The faults of the system that this one follows, one test each: budget checked once, costs always 0, alerts that go
 * nowhere, a recovery that finds nothing, jobs that nothing schedules, failures reported as success, articles selected
 * and then refused, prices too low and searches uncounted.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CRONS } from "../jobs/crons.ts";
import { readConfig } from "../lib/config.ts";
import { openDatabase } from "../lib/database/connect.ts";
import type { Database } from "../lib/database/port.ts";
import { micros } from "../lib/money.ts";
import { geminiAnswer, geminiError } from "./fakes/gemini.ts";
import { startWireServer } from "./fakes/wire_server.ts";
import { addArticles, addSession, PLAIN_READING } from "./helpers/articles.ts";
import { dropDatabase, makeDatabase, type TestDatabase, useTestDatabase } from "./helpers/database.ts";
import { endProcesses, environmentOf, startService } from "./helpers/process.ts";
import { openWorkerBench, type WorkerBench, type WorkerBenchOptions } from "./helpers/worker_bench.ts";

describe("a session", () => {
  const test = useTestDatabase();
  let bench: WorkerBench;
  afterEach(() => bench.close());

  const open = async (options: WorkerBenchOptions = {}) => bench = await openWorkerBench(test.db, options);

  async function all<Row extends object>(text: string): Promise<Row[]> {
    return (await test.db.query<Row>(text)).rows;
  }

  /** An answer that bills so many tokens. */
  const billing = (input: number, output: number) =>
    geminiAnswer({
      text: JSON.stringify(PLAIN_READING),
      usage: {
        promptTokenCount: input,
        candidatesTokenCount: output,
        totalTokenCount: input + output,
      },
    });

  it("checks its budget before every request, not once before it starts", async () => {
    await open({ gemini: { script: () => billing(2_000, 2_000) }, env: { CONCURRENCY: "3" } });
    await addArticles(test.db, 40);
    // 40 articles at the expected price fit: a check at the start would let all of them through.
    const budget = micros(52_000);
    const estimate = await bench.desk.estimate({ budget });
    expect(estimate.expected).toBeLessThanOrEqual(budget);
    const { number } = await bench.desk.start({ budget }, "operator:test");
    bench.makeWorker().start();
    const ended = await bench.untilEnded(number);
    expect(ended).toMatchObject({ status: "PARTIAL", reason: "budget", held: 0 });
    expect(ended.spent).toBeLessThanOrEqual(budget);
    expect(bench.gemini.count).toBeLessThan(20);
    expect(ended.analyzed + ended.skipped).toBe(40);
  });

  it("shows what it really cost in every place that shows a cost", async () => {
    await open({ gemini: { script: () => billing(1_000, 200) } });
    await addArticles(test.db, 3);
    const { number } = await bench.desk.start({}, "operator:test");
    bench.makeWorker().start();
    // 1,000 tokens at $0.25 and 200 at $1.50 a million.
    const each = 250 + 300;
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", spent: 3 * each });
    expect(await all("SELECT cost FROM article_analyses")).toEqual(Array(3).fill({ cost: each }));
    expect(await all("SELECT spent FROM paid_calls")).toEqual(Array(3).fill({ spent: each }));
    expect(await all("SELECT actual_cost FROM batch_processing_records")).toEqual([{
      actual_cost: 3 * each,
    }]);
    expect((await bench.desk.costs(1)).total).toEqual([expect.objectContaining({ spent: 3 * each })]);
  });

  it("is found by recovery when articles of it failed, and recovery brings them to their end", async () => {
    let broken = true;
    await open({
      gemini: { script: () => broken ? geminiError(500, "INTERNAL", "internal") : null },
      env: { MAX_ATTEMPTS: "1" },
    });
    await addArticles(test.db, 4);
    const { number } = await bench.desk.start({}, "operator:test");
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "FAILED", failed: 4 });
    broken = false;
    // Without a number: it has to find the session itself.
    expect(await bench.desk.recover(null, null, "operator:test")).toMatchObject({ requeuedFailed: 4 });
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 4, failed: 0 });
  });

  it("of which every batch failed ends FAILED, and so does each batch", async () => {
    await open({
      gemini: { script: () => geminiError(500, "INTERNAL", "internal") },
      env: { MAX_ATTEMPTS: "1", BATCH_SIZE: "2" },
    });
    await addArticles(test.db, 4);
    const { number } = await bench.desk.start({}, "operator:test");
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "FAILED", analyzed: 0, failed: 4 });
    expect(await all("SELECT status FROM batch_processing_records")).toEqual(
      Array(2).fill({ status: "FAILED" }),
    );
  });

  it("takes articles of 1,000 to 2,000 characters and analyses every one that it took", async () => {
    await open();
    for (const chars of [999, 1_000, 1_001, 1_500, 1_999, 2_000, 2_001]) {
      await test.db.query(
        `INSERT INTO articles (source, title, body, body_chars, body_bytes, body_hash, language)
         VALUES ('test', $1::text, repeat('n', $1::integer), $1::integer, $1::integer, md5($1::text), 'en')`,
        [chars],
      );
    }
    const { counts } = await bench.desk.articles();
    expect(counts).toMatchObject({ ready: 5, too_short: 2 });
    const { number } = await bench.desk.start({}, "operator:test");
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", total: 5, analyzed: 5 });
    expect(bench.gemini.count).toBe(5);
  });

  it("pays the list price of the model that answered, and for its searches", async () => {
    const claim = { ...PLAIN_READING, weak_signals: [SIGNAL] };
    await open({
      gemini: {
        script: ({ body }) =>
          body.includes("<results-")
            ? null
            : geminiAnswer({ text: JSON.stringify(claim), model: "gemini-2.5-flash", usage: USAGE }),
      },
      env: { GEMINI_MODEL: "gemini-3.1-flash-lite" },
    });
    await addArticles(test.db, 1);
    const { number } = await bench.desk.start({ research: "all" }, "operator:test");
    bench.makeWorker().start();
    const { spent } = await bench.untilEnded(number);
    const paid = await all<{ kind: string; spent: number; credits: number | null }>(
      "SELECT kind, spent, credits FROM paid_calls ORDER BY call_id",
    );
    // gemini-2.5-flash: $0.30 and $2.50 a million tokens; a credit is $0.008.
    expect(paid.slice(0, 2)).toEqual([
      { kind: "analysis", spent: 300 + 250, credits: null },
      { kind: "search", spent: 8_000, credits: 1 },
    ]);
    expect(paid).toHaveLength(3);
    expect(spent).toBe(paid.reduce((sum, call) => sum + call.spent, 0));
  });

  const SIGNAL = {
    type: "relay",
    description: "Nodes relay transactions more quickly.",
    confidence: 0.9,
    implications: "Fees settle sooner.",
    evidence: ["Nodes relay transactions quickly."],
    timeframe: "SHORT_TERM",
  };
  const USAGE = { promptTokenCount: 1_000, candidatesTokenCount: 100, totalTokenCount: 1_100 };
});

describe("the service by itself", () => {
  let settings: TestDatabase["settings"];
  beforeEach(async () => {
    settings = await makeDatabase();
  });
  afterEach(async () => {
    await endProcesses();
    await dropDatabase(settings);
  });

  /** The embedded database must be free when a service starts; while one runs, this joins it. */
  async function withDatabase<T>(work: (db: Database) => Promise<T>): Promise<T> {
    const { database } = await openDatabase({ ...settings, role: "test", onConnectionError() {} });
    return await work(database).finally(() => database.close());
  }

  it("tells somebody when a session has used up its budget", async () => {
    const posted: unknown[] = [];
    const listener = await startWireServer(({ body }) => {
      posted.push(JSON.parse(body));
      return { kind: "answer", status: 200, body: "" };
    });
    const service = startService({ ...environmentOf(settings), PORT: "0", ALERT_WEBHOOK_URL: listener.url });
    await service.printed(/"msg":"ready"/);
    await withDatabase(async (db) =>
      addSession(db, {
        articles: await addArticles(db, 10),
        budget: micros(5_100),
        worstCase: micros(5_000),
        simulated: true,
        provider: "offline",
      })
    );
    await expect.poll(() => posted, { timeout: 60_000 }).toContainEqual(
      expect.objectContaining({ notice: "raised", rule: "budget_exhausted", session: 1 }),
    );
    await listener.close();
  }, 120_000);

  it("monitors, cleans up and takes work up again by the clock, without anybody asking", async () => {
    const env = { ...environmentOf(settings), PORT: "0", DENO_CRON_TEST_SCHEDULE_OFFSET: "100" };
    const config = readConfig(env);
    // As if services had been here for long: the newest slot is due at once.
    await withDatabase((db) =>
      db.query(
        `INSERT INTO crons (job, schedule, since)
         SELECT job, coalesce(schedule, 'off'), '2020-01-01' FROM unnest($1::text[], $2::text[]) AS c (job, schedule)`,
        [CRONS.map(({ job }) => job), CRONS.map(({ schedule }) => schedule(config))],
      )
    );
    const service = startService(env);
    await service.printed(/"msg":"ready"/);
    const jobs = ["cleanup_stalled_batches", "dispatch_due_batches", "monitor_batch_processing"];
    const readRuns = (db: Database) =>
      db.query("SELECT job, last_error FROM crons WHERE job = ANY ($1) AND runs > 0 ORDER BY job", [jobs]);
    await withDatabase((db) =>
      expect.poll(async () => (await readRuns(db)).rows, { timeout: 60_000 })
        .toEqual(jobs.map((job) => ({ job, last_error: null })))
    );
  }, 120_000);
});

import { afterEach, describe, expect, it } from "vitest";
import type { WireReply, WireRequest } from "../fakes/wire_server.ts";
import { geminiAnswer, geminiError, geminiJson } from "../fakes/gemini.ts";
import { addArticles, PLAIN_READING } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { openWorkerBench, type WorkerBench, type WorkerBenchOptions } from "../helpers/worker_bench.ts";

const test = useTestDatabase();
let bench: WorkerBench;
afterEach(() => bench.close());

async function open(options: WorkerBenchOptions = {}): Promise<void> {
  bench = await openWorkerBench(test.db, options);
}

async function all<Row extends object>(text: string): Promise<Row[]> {
  return (await test.db.query<Row>(text)).rows;
}

async function countCalls(state: string): Promise<number> {
  const [row] = await all<{ n: number }>(`SELECT count(*) AS n FROM paid_calls WHERE state = '${state}'`);
  return row.n;
}

/** Answers the first requests with these replies, in order, and every later one as usual. */
function firstly(...replies: WireReply[]): (request: WireRequest) => WireReply | null {
  return () => replies.shift() ?? null;
}

describe("a session", () => {
  it("analyses every article once, with one ledger row for every request that the provider saw", async () => {
    await open();
    const { number } = await bench.startWith(25);
    bench.makeWorker().start();
    const session = await bench.untilEnded(number);
    expect(session).toMatchObject({
      status: "COMPLETED",
      analyzed: 25,
      failed: 0,
      skipped: 0,
      held: 0,
      reason: null,
    });
    expect(bench.gemini.count).toBe(25);
    expect(await countCalls("SETTLED")).toBe(25);
    expect(await all("SELECT 1 FROM article_analyses")).toHaveLength(25);
    const [{ spent }] = await all<{ spent: number }>("SELECT sum(spent)::bigint AS spent FROM paid_calls");
    expect(session.spent).toBe(spent);
    expect(spent).toBeGreaterThan(0);
  });

  it("is shared by two workers without an article being sent twice", async () => {
    await open({ gemini: { latencyMs: 5 } });
    const { number } = await bench.startWith(40);
    bench.makeWorker().start();
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({
      status: "COMPLETED",
      analyzed: 40,
      stale_writes: 0,
    });
    expect(bench.gemini.count).toBe(40);
    const owners = await all("SELECT DISTINCT actor FROM session_events WHERE action = 'item_analyzed'");
    expect(owners.length).toBe(2);
  });

  it("stops at its cap while calls are in flight, skips the rest, and recovery with more money finishes it", async () => {
    await open({ gemini: { latencyMs: 2 } });
    await addArticles(test.db, 30);
    const { worstCases } = await bench.desk.estimate({});
    const { number } = await bench.desk.start({ budget: (worstCases[0] * 4) as never }, "operator:test");
    await test.db.query(`
      CREATE TABLE watched (spent bigint, held bigint, budget bigint);
      CREATE FUNCTION watch_money() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO watched VALUES (NEW.spent, NEW.held, NEW.budget); RETURN NULL; END $$;
      CREATE TRIGGER watch_money AFTER UPDATE ON batch_processing_sessions
        FOR EACH ROW EXECUTE FUNCTION watch_money();`);
    try {
      bench.makeWorker({ concurrency: 8 }).start();
      const ended = await bench.untilEnded(number);
      expect(ended).toMatchObject({ status: "PARTIAL", reason: "budget", held: 0 });
      expect(ended.analyzed).toBeGreaterThan(3);
      expect(ended.skipped).toBe(30 - ended.analyzed);
      await bench.desk.recover(number, 5_000_000 as never, "operator:test");
      expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 30, skipped: 0 });
      const seen = await all<{ spent: number; held: number; budget: number }>("SELECT * FROM watched");
      expect(seen.length).toBeGreaterThan(20);
      expect(seen.filter((row) => row.spent + row.held > row.budget)).toEqual([]);
    } finally {
      await test.db.query("DROP TABLE watched; DROP FUNCTION watch_money CASCADE");
    }
  });

  it("stops at the day's cap", async () => {
    await open({ env: { DAY_BUDGET_USD: "0.01" } });
    const { number } = await bench.startWith(30);
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "PARTIAL", reason: "day_budget" });
    const [day] = await all<{ spent: number; held: number }>(
      "SELECT spent, held FROM day_budgets WHERE NOT simulated",
    );
    expect(day.spent).toBeLessThanOrEqual(10_000);
    expect(day.held).toBe(0);
  });

  it("waits between the starts of its batches", async () => {
    await open({ env: { BATCH_SIZE: "2", BATCH_DELAY_SECONDS: "0.4" } });
    const { number } = await bench.startWith(6);
    bench.makeWorker().start();
    await bench.untilEnded(number);
    const batches = await all<{ due: Date; at: Date }>(
      "SELECT not_before AS due, started_at AS at FROM batch_processing_records ORDER BY batch_number",
    );
    expect(batches.map(({ due }) => due.getTime() - batches[0].due.getTime())).toEqual([0, 400, 800]);
    for (const { due, at } of batches) expect(at.getTime()).toBeGreaterThanOrEqual(due.getTime());
  });

  it("with every article failed ends FAILED, not COMPLETED", async () => {
    await open({
      gemini: { script: () => geminiJson({ promptFeedback: { blockReason: "SAFETY" }, usageMetadata: {} }) },
    });
    const { number } = await bench.startWith(3);
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "FAILED", failed: 3, analyzed: 0 });
    expect((await bench.desk.articles()).counts.given_up).toBe(3);
    const batches = await all<{ status: string }>("SELECT status FROM batch_processing_records");
    expect(batches).toEqual([{ status: "FAILED" }]);
  });
});

describe("trouble with the provider", () => {
  it("is retried with an attempt each, and what failed before is not charged", async () => {
    const oops = geminiError(500, "INTERNAL", "internal");
    await open({ gemini: { script: firstly(oops, oops) }, env: { CONCURRENCY: "1" } });
    const { number } = await bench.startWith(1);
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", retries: 2 });
    expect(await countCalls("RELEASED")).toBe(2);
    expect(await countCalls("SETTLED")).toBe(1);
    const [item] = await all<{ attempts: number }>("SELECT attempts FROM batch_processing_items");
    expect(item.attempts).toBe(3);
  });

  it("ends an article FAILED after its attempts, and recovery gives it new ones", async () => {
    let broken = true;
    await open({ gemini: { script: () => broken ? geminiError(500, "INTERNAL", "internal") : null } });
    const { number } = await bench.startWith(2);
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "FAILED", failed: 2, spent: 0 });
    expect(bench.gemini.count).toBe(6);
    broken = false;
    const report = await bench.desk.recover(number, null, "operator:test");
    expect(report.requeuedFailed).toBe(2);
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 2, failed: 0 });
  });

  it("that asks to wait is waited for as told and costs no attempt", async () => {
    const retryInfo = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0.4s" };
    const wait = geminiError(429, "RESOURCE_EXHAUSTED", "slow down", [retryInfo]);
    await open({ gemini: { script: firstly(wait) }, env: { CONCURRENCY: "1", MAX_ATTEMPTS: "1" } });
    const started = performance.now();
    const { number } = await bench.startWith(2);
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", retries: 0 });
    expect(performance.now() - started).toBeGreaterThan(400);
    expect(bench.gemini.count).toBe(3);
  });

  it.each([
    ["an empty purse", geminiError(402, "FAILED_PRECONDITION", "prepaid credit is used up"), "purse_empty"],
    ["a refused key", geminiError(403, "PERMISSION_DENIED", "the key is refused"), "key_refused"],
  ])(
    "of the kind of %s pauses the session with its reason, and it can go on later",
    async (_kind, reply, reason) => {
      let broken = true;
      await open({ gemini: { script: () => broken ? reply : null } });
      const { number } = await bench.startWith(6);
      bench.makeWorker().start();
      await bench.until(number, (session) => session.status === "PAUSED" && session.held === 0);
      const paused = await bench.desk.session(number);
      expect(paused.session).toMatchObject({ reason, spent: 0, failed: 0 });
      expect(bench.gemini.count).toBeLessThanOrEqual(4);
      broken = false;
      await bench.desk.resume(number, "operator:test");
      expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 6 });
      const attempts = await all<{ attempts: number }>(
        "SELECT DISTINCT attempts FROM batch_processing_items",
      );
      expect(attempts).toEqual([{ attempts: 1 }]);
    },
  );

  it("that leaves no answer charges the call in full as unknown, and the article is tried again", async () => {
    await open({ gemini: { script: firstly({ kind: "reset" }) }, env: { CONCURRENCY: "1" } });
    const { number } = await bench.startWith(1);
    bench.makeWorker().start();
    const session = await bench.untilEnded(number);
    expect(session).toMatchObject({ status: "COMPLETED", analyzed: 1 });
    const [unknown] = await all<{ spent: number; amount: number }>(
      "SELECT spent, amount FROM paid_calls WHERE state = 'UNKNOWN'",
    );
    expect(unknown.spent).toBe(unknown.amount);
    expect(session.unknown).toBe(unknown.amount);
    expect(bench.gemini.count).toBe(2);
  });

  it("that never answers ends at the article's time limit", async () => {
    await open({
      gemini: { script: firstly({ kind: "silent" }) },
      env: { CONCURRENCY: "1", ARTICLE_TIMEOUT_SECONDS: "1" },
    });
    const { number } = await bench.startWith(1);
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", retries: 1 });
    expect(await countCalls("UNKNOWN")).toBe(1);
  });

  it("that goes on and on pauses the session instead of burning through it", async () => {
    // A model takes its time: the failures are written before the next ones come.
    await open({ gemini: { latencyMs: 50, script: () => geminiAnswer({ text: "I would rather not." }) } });
    const { number } = await bench.startWith(60);
    bench.makeWorker().start();
    const session = await bench.until(number, ({ status }) => status === "PAUSED");
    expect(session).toMatchObject({ reason: "failing", resume_at: null });
    expect(bench.gemini.count).toBeLessThan(24);
  });

  it("of any kind in any order never crashes the worker, and the books stay right", async () => {
    const odd: (() => WireReply | null)[] = [
      () => geminiAnswer({ text: "not json at all" }),
      () => geminiAnswer({ text: '{"sentiment":"POSITIVE"', finishReason: "MAX_TOKENS" }),
      () => geminiAnswer({ text: "{}", usage: { promptTokenCount: -5, candidatesTokenCount: 1e30 } }),
      () => geminiAnswer({ text: "[]", usage: null }),
      () => geminiJson({ candidates: [] }),
      () => geminiJson("a string"),
      () => ({ kind: "raw", bytes: "this is not HTTP\r\n\r\n" }),
      () => ({ kind: "cut", status: 200, body: '{"candidates":[{"content":{"parts":[{"text":"half' }),
      () => ({ kind: "close" }),
      () => ({ kind: "reset" }),
      () => geminiError(503, "UNAVAILABLE", "overloaded"),
    ];
    let n = 0;
    await open({
      // Good answers in between: the provider works, the answers are odd.
      gemini: { script: () => n++ % 2 === 0 ? null : odd[(n >> 1) % odd.length]() },
      env: { MAX_ATTEMPTS: "4", CONCURRENCY: "8" },
    });
    const { number } = await bench.startWith(60);
    const worker = bench.makeWorker();
    worker.start();
    // A run of failures may pause it; an operator would resume.
    const ended = await bench.until(number, (session) => {
      if (session.status === "PAUSED") void bench.desk.resume(number, "operator:test").catch(() => {});
      return ["COMPLETED", "PARTIAL", "FAILED"].includes(session.status);
    });
    expect(ended.analyzed + ended.failed).toBe(60);
    expect(ended.held).toBe(0);
    const [sums] = await all<{ spent: number; calls: number }>(
      "SELECT sum(spent)::bigint AS spent, count(*) FILTER (WHERE coalesce(failure, '') NOT IN ('not_sent', 'circuit_open')) AS calls FROM paid_calls",
    );
    expect(ended.spent).toBe(sums.spent);
    expect(bench.gemini.count).toBe(sums.calls);
  });
});

describe("bills", () => {
  it("are priced for the model that answered", async () => {
    const usage = { promptTokenCount: 1000, candidatesTokenCount: 100 };
    await open({
      gemini: {
        script: () =>
          geminiAnswer({ text: JSON.stringify(PLAIN_READING), model: "gemini-3.5-flash-lite", usage }),
      },
    });
    const { number } = await bench.startWith(1);
    bench.makeWorker().start();
    // 1,000 x $0.30 and 100 x $2.50 a million, not $0.25 and $1.50.
    expect(await bench.untilEnded(number)).toMatchObject({ spent: 550 });
    expect((await bench.desk.costs(1)).byUse[0].model).toBe("gemini-3.5-flash-lite");
  });

  it("without usage figures settle at the hold", async () => {
    await open({
      gemini: { script: () => geminiAnswer({ text: JSON.stringify(PLAIN_READING), usage: null }) },
    });
    const { number } = await bench.startWith(1);
    bench.makeWorker().start();
    const session = await bench.untilEnded(number);
    const [call] = await all<{ amount: number; spent: number }>("SELECT amount, spent FROM paid_calls");
    expect(session.spent).toBe(call.amount);
  });

  it("above the hold are shown as overrun and never charged over the cap", async () => {
    const usage = { promptTokenCount: 400_000, candidatesTokenCount: 100 };
    await open({ gemini: { script: () => geminiAnswer({ text: JSON.stringify(PLAIN_READING), usage }) } });
    const { number } = await bench.startWith(1);
    bench.makeWorker().start();
    const session = await bench.untilEnded(number);
    expect(session.overrun).toBeGreaterThan(0);
    const [call] = await all<{ amount: number; spent: number; overrun: number }>("SELECT * FROM paid_calls");
    expect(call.spent).toBe(call.amount);
    expect(call.spent + call.overrun).toBe(100_150);
  });
});

describe("an article that takes longer than its lease", () => {
  it("is not taken away while its worker lives, by another worker or by cleaning up", async () => {
    await open({ gemini: { latencyMs: 3_500 } });
    const { number } = await bench.startWith(2);
    bench.makeWorker({ leaseMs: 1_000 }).start();
    await bench.until(number, () => bench.gemini.count === 2);
    bench.makeWorker({ leaseMs: 1_000 }).start();
    let looks = 0;
    const ended = await bench.until(number, (session) => {
      looks++;
      void bench.desk.cleanup("cron:cleanup").catch(() => {});
      return session.status === "COMPLETED";
    });
    expect(looks).toBeGreaterThan(10);
    expect(ended).toMatchObject({ analyzed: 2, stale_writes: 0, unknown: 0, retries: 0 });
    expect(bench.gemini.count).toBe(2);
    expect(await all("SELECT 1 FROM session_events WHERE action = 'lease_expired'")).toEqual([]);
  });
});

describe("stopping", () => {
  it("takes in answers that are under way, gives back what was not sent, and nothing is lost", async () => {
    await open({ gemini: { latencyMs: 100 }, env: { CONCURRENCY: "3" } });
    const { number } = await bench.startWith(12);
    const worker = bench.makeWorker();
    worker.start();
    await bench.until(number, () => bench.gemini.count >= 3);
    await worker.stop(5_000);
    expect(worker.holding).toBe(0);
    const { session } = await bench.desk.progress(number);
    expect(session.held).toBe(0);
    expect(session.unknown).toBe(0);
    expect(session.analyzed).toBe(bench.gemini.count);
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 12 });
    expect(bench.gemini.count).toBe(12);
  });

  it("a paused session lets its articles finish and starts no other", async () => {
    await open({ gemini: { latencyMs: 80 }, env: { CONCURRENCY: "2" } });
    const { number } = await bench.startWith(10);
    bench.makeWorker().start();
    await bench.until(number, () => bench.gemini.count >= 2);
    await bench.desk.pause(number, "operator:test");
    const paused = await bench.until(number, (session) => session.held === 0);
    expect(paused.analyzed).toBe(bench.gemini.count);
    expect(paused.analyzed).toBeLessThan(10);
  });

  it("a cancelled session keeps what is under way and skips the rest", async () => {
    await open({ gemini: { latencyMs: 80 }, env: { CONCURRENCY: "2" } });
    const { number } = await bench.startWith(10);
    bench.makeWorker().start();
    await bench.until(number, () => bench.gemini.count >= 2);
    await bench.desk.cancel(number, "operator:test");
    const ended = await bench.until(number, (session) => session.held === 0);
    expect(ended).toMatchObject({ status: "CANCELLED", analyzed: bench.gemini.count });
    expect(ended.analyzed + ended.skipped).toBe(10);
  });

  it("a worker that lost its claim changes nothing when it comes back", async () => {
    await open({ gemini: { latencyMs: 300 }, env: { CONCURRENCY: "1" } });
    const { number } = await bench.startWith(1);
    const late = bench.makeWorker({ leaseMs: 60_000 });
    late.start();
    await bench.until(number, () => bench.gemini.count === 1);
    await test.db.query("UPDATE batch_processing_items SET lease_until = now() - interval '1 second'");
    await bench.desk.cleanup("cron:cleanup");
    const ended = await bench.untilEnded(number);
    expect(ended).toMatchObject({ status: "COMPLETED", analyzed: 1, stale_writes: 1 });
    expect(await all("SELECT 1 FROM article_analyses")).toHaveLength(1);
    expect(ended.unknown).toBeGreaterThan(0);
  });
});

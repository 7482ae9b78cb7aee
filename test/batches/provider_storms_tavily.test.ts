/** Tavily in trouble: searches stop, analysis goes on. */
import { afterEach, describe, expect, it } from "vitest";
import { findViolations } from "../budget/ledger_invariants.ts";
import { geminiAnswer } from "../fakes/gemini.ts";
import { TAVILY_STORMS, type TavilyStorm } from "../fakes/storms.ts";
import { tavilyError } from "../fakes/tavily.ts";
import { addArticles, PLAIN_READING } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { describeReport, expectWhole, hurry, openStormBench, rideOut, type StormBench } from "./storm.ts";

/** An analysis whose signal is worth a search. */
const STRONG = {
  ...PLAIN_READING,
  signal_strength: 0.9,
  weak_signals: [{
    type: "adoption",
    description: "Nodes relay more",
    confidence: 0.8,
    implications: "Fees may fall",
    evidence: ["Nodes relay transactions quickly."],
    timeframe: "SHORT_TERM",
  }],
};

const test = useTestDatabase();
let bench: StormBench;
afterEach(() => bench.close());

async function all<Row extends object>(text: string): Promise<Row[]> {
  return (await test.db.query<Row>(text)).rows;
}

/** The article's time plays no part, also on a machine that is busy. */
const TIME_ENOUGH = { ARTICLE_TIMEOUT_SECONDS: "60" };

async function open(env?: Record<string, string>): Promise<void> {
  bench = await openStormBench(test.db, env);
  bench.startProcess();
}

describe("trouble with Tavily", () => {
  /** Signals strong enough to be searched for. */
  function answerStrongly() {
    bench.weather.gemini = (request) =>
      request.body.includes("weak_signals") ? geminiAnswer({ text: JSON.stringify(STRONG) }) : null;
  }

  it.for(["plan_limit", "payg_limit", "key_refused"] satisfies TavilyStorm[])(
    "%s switches searching off for the session with one entry in its trail, and analysis goes on",
    async (storm) => {
      await open(TIME_ENOUGH);
      answerStrongly();
      bench.weather.tavily = TAVILY_STORMS[storm];
      await addArticles(test.db, 20);
      const { number, session_id } = await bench.desk.start({ research: "all" }, "operator:test");
      const session = await bench.untilEnded(number);
      expect(session).toMatchObject({ status: "COMPLETED", analyzed: 20, unknown: 0, retries: 0 });
      expect(session.research_off).toMatch(/limit|used up|key/);
      expect(bench.tavily.count).toBeLessThanOrEqual(4);
      const off = await all<{ detail: { reason: string } }>(
        "SELECT actor, detail FROM session_events WHERE action = 'research_switched_off'",
      );
      expect(off).toEqual([{ actor: "worker:test-1", detail: { reason: session.research_off } }]);
      expect(await all("SELECT DISTINCT research_status FROM article_analyses")).toEqual([
        { research_status: "NOT_RUN" },
      ]);
      expect(await all("SELECT 1 FROM article_analyses WHERE research ->> 'reason' IS NULL")).toEqual([]);
      expect(session.research_missing).toBe(20);
      expect(await all("SELECT 1 FROM session_events WHERE action = 'session_paused'")).toEqual([]);
      expect(await findViolations(test.db, session_id)).toEqual([]);
    },
  );

  it.for(["failing", "reset", "hung"] satisfies TavilyStorm[])(
    "ten minutes of %s cost a few searches; analysis goes on, and searches come back by themselves",
    async (storm, context) => {
      bench = await openStormBench(test.db, { BATCH_SIZE: "10", BATCH_DELAY_SECONDS: "0.4" });
      bench.startProcess(storm === "hung" ? hurry : undefined);
      answerStrongly();
      const report = await rideOut(test.db, bench, {
        storm: { tavily: TAVILY_STORMS[storm] },
        request: { research: "all" },
        articles: 200,
      });
      await context.annotate(describeReport(report));
      await expectWhole(test.db, report);
      expect(report.session.research_off).toBeNull();
      expect(report.pauses).toEqual([]);
      expect(report.lostAttempts).toBe(0);
      expect(report.requests).toBeLessThanOrEqual(15);
      const [research] = await all<{ skipped: number; checked: number; last: string }>(
        `SELECT count(*) FILTER (WHERE research_status = 'NOT_RUN' AND research ->> 'reason' ~ 'Nothing was sent')
             AS skipped,
           count(*) FILTER (WHERE research_status = 'VALIDATED') AS checked,
           (array_agg(research_status ORDER BY created_at DESC))[1] AS last
         FROM article_analyses`,
      );
      expect(research.skipped).toBeGreaterThan(5);
      expect(research.checked).toBeGreaterThan(10);
      expect(research.last).toBe("VALIDATED");
    },
  );

  it("a rate limit is waited out by one search for all, and every article is researched after it", async () => {
    bench = await openStormBench(test.db, TIME_ENOUGH);
    bench.startProcess();
    answerStrongly();
    const report = await rideOut(test.db, bench, {
      storm: { tavily: TAVILY_STORMS.told_to_wait },
      request: { research: "all" },
      articles: 60,
    });
    await expectWhole(test.db, report);
    expect(report).toMatchObject({ pauses: [], lostAttempts: 0, charged: 0 });
    expect(report.session).toMatchObject({ research_missing: 0, research_off: null });
    // Those that were on their way when it began, then one a minute.
    expect(report.requests).toBeLessThanOrEqual(bench.config.concurrency + 12);
    expect(await all("SELECT DISTINCT research_status FROM article_analyses")).toEqual([
      { research_status: "VALIDATED" },
    ]);
    const [refused] = await all<{ n: number }>(
      "SELECT count(*) AS n FROM paid_calls WHERE kind = 'search' AND failure = 'rate_limited' AND state = 'RELEASED'",
    );
    expect(refused.n).toBeGreaterThan(0);
  });

  it("a rate limit longer than an article's time leaves it without research, and the session's end says so", async () => {
    await open(TIME_ENOUGH);
    answerStrongly();
    bench.weather.tavily = tavilyError(429, "Too many requests.", { "retry-after": "86400" });
    await addArticles(test.db, 20);
    const { number, session_id } = await bench.desk.start({ research: "all" }, "operator:test");
    const session = await bench.untilEnded(number);
    expect(session).toMatchObject({
      status: "COMPLETED",
      analyzed: 20,
      research_missing: 20,
      retries: 0,
      unknown: 0,
    });
    expect(bench.tavily.count).toBeLessThanOrEqual(bench.config.concurrency);
    expect(
      await all("SELECT DISTINCT research_status, research ->> 'reason' AS reason FROM article_analyses"),
    ).toEqual([
      { research_status: "NOT_RUN", reason: "the search provider asks for more time than is left" },
    ]);
    expect(await all("SELECT text FROM alerts WHERE rule = 'session_ended'")).toEqual([
      { text: expect.stringContaining("research missing: 20") },
    ]);
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("a worker without a key says so where the research is missing", async () => {
    bench = await openStormBench(test.db);
    bench.startProcess(() => null);
    answerStrongly();
    await addArticles(test.db, 3);
    const { number } = await bench.desk.start({ research: "all" }, "operator:test");
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", research_missing: 3 });
    expect(
      await all("SELECT DISTINCT research_status, research ->> 'reason' AS reason FROM article_analyses"),
    ).toEqual([
      { research_status: "NOT_RUN", reason: "this worker cannot search: it has no TAVILY_API_KEY" },
    ]);
  });
});

/** Whose fault failures are, who tries whether an outage is over, and when nobody does any more. */
import { afterEach, describe, expect, it } from "vitest";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import { GEMINI_STORMS } from "../fakes/storms.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import {
  describeReport,
  expectWhole,
  openStormBench,
  QUICK_TROUBLE,
  rideOut,
  type StormBench,
} from "./storm.ts";

const test = useTestDatabase();
let bench: StormBench;
afterEach(() => bench.close());

async function all<Row extends object>(text: string): Promise<Row[]> {
  return (await test.db.query<Row>(text)).rows;
}

async function open(env?: Record<string, string>): Promise<void> {
  bench = await openStormBench(test.db, env);
  bench.startProcess();
}

describe("an outage", () => {
  it("is tried by one request a process, however many articles may be under way", async (context) => {
    await open({ CONCURRENCY: "8" });
    bench.startProcess();
    const report = await rideOut(test.db, bench, {
      storm: { gemini: GEMINI_STORMS.overloaded },
      articles: 120,
    });
    await context.annotate(describeReport(report));
    await expectWhole(test.db, report);
    // Each process runs into it with what it has under way; the tries after that are few.
    const tries = await all<{ n: number }>(
      `SELECT count(*) AS n FROM paid_calls c WHERE failure = 'overloaded' AND held_at >
         (SELECT min(at) FROM session_events WHERE action = 'session_resumed')`,
    );
    expect(tries[0].n).toBeLessThanOrEqual(2 * 6);
  });

  it("that never ends is left to a person, with the same reason and no time", async () => {
    bench = await openStormBench(test.db);
    bench.weather.gemini = GEMINI_STORMS.hung;
    const { outage, ...timing } = QUICK_TROUBLE.troubleTiming!;
    const brief = { firstMs: 1, longestMs: 1 };
    const analysts = createAnalysts(bench.config, { failures: 5, firstOpenMs: 1, longestOpenMs: 1 });
    bench.makeWorker({
      ...QUICK_TROUBLE,
      troubleTiming: { ...timing, outage: outage && brief, chargedTries: 3 },
      makeAnalyst: analysts.analyst,
      tryNow: analysts.tryNow,
    }).start();
    await addArticles(test.db, 20);
    const { number } = await bench.desk.start({}, "operator:test");
    const paused = await bench.until(
      number,
      ({ status, resume_at, held }) => status === "PAUSED" && resume_at === null && held === 0,
    );
    expect(paused).toMatchObject({ reason: "provider_outage", resume_tries: 3, failed: 0 });
    // Two rounds of four, of which the first of the second opened the breaker, then three tries of one.
    expect(bench.gemini.count).toBe(11);
    bench.weather.gemini = null;
    await bench.desk.resume(number, "operator:test");
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 20 });
  });

  it("is over for an operator who resumes, at once: one article tries although the breaker is open", async () => {
    // Half a minute in full: nothing comes back by itself here.
    bench = await openStormBench(test.db);
    const analysts = createAnalysts(bench.config);
    bench.makeWorker({ makeAnalyst: analysts.analyst, tryNow: analysts.tryNow }).start();
    await addArticles(test.db, 30);
    const { number } = await bench.desk.start({}, "operator:test");
    bench.weather.gemini = GEMINI_STORMS.failing;
    await bench.until(number, ({ status, held }) => status === "PAUSED" && held === 0);
    bench.weather.gemini = null;
    const resumed = await bench.desk.resume(number, "operator:test");
    expect(resumed).toMatchObject({ status: "PROCESSING", resume_at: null, resume_tries: 1 });
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 30 });
  });

  it("does not save articles that fail alone: they end FAILED after their attempts while the others pass", async () => {
    const bad = (body: string) => /Article (7|9)\b/.test(body);
    bench = await openStormBench(test.db, { CONCURRENCY: "2" });
    bench.weather.gemini = (request) => bad(request.body) ? GEMINI_STORMS.failing : null;
    bench.startProcess();
    await addArticles(test.db, 9);
    const { number } = await bench.desk.start({}, "operator:test");
    const session = await bench.untilEnded(number);
    expect(session).toMatchObject({ status: "PARTIAL", reason: "failures", analyzed: 7, failed: 2 });
    expect(await all("SELECT attempts FROM batch_processing_items WHERE status = 'FAILED'")).toEqual([
      { attempts: 3 },
      { attempts: 3 },
    ]);
    expect(await all("SELECT 1 FROM session_events WHERE action = 'session_paused'")).toEqual([]);
  });

  it("does not get stuck on an article that fails always: the next try takes another one", async () => {
    bench = await openStormBench(test.db, { CONCURRENCY: "1" });
    const asked: string[] = [];
    // The provider fails five times; the article that opened the breaker would fail for ever.
    bench.weather.gemini = ({ body }) => {
      asked.push(/Article \d+/.exec(body)![0]);
      return asked.length <= 5 || asked.at(-1) === asked[4] ? GEMINI_STORMS.failing : null;
    };
    bench.startProcess();
    await addArticles(test.db, 12);
    const { number } = await bench.desk.start({}, "operator:test");
    expect(await bench.untilEnded(number)).toMatchObject({ status: "PARTIAL", analyzed: 11, failed: 1 });
    expect(asked[5]).not.toBe(asked[4]);
    expect(await all("SELECT 1 FROM session_events WHERE action = 'session_paused'")).toHaveLength(1);
  });
});

/** A provider that refuses requests (400): whose fault it is shows only when it takes others. */
import { afterEach, describe, expect, it } from "vitest";
import { findViolations } from "../budget/ledger_invariants.ts";
import { GEMINI_STORMS } from "../fakes/storms.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { afterRequests, type Forecast, openStormBench, type StormBench } from "./storm.ts";

const test = useTestDatabase();
let bench: StormBench;
afterEach(() => bench.close());

const ODD = "Odd one";

/** Refuses odd articles: each at once when it comes first, later when the others are analysed, however slow they are. */
function refuseOdd(others: number): Forecast {
  const refused = new Set<string>();
  return async ({ body }) => {
    if (!body.includes(ODD)) return null;
    if (refused.has(body)) await expect.poll(countAnalyzed).toBe(others);
    refused.add(body);
    return GEMINI_STORMS.refusing;
  };
}

async function countAnalyzed(): Promise<number> {
  const [row] = await all<{ n: number }>("SELECT count(*) AS n FROM articles WHERE analyzed_at IS NOT NULL");
  return row!.n;
}

async function all<Row extends object>(text: string): Promise<Row[]> {
  return (await test.db.query<Row>(text)).rows;
}

/** Articles that are given up for good, by what is said of them. */
function listGivenUp() {
  return all("SELECT title, given_up FROM articles WHERE given_up IS NOT NULL ORDER BY id");
}

async function open(articles: number, odd = 0): Promise<number> {
  // A refusal may have to wait for other articles.
  bench = await openStormBench(test.db, { CONCURRENCY: "4", ARTICLE_TIMEOUT_SECONDS: "60" });
  bench.startProcess();
  const ids = await addArticles(test.db, articles);
  await test.db.query("UPDATE articles SET title = $1 || ' ' || id WHERE id = ANY ($2)", [
    ODD,
    ids.slice(0, odd),
  ]);
  return articles;
}

describe("every request is refused", () => {
  it.for([["from the first article on", 0], ["in the middle of a session", 8]] as const)(
    "%s: the session pauses with that reason, and no article is given up",
    async ([, before]) => {
      await open(40);
      bench.weather.gemini = afterRequests(before, GEMINI_STORMS.refusing);
      const { number, session_id } = await bench.desk.start({}, "operator:test");
      const paused = await bench.until(number, ({ status, held }) => status === "PAUSED" && held === 0);
      expect(paused).toMatchObject({ reason: "requests_refused", resume_at: null, failed: 0, unknown: 0 });
      expect(bench.gemini.count - before).toBeLessThan(20);
      expect(await listGivenUp()).toEqual([]);
      expect(await all("SELECT rule, level, text FROM alerts WHERE resolved_at IS NULL AND lasting")).toEqual(
        [{
          rule: "provider_refusing",
          level: "critical",
          text: expect.stringMatching(/the provider refuses one request after another: .*thinkingConfig/),
        }],
      );

      bench.weather.gemini = null;
      await bench.desk.resume(number, "operator:test");
      expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 40, failed: 0 });
      expect(await findViolations(test.db, session_id)).toEqual([]);
    },
  );

  it("in a session too small to tell: its articles fail, and are taken up again by a recovery", async () => {
    await open(2);
    bench.weather.gemini = GEMINI_STORMS.refusing;
    const { number, session_id } = await bench.desk.start({}, "operator:test");
    expect(await bench.untilEnded(number)).toMatchObject({ status: "FAILED", failed: 2, spent: 0 });
    expect(await listGivenUp()).toEqual([]);
    bench.weather.gemini = null;
    expect(await bench.desk.recover(number, null, "operator:test")).toMatchObject({
      requeuedFailed: 2,
      permanent: [],
    });
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 2 });
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });
});

describe("one article is refused while others pass", () => {
  it("is given up for good, and pauses nothing", async () => {
    await open(12, 2);
    bench.weather.gemini = refuseOdd(10);
    const { number, session_id } = await bench.desk.start({}, "operator:test");
    const session = await bench.untilEnded(number);
    expect(session).toMatchObject({
      status: "PARTIAL",
      reason: "failures",
      analyzed: 10,
      failed: 2,
      failure_run: 0,
    });
    expect(await listGivenUp()).toEqual([
      { title: expect.stringContaining(ODD), given_up: expect.stringMatching(/refused/) },
      { title: expect.stringContaining(ODD), given_up: expect.stringMatching(/refused/) },
    ]);
    expect(await all("SELECT count(*) AS n FROM session_events WHERE action = 'session_paused'")).toEqual([{
      n: 0,
    }]);
    expect(await findViolations(test.db, session_id)).toEqual([]);

    // What an operator does once the model takes such texts.
    bench.weather.gemini = null;
    expect(await bench.desk.recover(number, null, "operator:test")).toMatchObject({
      requeuedFailed: 0,
      permanent: [{ error_class: "bad_request", articles: 2 }],
    });
    expect(await bench.desk.tryAgain(null, "operator:test")).toHaveLength(2);
    expect(await bench.desk.tryAgain(null, "operator:test")).toEqual([]);
    expect(await listGivenUp()).toEqual([]);
    expect(await bench.desk.recover(number, null, "operator:test")).toMatchObject({ requeuedFailed: 2 });
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 12 });
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });
});

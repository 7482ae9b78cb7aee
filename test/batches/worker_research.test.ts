/** Articles that a worker researches once they are analysed. */
import { afterEach, describe, expect, it } from "vitest";
import type { WireRequest } from "../fakes/wire_server.ts";
import { geminiAnswer } from "../fakes/gemini.ts";
import { tavilyAnswer, tavilyError } from "../fakes/tavily.ts";
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

describe("research", () => {
  const signal = (strength: number) => ({
    ...PLAIN_READING,
    signal_strength: strength,
    weak_signals: [{
      type: "adoption",
      description: "Nodes relay more",
      confidence: 0.8,
      implications: "Fees may fall",
      evidence: ["Nodes relay transactions quickly."],
      timeframe: "SHORT_TERM",
    }],
  });

  function answering(strength: number) {
    return (request: WireRequest) =>
      request.body.includes("weak_signals") ? geminiAnswer({ text: JSON.stringify(signal(strength)) }) : null;
  }

  it("searches for the strongest signal, lets the model judge, and books every call", async () => {
    await open({ gemini: { script: answering(0.9) } });
    const { number } = await bench.startWith(2, { research: "all" });
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 2, held: 0 });
    expect(bench.tavily.count).toBe(2);
    expect(bench.gemini.count).toBe(4);
    const { byUse } = await bench.desk.costs(1);
    expect(byUse.map((use) => [use.kind, use.calls])).toEqual(
      expect.arrayContaining([["analysis", 2], ["search", 2], ["validation", 2]]),
    );
    expect(byUse.find((use) => use.kind === "search")?.spent).toBe(16_000);
    const [analysis] = await all<{ cost: number; research_status: string; paid: number }>(
      `SELECT cost, research_status, (SELECT sum(spent)::bigint FROM paid_calls c WHERE c.article_id = a.article_id) AS paid
       FROM article_analyses a LIMIT 1`,
    );
    expect(analysis.research_status).toBe("VALIDATED");
    expect(analysis.cost).toBe(analysis.paid);
  });

  it("of the top kind leaves articles with weak signals alone and says why", async () => {
    await open({ gemini: { script: answering(0.2) } });
    const { number } = await bench.startWith(1, { research: "top" });
    bench.makeWorker().start();
    await bench.untilEnded(number);
    expect(bench.tavily.count).toBe(0);
    const [{ research }] = await all<{ research: { reason: string } }>(
      "SELECT research FROM article_analyses",
    );
    expect(research.reason).toMatch(/strength/);
  });

  it("that finds nothing is INSUFFICIENT_DATA without paying for a judgement", async () => {
    await open({ gemini: { script: answering(0.9) }, tavily: { script: () => tavilyAnswer([]) } });
    const { number } = await bench.startWith(1, { research: "all" });
    bench.makeWorker().start();
    await bench.untilEnded(number);
    expect(bench.gemini.count).toBe(1);
    const [row] = await all<{ research_status: string }>("SELECT research_status FROM article_analyses");
    expect(row.research_status).toBe("INSUFFICIENT_DATA");
  });

  it("is switched off for the session when the plan is used up, and analysis goes on", async () => {
    await open({
      gemini: { script: answering(0.9) },
      tavily: { script: () => tavilyError(432, "plan limit reached") },
      env: { CONCURRENCY: "1" },
    });
    const { number } = await bench.startWith(5, { research: "all" });
    bench.makeWorker().start();
    const session = await bench.untilEnded(number);
    expect(session).toMatchObject({ status: "COMPLETED", analyzed: 5 });
    expect(session.research_off).toBeTruthy();
    expect(bench.tavily.count).toBeLessThan(3);
  });

  it("without room in the budget leaves the analysis as it is", async () => {
    await open({ gemini: { script: answering(0.9) } });
    await addArticles(test.db, 1);
    const { worstCases } = await bench.desk.estimate({});
    const { number } = await bench.desk.start(
      { research: "all", budget: (worstCases[0] + 100) as never },
      "operator:test",
    );
    bench.makeWorker().start();
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 1, held: 0 });
    expect(bench.tavily.count).toBe(0);
  });
});

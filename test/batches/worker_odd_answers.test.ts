import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { addArticles } from "../helpers/articles.ts";
import { openTestDatabase, type TestDatabase } from "../helpers/database.ts";
import { anyReply } from "../helpers/generated_answers.ts";
import { openWorkerBench } from "../helpers/worker_bench.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());

const ARTICLES = 400;

it("1,000 generated answers neither crash the worker nor upset the books", async () => {
  // 429 and 503 ask to wait for half a minute and more; they have tests of their own.
  const replies = fc.sample(
    anyReply.filter((reply) => reply.kind !== "answer" || (reply.status !== 429 && reply.status !== 503)),
    1_000,
  );
  let given = 0;
  const bench = await openWorkerBench(test.db, {
    gemini: { record: false, script: () => replies[given++] ?? null },
    env: {
      MAX_ATTEMPTS: "8",
      CONCURRENCY: "16",
      MAX_SESSION_ARTICLES: String(ARTICLES),
      BATCH_BUDGET_USD: "1000",
    },
  });
  try {
    await addArticles(test.db, ARTICLES);
    const { number } = await bench.desk.start({}, "operator:test");
    bench.makeWorker().start();
    // A refused key or a long run of failures pauses it, as it should; an operator would resume.
    const ended = await bench.until(number, (session) => {
      if (session.status === "PAUSED") void bench.desk.resume(number, "operator:test").catch(() => {});
      return ["COMPLETED", "PARTIAL", "FAILED"].includes(session.status);
    });
    expect(given).toBeGreaterThanOrEqual(1_000);
    expect(ended.analyzed + ended.failed).toBe(ARTICLES);
    expect(ended.analyzed).toBeGreaterThan(0);
    expect(ended.failed).toBeGreaterThan(0);
    expect(ended).toMatchObject({ held: 0, stale_writes: 0 });
    const { rows: [books] } = await test.db.query<Record<string, number>>(
      `SELECT sum(spent)::bigint AS spent, sum(overrun)::bigint AS overrun,
         count(*) FILTER (WHERE coalesce(failure, '') NOT IN ('not_sent', 'circuit_open')) AS sent,
         (SELECT count(*) FROM article_analyses) AS analyses
       FROM paid_calls`,
    );
    expect(books).toEqual({
      spent: ended.spent,
      overrun: ended.overrun,
      sent: given,
      analyses: ended.analyzed,
    });
  } finally {
    await bench.close();
  }
}, 120_000);

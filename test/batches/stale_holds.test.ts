/** A hold covers the request that leaves, also when the text, the prompt or the price has grown since it was planned. */
import { afterEach, describe, expect, it } from "vitest";
import { worstCaseOf } from "../../lib/budget/estimate.ts";
import { requirePrice } from "../../lib/budget/prices.ts";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import type { Session } from "../../lib/batches/types.ts";
import { type Micros, micros } from "../../lib/money.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { geminiError } from "../fakes/gemini.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { openWorkerBench, type WorkerBench } from "../helpers/worker_bench.ts";
import { readSession } from "./work_session.ts";

const test = useTestDatabase();
let bench: WorkerBench;
afterEach(() => bench.close());

/** More than a text of `addArticles` costs at most, for about six times its length. */
const GROWN_CHARS = 9_000;

async function all<Row extends object>(text: string, params: unknown[] = []): Promise<Row[]> {
  return (await test.db.query<Row>(text, params)).rows;
}

async function grow(article: number, chars = GROWN_CHARS): Promise<void> {
  await test.db.query(
    "UPDATE articles SET body = repeat('x', $2), body_bytes = $2, body_chars = $2 WHERE id = $1",
    [
      article,
      chars,
    ],
  );
}

/** The most that the analysis of this article can cost, by the list's prices. */
async function costNow(article: number): Promise<Micros> {
  const { gemini } = bench.config;
  const [{ text_bytes }] = await all<{ text_bytes: number }>(
    "SELECT text_bytes FROM articles WHERE id = $1",
    [
      article,
    ],
  );
  return worstCaseOf(
    createAnalysts(bench.config).analyst("gemini", gemini.model),
    requirePrice(gemini.model, new Date(), null),
    text_bytes,
  );
}

/** Calls of an article in their order. */
function listCalls(article: number) {
  return all<{ state: string; amount: Micros; attempt: number }>(
    "SELECT state, amount, attempt FROM paid_calls WHERE article_id = $1 ORDER BY call_id",
    [article],
  );
}

async function expectSound({ session_id }: Session): Promise<void> {
  expect(await readSession(test.db, session_id)).toMatchObject({ held: 0, overrun: 0, stale_writes: 0 });
  expect(await findViolations(test.db, session_id)).toEqual([]);
}

describe("an article whose hold no longer covers it", () => {
  it("is not sent but held anew, and loses no attempt", async () => {
    bench = await openWorkerBench(test.db);
    const [grown, , same] = await addArticles(test.db, 4);
    const { number } = await bench.desk.start({}, "operator:test");
    const planned = await costNow(grown);
    await grow(grown);
    bench.makeWorker().start();
    const session = await bench.untilEnded(number);
    expect(session).toMatchObject({ status: "COMPLETED", analyzed: 4, retries: 0 });
    expect(await listCalls(grown)).toEqual([
      { state: "RELEASED", amount: planned, attempt: 1 },
      { state: "SETTLED", amount: await costNow(grown), attempt: 1 },
    ]);
    expect(await listCalls(same)).toHaveLength(1);
    expect(bench.gemini.count).toBe(4);
    await expectSound(session);
  });

  it("is held at the price of now, which may have doubled", async () => {
    bench = await openWorkerBench(test.db);
    const articles = await addArticles(test.db, 3);
    const { number } = await bench.desk.start({}, "operator:test");
    const { perMillion } = requirePrice(bench.config.gemini.model, new Date(), null);
    const twice = (usd: number) => micros(Math.round(usd * 2_000_000));
    bench.makeWorker({
      handPrice: { input: twice(perMillion.input), output: twice(perMillion.output) },
    }).start();
    const session = await bench.untilEnded(number);
    expect(session).toMatchObject({ status: "COMPLETED", analyzed: 3, retries: 0 });
    for (const article of articles) {
      const [released, settled] = await listCalls(article);
      expect(released.state).toBe("RELEASED");
      // Each is rounded up by itself.
      expect(settled.amount).toBeGreaterThanOrEqual(2 * released.amount - 1);
    }
    expect(bench.gemini.count).toBe(3);
    await expectSound(session);
  });

  it("is left out when it does not fit the whole budget, and does not stand in the way of the others", async () => {
    bench = await openWorkerBench(test.db);
    const [grown] = await addArticles(test.db, 4);
    const budget = micros(3 * await costNow(grown));
    const { number } = await bench.desk.start({ budget }, "operator:test");
    await grow(grown, 200_000);
    bench.makeWorker().start();
    const session = await bench.untilEnded(number);
    expect(session).toMatchObject({
      status: "PARTIAL",
      reason: "budget",
      analyzed: 3,
      skipped: 1,
      failed: 0,
    });
    expect(bench.gemini.count).toBe(3);
    expect(
      await all("SELECT status, reason, attempts FROM batch_processing_items WHERE article_id = $1", [grown]),
    )
      .toEqual([{ status: "SKIPPED", reason: "budget", attempts: 0 }]);
    await expectSound(session);

    const needed = micros(session.spent + await costNow(grown));
    expect(await bench.desk.recover(number, null, "operator:test")).toMatchObject({
      requeuedSkipped: 0,
      shortOf: "budget",
      needed,
    });
    await bench.desk.recover(number, needed, "operator:test");
    expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 4 });
    await expectSound(session);
  });
});

describe("a recovery", () => {
  it("holds each article for what it can cost now", async () => {
    let refuse = true;
    bench = await openWorkerBench(test.db, {
      gemini: { script: () => refuse ? geminiError(500, "INTERNAL", "broken") : null },
      env: { MAX_ATTEMPTS: "1" },
    });
    const [grown, shrunk] = await addArticles(test.db, 3, 3_000);
    const { number } = await bench.desk.start({}, "operator:test");
    bench.makeWorker().start();
    await bench.untilEnded(number);
    refuse = false;
    await grow(grown);
    await grow(shrunk, 1_500);
    const before = bench.gemini.count;
    await bench.desk.recover(number, null, "operator:test");
    const session = await bench.untilEnded(number);
    expect(session).toMatchObject({ status: "COMPLETED", analyzed: 3 });
    for (const article of [grown, shrunk]) {
      const [, ...since] = await listCalls(article);
      expect(since).toEqual([{ state: "SETTLED", amount: await costNow(article), attempt: 2 }]);
    }
    expect(bench.gemini.count - before).toBe(3);
    await expectSound(session);
  });

  it("leaves out what grew beyond the whole budget, and takes up the others", async () => {
    let refuse = true;
    bench = await openWorkerBench(test.db, {
      gemini: { script: () => refuse ? geminiError(500, "INTERNAL", "broken") : null },
      env: { MAX_ATTEMPTS: "1" },
    });
    const [grown] = await addArticles(test.db, 3);
    const budget = micros(3 * await costNow(grown));
    const { number } = await bench.desk.start({ budget }, "operator:test");
    bench.makeWorker().start();
    await bench.untilEnded(number);
    refuse = false;
    await grow(grown, 200_000);
    expect(await bench.desk.recover(number, null, "operator:test")).toMatchObject({
      requeuedFailed: 2,
      withoutBudget: 1,
      shortOf: "budget",
      needed: await costNow(grown),
    });
    const session = await bench.untilEnded(number);
    expect(session).toMatchObject({ status: "PARTIAL", analyzed: 2, failed: 1 });
    await expectSound(session);
  });
});

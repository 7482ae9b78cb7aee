/** What a worker does with claims that ran out while they waited for their turn. */
import { afterEach, expect, it } from "vitest";
import type { Database } from "../../lib/database/port.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { openWorkerBench, type WorkerBench } from "../helpers/worker_bench.ts";

const test = useTestDatabase();
let bench: WorkerBench;
afterEach(() => bench.close());

const LEASE_MS = 250;

/** As a frozen process finds it: nobody has renewed its claims. */
function withoutRenewals(db: Database): Database {
  return {
    ...db,
    query: (text, params, prepareAs) =>
      text.includes("SET lease_until") && text.startsWith("WITH kept")
        ? Promise.reject(new Error("the renewal did not come through"))
        : db.query(text, params, prepareAs),
  };
}

it("a claim that ran out while it waited for its turn is given back unsent, and sent under a new one", async () => {
  await addArticles(test.db, 12);
  bench = await openWorkerBench(test.db, { gemini: { latencyMs: 400 }, env: { CONCURRENCY: "2" } });
  const { number } = await bench.desk.start({}, "operator:test");
  bench.makeWorker({ db: withoutRenewals(test.db), leaseMs: LEASE_MS }).start();
  expect(await bench.untilEnded(number)).toMatchObject({ status: "COMPLETED", analyzed: 12 });
  const { rows: unsent } = await test.db.query(
    "SELECT spent FROM paid_calls WHERE state = 'RELEASED' AND failure = 'not_sent'",
  );
  expect(unsent.length).toBeGreaterThan(0);
  const { rows: sent } = await test.db.query("SELECT 1 FROM paid_calls WHERE state = 'SETTLED'");
  expect(bench.gemini.count).toBe(12);
  expect(sent).toHaveLength(12);
});

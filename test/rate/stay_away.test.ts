/** Workers with gates of their own, as in processes of their own, and a provider that turns one of them away. */
import { afterEach, expect, it } from "vitest";
import { CallGate } from "../../lib/batches/worker/call_gate.ts";
import { shareRate } from "../../lib/batches/worker/shared_rate.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { geminiError } from "../fakes/gemini.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { openWorkerBench, type WorkerBench } from "../helpers/worker_bench.ts";

const test = useTestDatabase();
let bench: WorkerBench;
afterEach(() => bench.close());

const WAIT_MS = 8_000;
/** What was under way or reserved at that moment still arrives, on a loaded machine this late at the most. */
const LATE_MS = 5_000;
const LATENCY_MS = 400;

it("a provider's wait is kept by every worker, costs no attempt, and all of them go on", async () => {
  const retryInfo = {
    "@type": "type.googleapis.com/google.rpc.RetryInfo",
    retryDelay: `${WAIT_MS / 1_000}s`,
  };
  const arrivals: number[] = [];
  let turnedAwayAt: number | null = null;
  bench = await openWorkerBench(test.db, {
    gemini: {
      latencyMs: LATENCY_MS,
      script() {
        arrivals.push(performance.now());
        if (turnedAwayAt !== null || arrivals.length < 20) return null;
        turnedAwayAt = performance.now();
        return { ...geminiError(429, "RESOURCE_EXHAUSTED", "slow down", [retryInfo]), delayMs: 0 };
      },
    },
    // So few a minute that each of them asks the database again within a moment.
    env: { CONCURRENCY: "6", MAX_ATTEMPTS: "1", GEMINI_RPM: "3000", BATCH_BUDGET_USD: "5" },
  });
  await addArticles(test.db, 120);
  const { number, session_id } = await bench.desk.start({}, "operator:test");
  for (const _ of [1, 2, 3]) {
    bench.makeWorker({ gate: new CallGate({ rate: shareRate(test.db, "gemini", 3_000) }) }).start();
  }
  const session = await bench.untilEnded(number);
  expect(session).toMatchObject({
    status: "COMPLETED",
    analyzed: 120,
    retries: 0,
    spent: expect.any(Number),
  });
  const after = arrivals.map((at) => at - turnedAwayAt!);
  expect(after.filter((ms) => ms > LATE_MS && ms < WAIT_MS - 50)).toEqual([]);
  expect(after.filter((ms) => ms > LATE_MS).length).toBeGreaterThan(50);
  // One article of each worker asks whether it is later; only then do the others follow.
  const asking = after.filter((ms) => ms >= WAIT_MS - 50 && ms < WAIT_MS + LATENCY_MS - 50);
  expect(asking.length).toBeGreaterThan(0);
  expect(asking.length).toBeLessThanOrEqual(3);
  const { rows } = await test.db.query(
    `SELECT count(DISTINCT actor)::int AS workers, (SELECT max(attempts) FROM batch_processing_items) AS attempts
     FROM session_events WHERE action = 'item_analyzed'`,
  );
  expect(rows).toEqual([{ workers: 3, attempts: 1 }]);
  expect(await findViolations(test.db, session_id)).toEqual([]);
});

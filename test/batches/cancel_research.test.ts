/** A session that is cancelled, or whose searches end, while articles are being researched. */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Failure } from "../../lib/analysis/port.ts";
import { CallGate } from "../../lib/batches/worker/call_gate.ts";
import { FollowUps } from "../../lib/batches/worker/follow_ups.ts";
import { shareRate } from "../../lib/batches/worker/shared_rate.ts";
import type { Database } from "../../lib/database/port.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { openWorkerBench, type WorkerBench } from "../helpers/worker_bench.ts";
import { addWork, readSession } from "./work_session.ts";

const test = useTestDatabase();

describe("a session that is cancelled while an article is researched", () => {
  let bench: WorkerBench;
  afterEach(() => bench.close());

  it("ends with the article analysed and its research left out, at once and without a lost claim", async () => {
    const cancelled = Promise.withResolvers<null>();
    bench = await openWorkerBench(test.db, {
      tavily: { script: () => cancelled.promise },
      env: { RESEARCH: "all" },
    });
    await addArticles(test.db, 1);
    const { number, session_id } = await bench.desk.start({}, "operator:test");
    bench.makeWorker().start();
    await vi.waitFor(() => expect(bench.tavily.count).toBe(1), 10_000);
    await bench.desk.cancel(number, "operator:test");
    cancelled.resolve(null);
    const session = await bench.until(number, ({ analyzed, held }) => analyzed === 1 && held === 0);
    expect(session).toMatchObject({ status: "CANCELLED", failed: 0, unknown: 0, stale_writes: 0 });
    const { rows } = await test.db.query(
      "SELECT i.status, i.error_class, a.research_status, a.research ->> 'reason' AS reason FROM batch_processing_items i JOIN article_analyses a USING (article_id)",
    );
    expect(rows).toEqual([{
      status: "ANALYZED",
      error_class: null,
      research_status: "INSUFFICIENT_DATA",
      reason: "the session was cancelled before it was researched",
    }]);
    // Only the search that was out; no validation.
    expect(bench.gemini.count).toBe(1);
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });
});

describe("searches that are switched off", () => {
  const PLAN_IS_EMPTY: Failure = {
    failure: "plan_limit",
    action: "stop_research",
    billing: "NOT_BILLED",
    message: "The plan's credits are used up",
  };

  function makeFollowUps(db: Database): FollowUps {
    return new FollowUps({
      db,
      workerId: "worker:test",
      gate: new CallGate({ rate: shareRate(db, "gemini", 1_000) }),
      log: () => {},
      giveBack: () => {},
      chooseAnew: () => {},
      wake: () => {},
    });
  }

  it("stay off only if that was written: else the next refusal writes it", async () => {
    const { session_id } = await addWork(test.db, 1);
    // The database, away for what is written.
    const gone: Database = { ...test.db, transaction: () => Promise.reject(new Error("away")) };
    const cutOff = makeFollowUps(gone);
    cutOff.afterFailure(session_id, 1, PLAN_IS_EMPTY);
    expect("researchOff" in cutOff.researchIsOff(session_id)).toBe(true);
    await vi.waitFor(() => expect("researchOff" in cutOff.researchIsOff(session_id)).toBe(false));

    const connected = makeFollowUps(test.db);
    connected.afterFailure(session_id, 1, PLAN_IS_EMPTY);
    await vi.waitFor(
      async () => expect((await readSession(test.db, session_id)).research_off).toBe(PLAN_IS_EMPTY.message),
      10_000,
    );
    expect("researchOff" in connected.researchIsOff(session_id)).toBe(true);
  });
});

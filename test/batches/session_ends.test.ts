import { describe, expect, it } from "vitest";
import {
  cancelSession,
  finishIfDone,
  pauseSession,
  resumeSession,
} from "../../lib/batches/change_session.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import {
  addWork,
  analyse,
  claim,
  countItems,
  fail,
  listBatchStates,
  readSession,
  workToTheEnd,
} from "./work_session.ts";

const test = useTestDatabase();

describe("a paused session", () => {
  it("lets articles under way settle, claims nothing, and goes on where it was", async () => {
    const { session_id } = await addWork(test.db, 4);
    const underWay = await claim(test.db, session_id, 2);
    await pauseSession(test.db, session_id, "test", "operator");
    expect(await claim(test.db, session_id, 2)).toEqual([]);
    expect(await analyse(test.db, session_id, underWay)).toEqual(["applied", "applied"]);
    expect(await readSession(test.db, session_id)).toMatchObject({ status: "PAUSED", analyzed: 2, held: 0 });
    await resumeSession(test.db, session_id, "test");
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "COMPLETED", reason: null });
  });

  it("whose last article settles has ended", async () => {
    const { session_id } = await addWork(test.db, 1);
    const underWay = await claim(test.db, session_id, 1);
    await pauseSession(test.db, session_id, "test", "operator");
    await analyse(test.db, session_id, underWay);
    expect(await finishIfDone(test.db, session_id, "test")).toBe(true);
    expect((await readSession(test.db, session_id)).status).toBe("COMPLETED");
  });

  it("keeps its reason while it is paused and loses it when it goes on", async () => {
    const { session_id } = await addWork(test.db, 1);
    await pauseSession(test.db, session_id, "w1", "quota_exhausted", { error: "the purse is empty" });
    expect((await readSession(test.db, session_id)).reason).toBe("quota_exhausted");
    expect(await pauseSession(test.db, session_id, "test", "operator")).toMatchObject({
      reason: "quota_exhausted",
    });
    expect(await resumeSession(test.db, session_id, "test")).toMatchObject({ reason: null, failure_run: 0 });
  });
});

describe("a cancelled session", () => {
  it("skips what waits and keeps the analyses of what is under way", async () => {
    const { session_id } = await addWork(test.db, 6);
    const underWay = await claim(test.db, session_id, 3);
    const cancelled = await cancelSession(test.db, session_id, "test");
    expect(cancelled).toMatchObject({ status: "CANCELLED", reason: "cancelled", skipped: 3 });
    expect(await listBatchStates(test.db, session_id)).toEqual(["PROCESSING", "PROCESSING", "CANCELLED"]);
    expect(await analyse(test.db, session_id, underWay)).toEqual(["applied", "applied", "applied"]);
    expect(await countItems(test.db, session_id)).toEqual({ "ANALYZED": 3, "SKIPPED cancelled": 3 });
    expect(await listBatchStates(test.db, session_id)).toEqual(["COMPLETED", "PARTIAL", "CANCELLED"]);
    expect(await readSession(test.db, session_id)).toMatchObject({
      status: "CANCELLED",
      held: 0,
      analyzed: 3,
    });
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("queues nothing again: what fails is FAILED, what was only put back is SKIPPED", async () => {
    const { session_id } = await addWork(test.db, 2);
    const [failing, waiting] = await claim(test.db, session_id, 2);
    await cancelSession(test.db, session_id, "test");
    await fail(test.db, session_id, [failing], "retry");
    await fail(test.db, session_id, [waiting], "wait");
    expect(await countItems(test.db, session_id)).toEqual({ "FAILED": 1, "SKIPPED cancelled": 1 });
    expect(await listBatchStates(test.db, session_id)).toEqual(["FAILED"]);
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("gives its articles free for other sessions, whatever became of them", async () => {
    const articles = await addArticles(test.db, 3, 40);
    const { session_id } = await addSession(test.db, { articles, budget: micros(9_000) });
    const [failing, waiting] = await claim(test.db, session_id, 2);
    await cancelSession(test.db, session_id, "test");
    await fail(test.db, session_id, [failing], "retry");
    await fail(test.db, session_id, [waiting], "wait");
    expect((await addSession(test.db, { articles, budget: micros(9_000) })).total).toBe(3);
  });
});

describe("a session ends", () => {
  it("COMPLETED without a reason when every article is analysed", async () => {
    const { session_id } = await addWork(test.db, 3);
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "COMPLETED", reason: null });
  });

  it("PARTIAL because of failures when some articles failed", async () => {
    const { session_id } = await addWork(test.db, 3, 1_000_000, { maxAttempts: 1 });
    await fail(test.db, session_id, await claim(test.db, session_id, 1), "retry");
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "PARTIAL", reason: "failures" });
  });

  it("PARTIAL because of the budget when the next article does not fit", async () => {
    const { session_id } = await addWork(test.db, 12, 2_000);
    const ended = await workToTheEnd(test.db, session_id);
    expect(ended).toMatchObject({ status: "PARTIAL", reason: "budget", held: 0 });
    expect(ended.budget - ended.spent).toBeLessThan(1_000);
  });

  it("FAILED because of the budget when not even one article fits", async () => {
    const { session_id } = await addWork(test.db, 2, 500);
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({
      status: "FAILED",
      reason: "budget",
      skipped: 2,
    });
    expect(await listBatchStates(test.db, session_id)).toEqual(["CANCELLED"]);
  });

  it("PARTIAL because of the day's cap when the day has no room", async () => {
    const { session_id } = await addWork(test.db, 3);
    await test.db.query("UPDATE day_budgets SET budget = 1000");
    await analyse(test.db, session_id, await claim(test.db, session_id, 1));
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({
      status: "PARTIAL",
      reason: "day_budget",
    });
  });

  it("FAILED because of failures when none is analysed", async () => {
    const { session_id } = await addWork(test.db, 2);
    await fail(test.db, session_id, await claim(test.db, session_id, 2), "give_up");
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "FAILED", reason: "failures" });
  });

  it("for the money that was missing rather than for a failure beside it", async () => {
    const { session_id } = await addWork(test.db, 4, 1_500, { maxAttempts: 1 });
    await fail(test.db, session_id, await claim(test.db, session_id, 1), "retry");
    await analyse(test.db, session_id, await claim(test.db, session_id, 1));
    await test.db.query("UPDATE batch_processing_items SET worst_case = 5000 WHERE status = 'PENDING'");
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "PARTIAL", reason: "budget" });
  });

  it("not while money is out that may come back", async () => {
    const { session_id } = await addWork(test.db, 3, 2_000);
    const items = await claim(test.db, session_id, 2);
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "PROCESSING", skipped: 0 });
    await analyse(test.db, session_id, items);
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "COMPLETED" });
  });
});

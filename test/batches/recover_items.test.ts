import { describe, expect, it } from "vitest";
import { changeBudget } from "../../lib/batches/change_budget.ts";
import { cancelSession, finishIfDone, pauseSession } from "../../lib/batches/change_session.ts";
import { reclaimExpired } from "../../lib/batches/leases.ts";
import { recoverSession } from "../../lib/batches/recover_items.ts";
import { resolveUnknown } from "../../lib/batches/resolve_unknown.ts";
import type { Session } from "../../lib/batches/types.ts";
import { changeDayCap } from "../../lib/budget/changed_settings.ts";
import { ensureDay } from "../../lib/budget/ledger/day_budget.ts";
import { UserError } from "../../lib/errors.ts";
import { type Micros, micros } from "../../lib/money.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import {
  addWork,
  analyse,
  claim,
  countItems,
  fail,
  failBilled,
  LEASE_MS,
  listBatchStates,
  readSession,
  workToTheEnd,
} from "./work_session.ts";

const test = useTestDatabase();

function recover(session: Session, budget: Micros | null = null) {
  return recoverSession(test.db, session.session_id, budget, "test");
}

async function failAll(session: Session): Promise<void> {
  await test.db.query("UPDATE batch_processing_items SET not_before = now() WHERE status = 'PENDING'");
  await fail(test.db, session.session_id, await claim(test.db, session.session_id, 20), "retry");
  await finishIfDone(test.db, session.session_id, "test");
}

describe("recovery of failed articles", () => {
  it("gives them new attempts, and the batches count right at once and when they end again", async () => {
    const session = await addWork(test.db, 5, 1_000_000, { maxAttempts: 1 });
    const items = await claim(test.db, session.session_id, 3);
    await fail(test.db, session.session_id, items.slice(0, 2), "retry");
    await analyse(test.db, session.session_id, items.slice(2));
    await workToTheEnd(test.db, session.session_id);
    expect(await listBatchStates(test.db, session.session_id)).toEqual(["FAILED", "COMPLETED", "COMPLETED"]);

    const { session: recovered, requeuedFailed } = await recover(session);
    expect(requeuedFailed).toBe(2);
    expect(recovered).toMatchObject({ status: "PROCESSING", reason: null, failed: 0, analyzed: 3 });
    expect(recovered.finished_at).toBeNull();
    expect(await listBatchStates(test.db, session.session_id)).toEqual(["PENDING", "COMPLETED", "COMPLETED"]);
    expect(await findViolations(test.db, session.session_id)).toEqual([]);

    expect(await workToTheEnd(test.db, session.session_id)).toMatchObject({
      status: "COMPLETED",
      analyzed: 5,
    });
    expect(await listBatchStates(test.db, session.session_id)).toEqual([
      "COMPLETED",
      "COMPLETED",
      "COMPLETED",
    ]);
    expect(await findViolations(test.db, session.session_id)).toEqual([]);
  });

  it("leaves permanent failures alone and names them", async () => {
    const session = await addWork(test.db, 3, 1_000_000, { maxAttempts: 1 });
    const [blocked, ...rest] = await claim(test.db, session.session_id, 3);
    await fail(test.db, session.session_id, [blocked], "give_up");
    await fail(test.db, session.session_id, rest, "retry");
    await finishIfDone(test.db, session.session_id, "test");
    const report = await recover(session);
    expect(report.requeuedFailed).toBe(2);
    expect(report.permanent).toEqual([
      { error_class: "blocked", articles: 1, example: "the model refuses this text" },
    ]);
    expect(await countItems(test.db, session.session_id)).toEqual({ FAILED: 1, PENDING: 2 });
  });

  it("with nothing but permanent failures changes nothing and says so", async () => {
    const session = await addWork(test.db, 1, 1_000_000, { maxAttempts: 1 });
    await fail(test.db, session.session_id, await claim(test.db, session.session_id, 1), "give_up");
    await finishIfDone(test.db, session.session_id, "test");
    const report = await recover(session);
    expect(report).toMatchObject({ requeuedFailed: 0, requeuedSkipped: 0 });
    expect(report.permanent).toHaveLength(1);
    expect(report.session.status).toBe("FAILED");
  });

  it("ends after three rounds for an article, and counts it as exhausted", async () => {
    const session = await addWork(test.db, 1, 1_000_000, { maxAttempts: 1 });
    await failAll(session);
    for (let round = 1; round <= 3; round++) {
      expect(await recover(session)).toMatchObject({ requeuedFailed: 1, exhausted: 0 });
      await failAll(session);
    }
    const report = await recover(session);
    expect(report).toMatchObject({ requeuedFailed: 0, exhausted: 1 });
    expect(report.session.status).toBe("FAILED");
  });

  it("gives as many new attempts as the session allows, and each round waits longer before the next", async () => {
    const session = await addWork(test.db, 1, 1_000_000, { maxAttempts: 1, retryBaseMs: 10_000 });
    const waits: number[] = [];
    for (let round = 0; round < 3; round++) {
      await failAll(session);
      await recover(session);
      const { rows: [item] } = await test.db.query<{ wait_ms: number; left: number }>(
        `SELECT round(extract(epoch FROM not_before - updated_at) * 1000)::bigint AS wait_ms,
           max_attempts - attempts AS left
         FROM batch_processing_items`,
      );
      expect(item.left).toBe(1);
      waits.push(item.wait_ms);
    }
    expect(waits).toEqual([10_000, 20_000, 40_000]);
    expect(await claim(test.db, session.session_id, 1)).toEqual([]);
  });

  it("leaves articles alone that another session analysed or has taken meanwhile", async () => {
    const articles = await addArticles(test.db, 3, 40);
    const settings = { maxAttempts: 1 };
    const first = await addSession(test.db, { articles, budget: micros(90_000), settings });
    await failAll(first);
    const second = await addSession(test.db, { articles: articles.slice(0, 2), budget: micros(90_000) });
    await analyse(test.db, second.session_id, await claim(test.db, second.session_id, 1));
    await pauseSession(test.db, second.session_id, "test", "operator");

    expect(await recover(first)).toMatchObject({ requeuedFailed: 1, elsewhere: 2 });
    expect(await workToTheEnd(test.db, first.session_id)).toMatchObject({ status: "PARTIAL", analyzed: 1 });
    const { rows } = await test.db.query(
      "SELECT article_id FROM article_analyses GROUP BY 1 HAVING count(*) > 1",
    );
    expect(rows).toEqual([]);
  });

  it("leaves articles alone that another session gave up for good", async () => {
    const session = await addWork(test.db, 2, 1_000_000, { maxAttempts: 1 });
    await failAll(session);
    await test.db.query("UPDATE articles SET given_up = 'the model refuses this text' WHERE id = 1");
    expect(await recover(session)).toMatchObject({ requeuedFailed: 1, elsewhere: 1 });
  });

  it("grants a wish that arrives twice once, also when the articles have failed again meanwhile", async () => {
    const session = await addWork(test.db, 2, 1_000_000, { maxAttempts: 1 });
    await failAll(session);
    const { rows: [{ asked }] } = await test.db.query<{ asked: Date }>("SELECT clock_timestamp() AS asked");
    const wish = () => recoverSession(test.db, session.session_id, null, "test", { endedBefore: asked });
    expect(await wish()).toMatchObject({ requeuedFailed: 2 });
    await failAll(session);
    expect(await wish()).toMatchObject({ requeuedFailed: 0, withoutBudget: 0 });
    expect((await readSession(test.db, session.session_id)).status).toBe("FAILED");
    expect(await recover(session)).toMatchObject({ requeuedFailed: 2 });
  });

  it("of a cancelled session leaves the articles alone that were cancelled", async () => {
    const session = await addWork(test.db, 4, 1_000_000, { maxAttempts: 1 });
    const items = await claim(test.db, session.session_id, 2);
    await cancelSession(test.db, session.session_id, "test");
    await fail(test.db, session.session_id, items.slice(0, 1), "retry");
    expect(await recover(session)).toMatchObject({ requeuedFailed: 1, requeuedSkipped: 0 });
    expect(await countItems(test.db, session.session_id)).toEqual({
      "PENDING": 1,
      "PROCESSING": 1,
      "SKIPPED cancelled": 2,
    });
    expect(await findViolations(test.db, session.session_id)).toEqual([]);
    await analyse(test.db, session.session_id, items.slice(1));
    expect(await workToTheEnd(test.db, session.session_id)).toMatchObject({
      status: "PARTIAL",
      reason: "cancelled",
      analyzed: 2,
    });
    expect(await findViolations(test.db, session.session_id)).toEqual([]);
  });
});

describe("recovery of articles skipped for money", () => {
  it("takes a higher budget, and finishes with it", async () => {
    const session = await addWork(test.db, 5, 1_300, { maxAttempts: 1 });
    const short = await workToTheEnd(test.db, session.session_id);
    expect(short).toMatchObject({ status: "PARTIAL", reason: "budget" });
    expect(await recover(session)).toMatchObject({ requeuedSkipped: 0, withoutBudget: short.skipped });

    const report = await recover(session, micros(50_000));
    expect(report).toMatchObject({ requeuedSkipped: short.skipped, withoutBudget: 0 });
    expect(report.session).toMatchObject({ status: "PROCESSING", budget: 50_000, skipped: 0 });
    expect(await workToTheEnd(test.db, session.session_id)).toMatchObject({
      status: "COMPLETED",
      analyzed: 5,
    });
    expect(await findViolations(test.db, session.session_id)).toEqual([]);
  });

  it("takes no higher budget when it was the day that was short and the day has room again", async () => {
    const session = await addWork(test.db, 3, 1_000_000, { maxAttempts: 1 });
    await ensureDay(test.db, false, micros(1_000));
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 1));
    expect(await workToTheEnd(test.db, session.session_id)).toMatchObject({
      reason: "day_budget",
      skipped: 2,
    });
    expect(await recover(session)).toMatchObject({ requeuedSkipped: 0, withoutBudget: 2 });

    await changeDayCap(test.db, micros(9_000), { configured: null, simulated: false, actor: "test" });
    expect(await recover(session)).toMatchObject({ requeuedSkipped: 2, withoutBudget: 0 });
    expect(await workToTheEnd(test.db, session.session_id)).toMatchObject({ status: "COMPLETED" });
  });

  it("takes no new budget when the cap was raised before, or money came back", async () => {
    const raised = await addWork(test.db, 5, 1_300, { maxAttempts: 1 });
    const { skipped } = await workToTheEnd(test.db, raised.session_id);
    await changeBudget(test.db, raised.session_id, micros(50_000), "test");
    expect(await recover(raised)).toMatchObject({
      requeuedSkipped: skipped,
      withoutBudget: 0,
      shortOf: null,
    });
    await workToTheEnd(test.db, raised.session_id);

    const charged = await addWork(test.db, 2, 1_500);
    await claim(test.db, charged.session_id, 1);
    await cancelSession(test.db, charged.session_id, "test");
    await reclaimExpired(test.db, "cleanup", new Date(Date.now() + 2 * LEASE_MS));
    expect(await recover(charged)).toMatchObject({ requeuedFailed: 0, withoutBudget: 1, shortOf: "budget" });
    await resolveUnknown(test.db, { session: charged.number }, "unpaid", "test");
    expect(await recover(charged)).toMatchObject({ requeuedFailed: 1, withoutBudget: 0, shortOf: null });
  });

  it("raises the budget, but not far enough for the next article: nothing is queued, and it says so", async () => {
    const session = await addWork(test.db, 5, 1_300, { maxAttempts: 1 });
    const short = await workToTheEnd(test.db, session.session_id);
    const report = await recover(session, micros(short.spent + 999));
    expect(report).toMatchObject({
      requeuedSkipped: 0,
      withoutBudget: short.skipped,
      shortOf: "budget",
      needed: short.spent + 1_000,
    });
    expect(report.session).toMatchObject({ status: "PARTIAL", budget: short.spent + 999 });
    expect(await recover(session, micros(short.spent + 1_000))).toMatchObject({
      requeuedSkipped: short.skipped,
    });
  });

  it("costs a failed article none of its recoveries while there is no money for it", async () => {
    const session = await addWork(test.db, 1, 1_999, { maxAttempts: 1 });
    const [item] = await claim(test.db, session.session_id, 1);
    const [verdict] = await failBilled(test.db, session.session_id, [item]);
    expect(verdict).toBe("applied");
    await finishIfDone(test.db, session.session_id, "test");
    for (let round = 0; round < 5; round++) {
      expect(await recover(session)).toMatchObject({
        requeuedFailed: 0,
        withoutBudget: 1,
        shortOf: "budget",
      });
    }
    expect(await recover(session, micros(2_000))).toMatchObject({ requeuedFailed: 1, exhausted: 0 });
  });

  it("names the day when it is the day that is short", async () => {
    const session = await addWork(test.db, 3, 1_000_000, { maxAttempts: 1 });
    await ensureDay(test.db, false, micros(1_000));
    await workToTheEnd(test.db, session.session_id);
    expect(await recover(session, micros(2_000_000))).toMatchObject({
      requeuedSkipped: 0,
      shortOf: "day_budget",
      needed: 1_100,
    });
    const tomorrow = new Date(Date.now() + 86_400_000);
    expect(
      await recoverSession(test.db, session.session_id, null, "test", { now: tomorrow }),
    ).toMatchObject({ requeuedSkipped: 2, shortOf: null });
  });

  it("writes the new cap into the audit trail", async () => {
    const session = await addWork(test.db, 2, 1_000, { maxAttempts: 1 });
    await workToTheEnd(test.db, session.session_id);
    await recover(session, micros(7_000));
    const { rows } = await test.db.query(
      "SELECT actor, detail FROM session_events WHERE action = 'budget_changed'",
    );
    expect(rows).toEqual([{ actor: "test", detail: { from: 1_000, to: 7_000 } }]);
  });
});

describe("a budget given to a recovery", () => {
  it("below what is spent and held is refused in one line, and nothing changes", async () => {
    const session = await addWork(test.db, 2, 2_500, { maxAttempts: 1 });
    const items = await claim(test.db, session.session_id, 2);
    await cancelSession(test.db, session.session_id, "test");
    await fail(test.db, session.session_id, items.slice(0, 1), "retry");
    const before = await readSession(test.db, session.session_id);
    await expect(recover(session, micros(999))).rejects.toThrow(
      new UserError(
        "Cannot set the budget of session 1: wanted at least $0.001000, of which $0.000000 are spent and " +
          "$0.001000 held, got $0.000999",
      ),
    );
    expect(await readSession(test.db, session.session_id)).toEqual(before);
    expect((await recover(session, micros(1_000))).session.budget).toBe(1_000);
  });

  it("of nothing is refused in one line", async () => {
    const session = await addWork(test.db, 1, 1_000_000, { maxAttempts: 1 });
    await failAll(session);
    await expect(recover(session, micros(0))).rejects.toThrow(
      new UserError("Cannot set the budget of session 1: it must be over $0, got $0.0000"),
    );
  });
});

describe("a wish to recover that names itself", () => {
  it("recovers once and is answered alike, whatever became of the session meanwhile", async () => {
    const session = await addWork(test.db, 2, 1_000_000, { maxAttempts: 1 });
    await failAll(session);
    const wish = () =>
      recoverSession(test.db, session.session_id, micros(2_000_000), "test", { requestKey: "wish-1" });
    const first = await wish();
    expect(first).toMatchObject({ requeuedFailed: 2, session: { status: "PROCESSING" } });
    expect(await wish()).toEqual(first);
    await failAll(session);
    const later = await wish();
    expect(later).toEqual({ ...first, session: await readSession(test.db, session.session_id) });
    expect(later.session.status).toBe("FAILED");
    const { rows } = await test.db.query("SELECT FROM session_events WHERE action = 'session_recovered'");
    expect(rows).toHaveLength(1);
    // Another wish is another one.
    expect(await recover(session)).toMatchObject({ requeuedFailed: 2 });
  });

  it("that was refused is not remembered", async () => {
    const session = await addWork(test.db, 1, 1_000_000, { maxAttempts: 1 });
    const wish = () => recoverSession(test.db, session.session_id, null, "test", { requestKey: "wish-2" });
    await expect(wish()).rejects.toThrow(/it is PROCESSING/);
    await failAll(session);
    expect(await wish()).toMatchObject({ requeuedFailed: 1 });
  });

  it("that comes twice at once recovers once", async () => {
    const session = await addWork(test.db, 2, 1_000_000, { maxAttempts: 1 });
    await failAll(session);
    const wish = () => recoverSession(test.db, session.session_id, null, "test", { requestKey: "wish-3" });
    const [one, other] = await Promise.all([wish(), wish()]);
    expect(one).toEqual(other);
    expect(one.requeuedFailed).toBe(2);
  });
});

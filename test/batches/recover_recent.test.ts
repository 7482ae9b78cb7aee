import { describe, expect, it } from "vitest";
import {
  cancelSession,
  finishIfDone,
  pauseSession,
  resumeSession,
} from "../../lib/batches/change_session.ts";
import { recoverSession } from "../../lib/batches/recover_items.ts";
import { recoverRecent } from "../../lib/batches/recover_recent.ts";
import { resumeDue } from "../../lib/batches/resume_due.ts";
import type { Session } from "../../lib/batches/types.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { addWork, claim, countItems, fail, readSession, workToTheEnd } from "./work_session.ts";

const test = useTestDatabase();

const DAY_MS = 86_400_000;

/** A session that ended with all of its articles failed; `permanent` of them for good. */
async function addFailed(articles = 2, permanent = 0): Promise<Session> {
  const session = await addWork(test.db, articles, 1_000_000, { maxAttempts: 1 });
  await failAll(session, permanent);
  return await readSession(test.db, session.session_id);
}

async function failAll({ session_id }: Session, permanent = 0): Promise<void> {
  const items = await claim(test.db, session_id, 50);
  if (permanent > 0) await fail(test.db, session_id, items.slice(0, permanent), "give_up");
  if (permanent < items.length) await fail(test.db, session_id, items.slice(permanent), "retry");
  await finishIfDone(test.db, session_id, "test");
}

function recoverAll(days = 7, now: Date | null = null) {
  return recoverRecent(test.db, "operator:test", days, { now });
}

function readStates(sessions: readonly Session[]) {
  return Promise.all(sessions.map(async ({ session_id }) => {
    const { status, reason } = await readSession(test.db, session_id);
    return [status, reason].filter((part) => part !== null).join(" ");
  }));
}

describe("recovering every session that ended short lately", () => {
  it("begins with the oldest and queues the others behind it, which come one after another", async () => {
    const sessions = [await addFailed(), await addFailed(), await addFailed()];
    const reports = await recoverAll();
    expect(reports.map(({ session, requeuedFailed }) => [session.number, requeuedFailed])).toEqual(
      sessions.map(({ number }) => [number, 2]),
    );
    expect(await readStates(sessions)).toEqual(["PROCESSING", "PAUSED queued", "PAUSED queued"]);
    expect(await resumeDue(test.db, "cron:test")).toEqual([]);
    for (const [index, session] of sessions.entries()) {
      expect(await workToTheEnd(test.db, session.session_id)).toMatchObject({ status: "COMPLETED" });
      expect(await findViolations(test.db, session.session_id)).toEqual([]);
      const next = sessions[index + 1];
      expect(await resumeDue(test.db, "cron:test")).toEqual(next ? [next.number] : []);
    }
    expect(await readStates(sessions)).toEqual(["COMPLETED", "COMPLETED", "COMPLETED"]);
  });

  it("queues all of them while another session is active", async () => {
    const failed = [await addFailed(), await addFailed()];
    const active = await addWork(test.db, 1);
    await recoverAll();
    expect(await readStates([active, ...failed])).toEqual(["PROCESSING", "PAUSED queued", "PAUSED queued"]);
    expect(await readSession(test.db, failed[0].session_id)).toMatchObject({ resume_at: expect.any(Date) });
  });

  it("tells nobody of trouble: a session in the queue waits, it is not refused by a provider", async () => {
    await addFailed();
    await addFailed();
    await test.db.query("DELETE FROM alerts");
    await recoverAll();
    expect((await test.db.query("SELECT rule, text FROM alerts WHERE rule <> 'session_ended'")).rows).toEqual(
      [],
    );
  });

  it("leaves permanent failures alone and names them, session by session", async () => {
    await addFailed(3, 1);
    await addFailed(2, 2);
    const permanent = { error_class: "blocked", example: "the model refuses this text" };
    expect(await recoverAll()).toMatchObject([
      { session: { status: "PROCESSING" }, requeuedFailed: 2, permanent: [{ ...permanent, articles: 1 }] },
      { session: { status: "FAILED" }, requeuedFailed: 0, permanent: [{ ...permanent, articles: 2 }] },
    ]);
  });

  it("queues an article that failed in several sessions once, in the oldest, and reports it elsewhere in the others", async () => {
    const articles = await addArticles(test.db, 3, 40);
    const settings = { maxAttempts: 1 };
    const first = await addSession(test.db, {
      articles: articles.slice(0, 2),
      budget: micros(90_000),
      settings,
    });
    await failAll(first);
    const second = await addSession(test.db, {
      articles: articles.slice(1),
      budget: micros(90_000),
      settings,
    });
    await failAll(second);
    expect(await recoverAll()).toMatchObject([
      { requeuedFailed: 2, elsewhere: 0 },
      { requeuedFailed: 1, elsewhere: 1 },
    ]);
    expect(await countItems(test.db, second.session_id)).toEqual({ FAILED: 1, PENDING: 1 });
  });

  it("leaves alone what ended before that, what completed, what a person cancelled and what is live", async () => {
    const old = await addFailed();
    const completed = await addWork(test.db, 1);
    await workToTheEnd(test.db, completed.session_id);
    const cancelled = await addWork(test.db, 2, 1_000_000, { maxAttempts: 1 });
    await fail(test.db, cancelled.session_id, await claim(test.db, cancelled.session_id, 1), "retry");
    await cancelSession(test.db, cancelled.session_id, "test");
    const paused = await addWork(test.db, 1);
    await pauseSession(test.db, paused.session_id, "test", "operator");
    await test.db.query(
      "UPDATE batch_processing_sessions SET finished_at = now() - interval '3 days' WHERE number = 1",
    );
    const before = await readStates([old, completed, cancelled, paused]);
    expect(await recoverAll(2)).toEqual([]);
    expect(await readStates([old, completed, cancelled, paused])).toEqual(before);
    expect((await recoverAll(4)).map(({ session }) => session.number)).toEqual([old.number]);
  });

  it("takes up what the day was too short for as soon as a day has room", async () => {
    const session = await addWork(test.db, 3, 1_000_000, { maxAttempts: 1 });
    await test.db.query("UPDATE day_budgets SET budget = 1000");
    expect(await workToTheEnd(test.db, session.session_id)).toMatchObject({
      reason: "day_budget",
      skipped: 2,
    });
    expect(await recoverAll()).toMatchObject([{
      requeuedSkipped: 0,
      withoutBudget: 2,
      shortOf: "day_budget",
    }]);
    const tomorrow = new Date(Date.now() + DAY_MS);
    expect(await recoverAll(7, tomorrow)).toMatchObject([{ requeuedSkipped: 2, withoutBudget: 0 }]);
  });

  it("is done once by two operators who ask for it at the same time", async () => {
    const sessions = [await addFailed(), await addFailed()];
    const reports = (await Promise.all([recoverAll(), recoverAll()])).flat();
    expect(reports.filter(({ requeuedFailed }) => requeuedFailed > 0)).toHaveLength(2);
    expect((await readStates(sessions)).toSorted()).toEqual(["PAUSED queued", "PROCESSING"]);
    for (const { session_id } of sessions) expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("is answered alike when the same wish comes again, also after it got half-way", async () => {
    const sessions = [await addFailed(), await addFailed()];
    const wish = () => recoverRecent(test.db, "test", 7, { requestKey: "wish" });
    const half = await recoverSession(test.db, sessions[0].session_id, null, "test", { requestKey: "wish" });
    const whole = await wish();
    expect(whole.map(({ session, requeuedFailed }) => [session.number, requeuedFailed])).toEqual([
      [sessions[0].number, half.requeuedFailed],
      [sessions[1].number, half.requeuedFailed],
    ]);
    expect(await wish()).toEqual(whole);
    expect((await readStates(sessions)).toSorted()).toEqual(["PAUSED queued", "PROCESSING"]);
  });

  it("ends for an article after three rounds, however often it is asked for", async () => {
    const session = await addFailed(1);
    for (let round = 0; round < 3; round++) {
      expect(await recoverAll()).toMatchObject([{ requeuedFailed: 1, exhausted: 0 }]);
      await test.db.query("UPDATE batch_processing_items SET not_before = now()");
      await failAll(session);
    }
    expect(await recoverAll()).toMatchObject([{ requeuedFailed: 0, exhausted: 1 }]);
  });
});

describe("a session that waits in the queue", () => {
  it("can be resumed by hand, paused for good, and cancelled", async () => {
    const [first, second, third] = [await addFailed(), await addFailed(), await addFailed()];
    await recoverAll();
    await workToTheEnd(test.db, first.session_id);
    await pauseSession(test.db, second.session_id, "operator:test", "operator");
    expect(await resumeDue(test.db, "cron:test")).toEqual([third.number]);
    await cancelSession(test.db, third.session_id, "operator:test");
    expect(await resumeDue(test.db, "cron:test")).toEqual([]);
    expect(await resumeSession(test.db, second.session_id, "operator:test")).toMatchObject({
      status: "PROCESSING",
    });
  });

  it("is not recovered a second time", async () => {
    await addFailed();
    const second = await addFailed();
    await recoverAll();
    await expect(recoverSession(test.db, second.session_id, null, "test")).rejects.toThrow(/it is PAUSED/);
    expect(await recoverAll()).toEqual([]);
  });
});

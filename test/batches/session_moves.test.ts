import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  cancelSession,
  finishIfDone,
  pauseSession,
  resumeSession,
} from "../../lib/batches/change_session.ts";
import { reclaimExpired } from "../../lib/batches/leases.ts";
import { recoverSession } from "../../lib/batches/recover_items.ts";
import { startSession } from "../../lib/batches/start_session.ts";
import type { Session, SessionStatus } from "../../lib/batches/types.ts";
import { UserError } from "../../lib/errors.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession, TEST_SETTINGS } from "../helpers/articles.ts";
import { emptyDatabase, openTestDatabase, type TestDatabase } from "../helpers/database.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import {
  analyse,
  claim,
  countItems,
  fail,
  LEASE_MS,
  leaveToResearch,
  listBatchStates,
  readSession,
  workToTheEnd,
} from "./work_session.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());
beforeEach(() => emptyDatabase(test.db));

async function addWork(articles: number, budget = 1_000_000, maxAttempts = 3): Promise<Session> {
  return await addSession(test.db, {
    articles: await addArticles(test.db, articles, 40),
    budget: micros(budget),
    settings: { batchSize: 2, maxAttempts },
  });
}

/** A session of two articles in this state. */
async function addIn(status: SessionStatus): Promise<Session> {
  const { session_id } = await addWork(2, 1_000_000, 1);
  if (status === "PAUSED") await pauseSession(test.db, session_id, "test", "operator");
  if (status === "CANCELLED") await cancelSession(test.db, session_id, "test");
  if (status === "COMPLETED") await workToTheEnd(test.db, session_id);
  if (status === "PARTIAL" || status === "FAILED") {
    await fail(test.db, session_id, await claim(test.db, session_id, status === "FAILED" ? 2 : 1), "retry");
    await workToTheEnd(test.db, session_id);
  }
  const session = await readSession(test.db, session_id);
  expect(session.status).toBe(status);
  return session;
}

const MOVES = {
  pause: (id: string) => pauseSession(test.db, id, "test", "operator"),
  resume: (id: string) => resumeSession(test.db, id, "test"),
  cancel: (id: string) => cancelSession(test.db, id, "test"),
  recover: async (id: string) => (await recoverSession(test.db, id, null, "test")).session,
} as const;

/** Where each move leads from each state; null: it is refused. */
const TABLE: Record<
  Exclude<SessionStatus, "INITIATED">,
  Record<keyof typeof MOVES, SessionStatus | null>
> = {
  PROCESSING: { pause: "PAUSED", resume: "PROCESSING", cancel: "CANCELLED", recover: null },
  PAUSED: { pause: "PAUSED", resume: "PROCESSING", cancel: "CANCELLED", recover: null },
  COMPLETED: { pause: null, resume: null, cancel: null, recover: "COMPLETED" },
  PARTIAL: { pause: null, resume: null, cancel: null, recover: "PROCESSING" },
  FAILED: { pause: null, resume: null, cancel: null, recover: "PROCESSING" },
  CANCELLED: { pause: null, resume: null, cancel: "CANCELLED", recover: "CANCELLED" },
};

describe("the moves of a session", () => {
  for (const [from, moves] of Object.entries(TABLE) as [keyof typeof TABLE, (typeof TABLE)["PAUSED"]][]) {
    for (const [name, to] of Object.entries(moves) as [keyof typeof MOVES, SessionStatus | null][]) {
      it(to === null ? `${name} is refused when it is ${from}` : `${name} makes ${from} ${to}`, async () => {
        const { session_id, number } = await addIn(from);
        const work = MOVES[name](session_id);
        if (to === null) {
          await expect(work).rejects.toThrow(UserError);
          await expect(work).rejects.toThrow(
            new RegExp(`^Cannot ${name} session ${number}: wanted .*, it is ${from}`),
          );
        } else {
          expect((await work).status).toBe(to);
        }
        expect((await readSession(test.db, session_id)).status).toBe(to ?? from);
        expect(await findViolations(test.db, session_id)).toEqual([]);
      });
    }
  }

  it("that do not exist are refused by name", async () => {
    const nobody = crypto.randomUUID();
    await expect(pauseSession(test.db, nobody, "test", "operator")).rejects.toThrow(/There is no session/);
  });

  it("write who made them, from where and to where, into the audit trail", async () => {
    const { session_id } = await addWork(1);
    await pauseSession(test.db, session_id, "operator:7", "operator");
    await resumeSession(test.db, session_id, "operator:8");
    const { rows } = await test.db.query(
      "SELECT actor, action, from_state, to_state FROM session_events WHERE batch_id IS NULL ORDER BY event_id",
    );
    expect(rows.map((row) => Object.values(row).join(" "))).toEqual([
      "test session_initiated  INITIATED",
      "test session_started INITIATED PROCESSING",
      "operator:7 session_paused PROCESSING PAUSED",
      "operator:8 session_resumed PAUSED PROCESSING",
    ]);
  });
});

describe("one active session at a time", () => {
  it("refuses a start, a resume and a recovery while another one is at work, and names it", async () => {
    const failed = await addIn("FAILED");
    const paused = await addIn("PAUSED");
    const active = await addWork(1);
    const line = new RegExp(
      `session ${active.number} is PROCESSING and one is active at a time.*desk pause ${active.number}`,
    );
    await expect(addWork(1)).rejects.toThrow(line);
    await expect(resumeSession(test.db, paused.session_id, "test")).rejects.toThrow(line);
    await expect(recoverSession(test.db, failed.session_id, null, "test")).rejects.toThrow(line);
    expect(await readSession(test.db, failed.session_id)).toEqual(failed);
  });

  it("lets a new one start beside a paused one", async () => {
    await addIn("PAUSED");
    expect((await addWork(1)).status).toBe("PROCESSING");
  });

  it("lets exactly one of several starts that race begin", async () => {
    const articles = await Promise.all([1, 2, 3, 4].map(() => addArticles(test.db, 2, 40)));
    const starts = await Promise.allSettled(
      articles.map((ids) => addSession(test.db, { articles: ids, budget: micros(9_000) })),
    );
    expect(starts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const start of starts) {
      if (start.status === "rejected") expect(String(start.reason)).toMatch(/one is active at a time/);
    }
  });

  it("lets exactly one of a start and a recovery begin that race for the same articles", async () => {
    const ended = await addIn("FAILED");
    const { rows } = await test.db.query<{ article_id: number }>(
      "SELECT article_id FROM batch_processing_items",
    );
    const articles = rows.map((row) => row.article_id);
    for (let round = 0; round < 10; round++) {
      const [started, recovered] = await Promise.allSettled([
        addSession(test.db, { articles, budget: micros(9_000) }),
        recoverSession(test.db, ended.session_id, null, "test"),
      ]);
      const refused = [started, recovered].filter((result) => result.status === "rejected");
      for (const { reason } of refused) expect(reason).toBeInstanceOf(UserError);
      const begun = started.status === "fulfilled" ? started.value.session_id : ended.session_id;
      expect((await readSession(test.db, begun)).status).toBe("PROCESSING");
      // As if neither had been: the next round starts from the same place.
      await test.db.query("UPDATE batch_processing_items SET status = 'FAILED', recoveries = 0");
      await test.db.query("UPDATE batch_processing_sessions SET status = 'FAILED', failed = total");
    }
  });
});

describe("a start", () => {
  it("with no article or no budget is refused in one line that says what to do", async () => {
    const [article] = await addArticles(test.db, 1, 40);
    const plan = {
      provider: "offline" as const,
      model: "m",
      simulated: true,
      budget: micros(1_000),
      estimatedCost: micros(1),
      worstCost: micros(1),
      items: [{ articleId: article, worstCase: micros(1) }],
      settings: TEST_SETTINGS,
      startedBy: "test",
    };
    for (
      const [fault, line] of [
        [
          { items: [] },
          "Cannot start a session: no article is ready. See which were refused with: desk articles",
        ],
        [{ budget: micros(0) }, "Cannot start a session: the budget must be over $0, got $0.0000"],
        [{ budget: micros(-5) }, "Cannot start a session: the budget must be over $0, got -$0.000005"],
      ] as const
    ) {
      await expect(startSession(test.db, { ...plan, ...fault })).rejects.toThrow(new UserError(line));
    }
    const { rows } = await test.db.query("SELECT FROM batch_processing_sessions");
    expect(rows).toEqual([]);
  });

  it("leaves out what a paused session has taken since, and keeps its batches and counts in line", async () => {
    const articles = await addArticles(test.db, 5, 40);
    const first = await addSession(test.db, { articles: articles.slice(0, 3), budget: micros(9_000) });
    await pauseSession(test.db, first.session_id, "test", "operator");
    const second = await addSession(test.db, { articles, budget: micros(9_000), settings: { batchSize: 2 } });
    expect(second.total).toBe(2);
    const { rows } = await test.db.query(
      "SELECT total, article_ids FROM batch_processing_records WHERE session_id = $1 ORDER BY batch_number",
      [second.session_id],
    );
    expect(rows).toEqual([{ total: 1, article_ids: [articles[3]] }, {
      total: 1,
      article_ids: [articles[4]],
    }]);
    expect(await findViolations(test.db, second.session_id)).toEqual([]);
  });

  it("with nothing left of what it was planned for is refused and leaves nothing behind", async () => {
    const articles = await addArticles(test.db, 2, 40);
    const first = await addSession(test.db, { articles, budget: micros(9_000) });
    await pauseSession(test.db, first.session_id, "test", "operator");
    await expect(addSession(test.db, { articles, budget: micros(9_000) })).rejects.toThrow(
      /another session took every ready article/,
    );
    const { rows } = await test.db.query("SELECT number FROM batch_processing_sessions");
    expect(rows).toHaveLength(1);
  });

  it("does not pay again for what another session analysed or gave up since it was planned", async () => {
    const articles = await addArticles(test.db, 4, 40);
    const { session_id } = await addSession(test.db, {
      articles: articles.slice(0, 2),
      budget: micros(9_000),
    });
    const [one, two] = await claim(test.db, session_id, 2);
    await analyse(test.db, session_id, [one]);
    await fail(test.db, session_id, [two], "give_up");
    await finishIfDone(test.db, session_id, "test");
    expect((await addSession(test.db, { articles, budget: micros(9_000) })).total).toBe(2);
  });

  it("makes its batches due one after the other", async () => {
    const articles = await addArticles(test.db, 5, 40);
    const { session_id } = await addSession(test.db, {
      articles,
      budget: micros(90_000),
      settings: { batchSize: 2, batchDelayMs: 30_000 },
    });
    const later = (seconds: number) => new Date(Date.now() + seconds * 1_000);
    expect(await claim(test.db, session_id, 9)).toHaveLength(2);
    expect(await claim(test.db, session_id, 9, later(31))).toHaveLength(2);
    expect(await claim(test.db, session_id, 9, later(61))).toHaveLength(1);
  });
});

describe("a paused session", () => {
  it("lets articles under way settle, claims nothing, and goes on where it was", async () => {
    const { session_id } = await addWork(4);
    const underWay = await claim(test.db, session_id, 2);
    await pauseSession(test.db, session_id, "test", "operator");
    expect(await claim(test.db, session_id, 2)).toEqual([]);
    expect(await analyse(test.db, session_id, underWay)).toEqual(["applied", "applied"]);
    expect(await readSession(test.db, session_id)).toMatchObject({ status: "PAUSED", analyzed: 2, held: 0 });
    await resumeSession(test.db, session_id, "test");
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "COMPLETED", reason: null });
  });

  it("whose last article settles has ended", async () => {
    const { session_id } = await addWork(1);
    const underWay = await claim(test.db, session_id, 1);
    await pauseSession(test.db, session_id, "test", "operator");
    await analyse(test.db, session_id, underWay);
    expect(await finishIfDone(test.db, session_id, "test")).toBe(true);
    expect((await readSession(test.db, session_id)).status).toBe("COMPLETED");
  });

  it("keeps its reason while it is paused and loses it when it goes on", async () => {
    const { session_id } = await addWork(1);
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
    const { session_id } = await addWork(6);
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
    const { session_id } = await addWork(2);
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
    const { session_id } = await addWork(3);
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "COMPLETED", reason: null });
  });

  it("PARTIAL because of failures when some articles failed", async () => {
    const { session_id } = await addWork(3, 1_000_000, 1);
    await fail(test.db, session_id, await claim(test.db, session_id, 1), "retry");
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "PARTIAL", reason: "failures" });
  });

  it("PARTIAL because of the budget when the next article does not fit", async () => {
    const { session_id } = await addWork(12, 2_000);
    const ended = await workToTheEnd(test.db, session_id);
    expect(ended).toMatchObject({ status: "PARTIAL", reason: "budget", held: 0 });
    expect(ended.budget - ended.spent).toBeLessThan(1_000);
  });

  it("FAILED because of the budget when not even one article fits", async () => {
    const { session_id } = await addWork(2, 500);
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({
      status: "FAILED",
      reason: "budget",
      skipped: 2,
    });
    expect(await listBatchStates(test.db, session_id)).toEqual(["CANCELLED"]);
  });

  it("PARTIAL because of the day's cap when the day has no room", async () => {
    const { session_id } = await addWork(3);
    await test.db.query("UPDATE day_budgets SET budget = 1000");
    await analyse(test.db, session_id, await claim(test.db, session_id, 1));
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({
      status: "PARTIAL",
      reason: "day_budget",
    });
  });

  it("FAILED because of failures when none is analysed", async () => {
    const { session_id } = await addWork(2);
    await fail(test.db, session_id, await claim(test.db, session_id, 2), "give_up");
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "FAILED", reason: "failures" });
  });

  it("for the money that was missing rather than for a failure beside it", async () => {
    const { session_id } = await addWork(4, 1_500, 1);
    await fail(test.db, session_id, await claim(test.db, session_id, 1), "retry");
    await analyse(test.db, session_id, await claim(test.db, session_id, 1));
    await test.db.query("UPDATE batch_processing_items SET worst_case = 5000 WHERE status = 'PENDING'");
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "PARTIAL", reason: "budget" });
  });

  it("not while money is out that may come back", async () => {
    const { session_id } = await addWork(3, 2_000);
    const items = await claim(test.db, session_id, 2);
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "PROCESSING", skipped: 0 });
    await analyse(test.db, session_id, items);
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "COMPLETED" });
  });
});

describe("taking back expired leases", () => {
  const afterTheLease = () => new Date(Date.now() + LEASE_MS + 1_000);

  it("ends an article ANALYZED whose analysis was stored before its research was cut off", async () => {
    const { session_id } = await addWork(1);
    await leaveToResearch(test.db, session_id, await claim(test.db, session_id, 1));
    expect(await reclaimExpired(test.db, "cleanup", afterTheLease())).toMatchObject({
      finished: 1,
      unknownCalls: 0,
    });
    await finishIfDone(test.db, session_id, "cleanup");
    expect(await readSession(test.db, session_id)).toMatchObject({
      status: "COMPLETED",
      spent: 100,
      unknown: 0,
    });
    const { rows } = await test.db.query("SELECT research ->> 'reason' AS reason FROM article_analyses");
    expect(rows).toEqual([{ reason: "the worker stopped in the middle of it" }]);
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("queues nothing again in a cancelled session", async () => {
    const { session_id } = await addWork(2);
    await claim(test.db, session_id, 1);
    await cancelSession(test.db, session_id, "test");
    expect(await reclaimExpired(test.db, "cleanup", afterTheLease())).toMatchObject({
      failed: 1,
      requeued: 0,
    });
    expect(await countItems(test.db, session_id)).toEqual({ "FAILED": 1, "SKIPPED cancelled": 1 });
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("queues an article of a paused session again, for when it goes on", async () => {
    const { session_id } = await addWork(1);
    await claim(test.db, session_id, 1);
    await pauseSession(test.db, session_id, "test", "operator");
    expect(await reclaimExpired(test.db, "cleanup", afterTheLease())).toMatchObject({ requeued: 1 });
    expect(await countItems(test.db, session_id)).toEqual({ PENDING: 1 });
  });

  it("ends an article FAILED that has used up its attempts, and its session with it", async () => {
    const { session_id } = await addWork(1, 1_000_000, 2);
    for (const expected of [{ requeued: 1, failed: 0 }, { requeued: 0, failed: 1 }]) {
      const [item] = await claim(test.db, session_id, 1);
      expect(item).toBeDefined();
      expect(await reclaimExpired(test.db, "cleanup", afterTheLease())).toMatchObject(expected);
      await test.db.query("UPDATE batch_processing_items SET not_before = now()");
    }
    await finishIfDone(test.db, session_id, "cleanup");
    expect(await readSession(test.db, session_id)).toMatchObject({
      status: "FAILED",
      reason: "failures",
      spent: 2_000,
      unknown: 2_000,
    });
  });

  it("makes the next attempt wait twice as long after each", async () => {
    const articles = await addArticles(test.db, 1, 40);
    const { session_id } = await addSession(test.db, {
      articles,
      budget: micros(90_000),
      settings: { retryBaseMs: 10_000 },
    });
    let now = new Date();
    for (const waitMs of [10_000, 20_000]) {
      expect(await claim(test.db, session_id, 1, now)).toHaveLength(1);
      now = new Date(now.getTime() + LEASE_MS + 1);
      await reclaimExpired(test.db, "cleanup", now);
      expect(await claim(test.db, session_id, 1, new Date(now.getTime() + waitMs - 1))).toEqual([]);
      now = new Date(now.getTime() + waitMs);
    }
    expect(await claim(test.db, session_id, 1, now)).toHaveLength(1);
  });
});

import { describe, expect, it } from "vitest";
import { cancelSession, finishIfDone, pauseSession } from "../../lib/batches/change_session.ts";
import { reclaimExpired } from "../../lib/batches/leases.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { addWork, claim, countItems, LEASE_MS, leaveToResearch, readSession } from "./work_session.ts";

const test = useTestDatabase();

describe("taking back expired leases", () => {
  const afterTheLease = () => new Date(Date.now() + LEASE_MS + 1_000);

  it("ends an article ANALYZED whose analysis was stored before its research was cut off", async () => {
    const { session_id } = await addWork(test.db, 1);
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
    const { session_id } = await addWork(test.db, 2);
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
    const { session_id } = await addWork(test.db, 1);
    await claim(test.db, session_id, 1);
    await pauseSession(test.db, session_id, "test", "operator");
    expect(await reclaimExpired(test.db, "cleanup", afterTheLease())).toMatchObject({ requeued: 1 });
    expect(await countItems(test.db, session_id)).toEqual({ PENDING: 1 });
  });

  it("ends an article FAILED that has used up its attempts, and its session with it", async () => {
    const { session_id } = await addWork(test.db, 1, 1_000_000, { maxAttempts: 2 });
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

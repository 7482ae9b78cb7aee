import { describe, expect, it, vi } from "vitest";
import type { JobContext } from "../../jobs/job.ts";
import { messageSchema } from "../../jobs/queue/dispatcher.ts";
import { recoverFailedBatchArticles } from "../../jobs/recover_failed_batch_articles.ts";
import { routeMessages } from "../../jobs/route_messages.ts";
import { finishIfDone } from "../../lib/batches/change_session.ts";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import type { Session } from "../../lib/batches/types.ts";
import { readConfig } from "../../lib/config.ts";
import { createDesk } from "../../lib/desk.ts";
import { addWork, claim, countItems, fail, readSession } from "../batches/work_session.ts";
import { useTestDatabase } from "../helpers/database.ts";

const test = useTestDatabase();

function makeContext() {
  const config = readConfig({ ANALYST: "offline" });
  const desk = createDesk({ db: test.db, config, analysts: createAnalysts(config) });
  const woken = vi.fn((_sessions: readonly number[]) => Promise.resolve());
  const context = { desk, log: () => {}, wake: woken, runner: "worker:a" } as unknown as JobContext;
  return { context, woken };
}

/** A session whose articles all failed, the first one for good. */
async function addFailed(articles = 3): Promise<Session> {
  const { session_id } = await addWork(test.db, articles, 1_000_000, { maxAttempts: 1 });
  const items = await claim(test.db, session_id, articles);
  await fail(test.db, session_id, items.slice(0, 1), "give_up");
  await fail(test.db, session_id, items.slice(1), "retry");
  await finishIfDone(test.db, session_id, "test");
  return await readSession(test.db, session_id);
}

async function now(): Promise<Date> {
  return (await test.db.query<{ now: Date }>("SELECT clock_timestamp() AS now")).rows[0].now;
}

describe("the job that recovers failed articles", () => {
  it("recovers one session for the person who asked, says what it did, and wakes the workers", async () => {
    const { number, session_id } = await addFailed();
    const { context, woken } = makeContext();
    const wish = { actor: "operator:7", session: number, askedAt: await now() };
    const report = await recoverFailedBatchArticles(context, wish);
    expect(report.text).toBe("session 1: 2 failed and 0 skipped articles queued again");
    expect(report.detail).toMatchObject({
      actor: "operator:7",
      sessions: [{ session: 1, requeuedFailed: 2, permanent: 1, exhausted: 0 }],
    });
    expect(woken).toHaveBeenCalledExactlyOnceWith([1]);
    const { rows } = await test.db.query(
      "SELECT actor FROM session_events WHERE action = 'session_recovered'",
    );
    expect(rows).toEqual([{ actor: "operator:7" }]);
    expect((await readSession(test.db, session_id)).status).toBe("PROCESSING");
  });

  it("recovers every session that ended short lately, oldest first", async () => {
    await addFailed();
    await addFailed();
    const { context, woken } = makeContext();
    await recoverFailedBatchArticles(context, {
      actor: "operator:7",
      session: null,
      days: 1,
      askedAt: await now(),
    });
    expect(woken).toHaveBeenCalledExactlyOnceWith([1, 2]);
  });

  it("says so when there was nothing to recover", async () => {
    const { context } = makeContext();
    expect(
      (await recoverFailedBatchArticles(context, { actor: "a", session: null, askedAt: await now() })).text,
    ).toBe(
      "nothing could be recovered",
    );
  });
});

describe("its message", () => {
  it("that is delivered twice spends no second allowance, also when the articles failed again in between", async () => {
    const { session_id } = await addFailed();
    const { context } = makeContext();
    const handle = routeMessages(context, { wake: () => {} }, new AbortController().signal).batch_processing;
    const message = messageSchema.parse({
      queue: "batch_processing",
      job: "recover_failed_batch_articles",
      actor: "operator:7",
      asked_at: (await now()).toISOString(),
    });
    await handle(message);
    expect(await countItems(test.db, session_id)).toEqual({ FAILED: 1, PENDING: 2 });
    await fail(test.db, session_id, await claim(test.db, session_id, 2), "retry");
    await finishIfDone(test.db, session_id, "test");
    await handle(message);
    expect(await countItems(test.db, session_id)).toEqual({ FAILED: 3 });
    const { rows } = await test.db.query("SELECT max(recoveries) AS most FROM batch_processing_items");
    expect(rows).toEqual([{ most: 1 }]);
  });

  it("with a time that is none is no message of ours", () => {
    const message = {
      queue: "batch_processing",
      job: "recover_failed_batch_articles",
      asked_at: "yesterday",
    };
    expect(messageSchema.safeParse(message).success).toBe(false);
  });
});

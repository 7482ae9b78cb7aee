import { describe, expect, it } from "vitest";
import { cancelSession, finishIfDone, pauseSession } from "../../lib/batches/change_session.ts";
import { type SessionPlan, startSession } from "../../lib/batches/start_session.ts";
import { UserError } from "../../lib/errors.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession, TEST_SETTINGS } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { analyse, claim, fail } from "./work_session.ts";

const test = useTestDatabase();

/** The smallest plan there is: one article, offline. */
function planFor(article: number): SessionPlan {
  return {
    provider: "offline",
    model: "m",
    simulated: true,
    budget: micros(1_000),
    estimatedCost: micros(1),
    worstCost: micros(1),
    items: [{ articleId: article, worstCase: micros(1) }],
    settings: TEST_SETTINGS,
    warnPercent: 67,
    criticalPercent: 83,
    startedBy: "test",
  };
}

describe("a start", () => {
  it("with no article or no budget is refused in one line that says what to do", async () => {
    const [article] = await addArticles(test.db, 1, 40);
    const plan = planFor(article);
    for (
      const [fault, line] of [
        [
          { items: [] },
          "Cannot start a session: no article is ready. The identification report says which were refused and why",
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

  it("gathers the statistics that claims are planned with, of articles only when they outgrew the last ones", async () => {
    const counts = async () => {
      const { rows } = await test.db.query<{ name: string; rows: number }>(
        `SELECT relname AS name, reltuples::integer AS rows FROM pg_class
         WHERE relname IN ('articles', 'batch_processing_items') ORDER BY relname`,
      );
      return rows.map((row) => row.rows);
    };
    const articles = await addArticles(test.db, 4, 40);
    const start = async (article: number) => {
      const { session_id } = await startSession(test.db, planFor(article));
      await cancelSession(test.db, session_id, "test");
    };
    await start(articles[0]);
    await expect.poll(counts).toEqual([4, 1]);
    const more = await addArticles(test.db, 1, 40);
    await start(more[0]);
    await expect.poll(counts).toEqual([4, 2]);
    const many = await addArticles(test.db, 200, 2_000);
    await start(many[0]);
    await expect.poll(counts).toEqual([205, 3]);
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

  it("asked for twice with one key is one session, also when both ask at once and when it has ended", async () => {
    const [article] = await addArticles(test.db, 1, 40);
    const plan = { ...planFor(article), wish: { key: "wish-1" } };
    const [first, second] = await Promise.all([startSession(test.db, plan), startSession(test.db, plan)]);
    expect(second.session_id).toBe(first.session_id);
    await cancelSession(test.db, first.session_id, "test");
    expect(await startSession(test.db, { ...plan, items: [] })).toMatchObject({
      session_id: first.session_id,
      status: "CANCELLED",
    });
    const other = await startSession(test.db, { ...plan, wish: { key: "wish-2" } });
    expect(other.session_id).not.toBe(first.session_id);
  });
});

/** Starting from the chat: a question, one yes, and what is started then. */
import { beforeEach, describe, expect, it } from "vitest";
import { micros } from "../../lib/money.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { OTHER, useFeatureBench } from "./feature_bench.ts";
import { OPERATOR, pressUpdate } from "./recorded_bot.ts";

const test = useTestDatabase();
const bench = useFeatureBench(test);
const { ask, edited, press } = bench;

describe("starting a batch", () => {
  beforeEach(async () => {
    await addArticles(test.db, 6);
  });

  it("takes a question and one yes, and starts what was asked, whatever the settings say by then", async () => {
    const question = await ask("/start_batch 4 0.05");
    expect(question.text).toMatch(/^Read 4 articles\?/);
    expect(await bench.desk.sessions(5)).toEqual([]);
    expect(await press(question, "Start")).toBe("Session 1 has started.");
    const [session] = await bench.desk.sessions(5);
    expect(session).toMatchObject({ total: 4, budget: 50_000, started_by: `operator:telegram:${OPERATOR}` });
    expect(await press(question, "Start")).toBe("Answered already. Session 1 has started.");
    expect(await press(question, "Cancel")).toBe("Answered already. Session 1 has started.");
    expect(await bench.desk.sessions(5)).toHaveLength(1);
  });

  it("shows what it could cost at worst, of its budget and of the day's, and from when its price is", async () => {
    await bench.desk.changeDayBudget(micros(1_000_000), "test");
    bench.now = new Date("2027-02-03T04:05:06Z");
    const { text } = await ask("/estimate 4 0.05");
    expect(text).toMatch(/Worst +\$0\.\d{4}, \d+ % of budget/);
    // The budget is a hard cap: 5 % of the day's at most, whatever the worst case of the articles.
    expect(text).toMatch(/\d % with this,\n +[1-5] % at worst/);
    expect(text).toContain("list of 23 Sept 2026");
  });

  it("is told by whom it was declined, their name cut between characters", async () => {
    const question = await ask("/start_batch");
    const [{ callback_data }] = question.buttons.filter(({ text }) => text === "Cancel");
    const update = pressUpdate(callback_data, { from: OPERATOR, messageId: question.messageId });
    update.callback_query!.from.first_name = "x".repeat(38) + "👩‍🚀👩‍🚀";
    await bench.recorded.handle(update);
    expect(edited().at(-1)).toMatch(/^Declined by x{38}👩‍🚀👩‍🚀 at /);
  });

  it("can be declined, once and for all", async () => {
    const question = await ask("/start_batch");
    expect(await press(question, "Cancel")).toBe("Nothing was done.");
    expect(edited().at(-1)).toMatch(/^Declined by P at \d\d:\d\d\. Nothing was done\.$/);
    expect(await press(question, "Start")).toBe("Declined already. Nothing was done.");
    expect(await bench.desk.sessions(5)).toEqual([]);
  });

  it("is nobody else's to answer, also not another operator's in the same chat", async () => {
    const question = await ask("/start_batch", { chat: -100200 });
    expect(await press(question, "Start", OTHER, -100200)).toMatch(/^Somebody else asked this/);
    expect(await bench.desk.sessions(5)).toEqual([]);
    await press(question, "Start", OPERATOR, -100200);
    expect(await bench.desk.sessions(5)).toHaveLength(1);
  });

  it("is too late after ten minutes", async () => {
    const question = await ask("/start_batch");
    await test.db.query("UPDATE telegram_confirmations SET expires_at = now() - interval '1 s'");
    expect(await press(question, "Start")).toMatch(/^Too late/);
    expect(edited().at(-1)).toBe("Expired without an answer. Nothing was done.");
    expect(await bench.desk.sessions(5)).toEqual([]);
  });

  it("that was cut off by a crash is done once by the next tap, and not by one that comes while it is under way", async () => {
    const question = await ask("/start_batch 2");
    await test.db.query("UPDATE telegram_confirmations SET used_at = now(), answer = 'yes'");
    expect(await press(question, "Start")).toMatch(/^This is being carried out/);
    expect(await bench.desk.sessions(5)).toEqual([]);
    await test.db.query("UPDATE telegram_confirmations SET used_at = now() - interval '2 minutes'");
    expect(await press(question, "Start")).toBe("Session 1 has started.");

    // It had started, but the process died before it could say so: the same session, not a second one.
    await test.db.query("UPDATE telegram_confirmations SET outcome = NULL");
    expect(await press(question, "Start")).toBe("Session 1 has started.");
    expect(await bench.desk.sessions(5)).toHaveLength(1);
  });

  it("is not offered while another session is at work, when nothing is ready, or when nothing fits", async () => {
    const poor = await ask("/start_batch 3 0.0001");
    expect(poor.text).toMatch(/Nothing to read[\s\S]*No ready article fits the budget/);
    expect(poor.buttons).toEqual([]);
    await bench.desk.start({ limit: 6 }, "test");
    await addArticles(test.db, 1);
    const busy = await ask("/start_batch");
    expect(busy.text).toMatch(/Session 1 is at work, and one is at a time/);
    expect(busy.buttons).toEqual([]);
    await test.db.query("UPDATE articles SET status = 'ARCHIVED'");
    expect((await ask("/start_batch")).text).toMatch(/^Nothing to read/);
  });

  it("fails in words when the world has changed since it was asked", async () => {
    const question = await ask("/start_batch 2");
    await bench.desk.start({ limit: 6 }, "somebody else");
    expect(await press(question, "Start")).toMatch(/^Cannot start a session: session 1 is PROCESSING/);
    expect(edited().at(-1)).toMatch(/^Not done\. Cannot start a session/);
  });

  it("is estimated without a question", async () => {
    const estimate = await ask("/estimate 3 0.02");
    expect(estimate.text).toMatch(/^Estimate for 3 articles[\s\S]*Budget +\$0\.0200/);
    expect(estimate.buttons).toEqual([]);
    expect((await test.db.query("SELECT FROM telegram_confirmations")).rowCount).toBe(0);
  });
});

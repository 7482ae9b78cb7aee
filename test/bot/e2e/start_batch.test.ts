import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buttonData } from "../../../bot/button_data.ts";
import { addArticles } from "../../helpers/articles.ts";
import { useTestDatabase } from "../../helpers/database.ts";
import { type BotBench, openBotBench } from "./bot_bench.ts";

const test = useTestDatabase();
let bench: BotBench;
afterEach(() => bench.close());

describe.each(["polling", "webhook"] as const)("starting a batch by %s", (by) => {
  beforeEach(async () => {
    bench = await openBotBench(test.db, { webhook: by === "webhook" });
    await addArticles(test.db, 6);
  });

  it("shows what it would cost, asks, starts once, and edits the question until the session has ended", async () => {
    const { ann, desk, gemini } = bench;
    gemini.let(2);
    const question = await ann.asks("/start_batch 4 0.05");
    expect(question.text).toMatch(/^Read 4 articles\?/);
    expect(question.text).toMatch(/\$0\.0500, a hard cap/);
    expect(question.buttons).toEqual([["Start, at most $0.0500", "Cancel"]]);
    expect(await desk.sessions(5)).toEqual([]);

    expect(await ann.presses("Start", question)).toEqual({ text: "Session 1 has started.", alert: false });
    await ann.chat.shows(question, /Session 1 is at work[\s\S]*2 of 4, 2 under way/);
    expect(question.buttons).toEqual([["Pause", "Cancel", "Details"]]);
    gemini.open();
    const result = await ann.chat.message(/Session 1 is complete/, question);
    expect(result.text).toContain("4 of 4");
    await ann.chat.shows(question, /Session 1 is complete[\s\S]*100 %/);
    expect(question.buttons).toEqual([]);
    expect(ann.chat.fromBot).toHaveLength(2);
    // Edits are 5 s apart; the first one answers the press.
    const times = question.versions.slice(1).map(({ at }) => at);
    expect(times.slice(1).every((at, index) => at - times[index]! > 4_500)).toBe(true);

    const { session } = await desk.session(1);
    expect(session).toMatchObject({ status: "COMPLETED", analyzed: 4, budget: 50_000 });
    expect(session.started_by).toBe("operator:telegram:1001");
  });

  it("starts one session however often and from wherever the button is pressed", async () => {
    const { ann, bob, group, desk, gemini } = bench;
    gemini.let(0);
    const question = await ann.asks("/start_batch@nightdesk_bot 2", { in: group });
    expect((await bob.presses("Start", question)).text).toMatch(/^Somebody else asked this/);
    // A forged client: the same data on another message, and in another chat.
    const start = question.now.keyboard![0]![0]! as { callback_data: string };
    const other = await ann.asks("/whoami");
    const forged = ann.sendsPress(start.callback_data, other);
    await bench.telegram.settled();
    expect(await desk.sessions(5)).toEqual([]);

    const answers = await Promise.all([1, 2, 3, 4].map(() => ann.presses("Start", question)));
    const told = answers.map(({ text }) => text);
    expect(told.filter((text) => text === "Session 1 has started.")).toHaveLength(1);
    expect(told.filter((text) => /already\. Session 1 has started\./.test(text))).toHaveLength(3);
    expect(bench.telegram.answersTo(forged)).toEqual([{
      text: "This button is of no use any more.",
      alert: true,
    }]);
    expect(await desk.sessions(5)).toHaveLength(1);
  });
});

describe("a question", () => {
  beforeEach(async () => {
    bench = await openBotBench(test.db);
    await addArticles(test.db, 3);
  });

  it("that was declined cannot be answered with yes any more", async () => {
    const { ann, desk } = bench;
    const question = await ann.asks("/start_batch");
    await ann.presses("Cancel", question);
    await ann.chat.shows(question, /^Declined by Ann/);
    expect(question.buttons).toEqual([]);
    // The phone had not shown the edit yet.
    ann.taps("Start", question, 0);
    await bench.telegram.settled();
    await bench.telegram.until(
      () => bench.telegram.callsOf("answerCallbackQuery").length === 2 || null,
      "both answers",
    );
    expect(await desk.sessions(5)).toEqual([]);
  });

  it("expires", async () => {
    const { ann, desk } = bench;
    const question = await ann.asks("/start_batch");
    await test.db.query("UPDATE telegram_confirmations SET expires_at = now() - interval '1 s'");
    expect((await ann.presses("Start", question)).text).toMatch(/^Too late/);
    await ann.chat.shows(question, /^Expired/);
    expect(await desk.sessions(5)).toEqual([]);
  });

  it("is asked of operators only, and names what is wrong with what was typed", async () => {
    const { ann, vera, desk } = bench;
    expect((await vera.asks("/start_batch 2")).text).toBe("/start_batch is for operators; you may look.");
    const press = vera.sendsPress(buttonData("yes", "AAAAAAAAAAAAAAAAAAAAAA"), vera.chat.fromBot[0]!);
    await bench.telegram.until(() => bench.telegram.answersTo(press)[0], "an answer");
    expect(bench.telegram.answersTo(press)[0]!.text).toMatch(/operators/);
    for (const wrong of ["-3", "0", "ten", "5 0", "5 0.1 0.2", "model=a$b", "limit=2 limit=3"]) {
      expect((await ann.asks(`/start_batch ${wrong}`)).text).toMatch(/^Cannot read “.*Right: \/start_batch/);
    }
    expect(await desk.sessions(5)).toEqual([]);
    expect((await test.db.query("SELECT FROM telegram_confirmations")).rowCount).toBe(0);
  });

  it("is not asked while a session is at work, or when there is nothing to read", async () => {
    const { ann, gemini } = bench;
    gemini.let(0);
    const question = await ann.asks("/start_batch 3");
    await ann.presses("Start", question);
    const second = await ann.asks("/start_batch");
    expect(second.text).toMatch(/Nothing to read|Session 1 is at work/);
    expect(second.buttons).toEqual([]);
  });
});

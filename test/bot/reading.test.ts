/** Articles, analyses and sessions in the chat. */
import { describe, expect, it } from "vitest";
import { finishIfDone } from "../../lib/batches/change_session.ts";
import { addWork, analyse, claim } from "../batches/work_session.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { useFeatureBench } from "./feature_bench.ts";
import { OPERATOR, pressUpdate } from "./recorded_bot.ts";

const test = useTestDatabase();
const bench = useFeatureBench(test);
const { ask, edited, press } = bench;

describe("reading", () => {
  it("shows an article that nobody has read yet, and asks which one when none is named", async () => {
    const [id] = await addArticles(test.db, 1, 40);
    await test.db.query("UPDATE articles SET title = $2 WHERE id = $1", [id, "Title /cancel <b>"]);
    const shown = await ask(`/analysis ${id}`);
    expect(shown.text).toMatch(/^Title \/\u2060cancel <b>\n#\d+[\s\S]*Not analysed yet/);
    expect(shown.buttons).toEqual([]);
    expect((await ask("/analysis 999")).text).toMatch(/^There is no article 999/);
    expect((await ask("/analysis")).text).toMatch(/^Which article\? \/analysis <article>/);
  });

  it("turns the pages of an analysis in place, and stops at the last one", async () => {
    const session = await addWork(test.db, 1);
    const [{ article_id }] = await claim(test.db, session.session_id, 1);
    await test.db.query("UPDATE batch_processing_items SET status = 'PENDING', lease_token = NULL");
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 1));
    const signal = {
      type: "adoption",
      description: "Somebody noticed something. ".repeat(20),
      confidence: 0.5,
      implications: "It may matter. ".repeat(30),
      evidence: ["A quote from the article."],
      timeframe: "SHORT_TERM",
    };
    await test.db.query("UPDATE article_analyses SET weak_signals = $1", [
      JSON.stringify(Array(4).fill(signal)),
    ]);
    const first = await ask(`/analysis ${article_id}`);
    expect(first.text).toMatch(/Nodes relay transactions\./);
    expect(first.buttons.map(({ text }) => text)).toEqual([expect.stringMatching(/^1 of \d$/), "2 ▶"]);
    await press(first, "2 ▶");
    expect(edited().at(-1)).toMatch(/Signal \d: adoption/);
    await bench.recorded.handle(pressUpdate(`1:analysis:${article_id}:99`, { from: OPERATOR }));
    expect(edited().at(-1)).toMatch(/paid call/);
  });

  it("shows a live session's status once: the older message goes", async () => {
    await addWork(test.db, 2);
    const first = await ask("/status");
    await ask("/status");
    expect(
      bench.recorded.calls.filter(({ method }) => method === "deleteMessage").map(({ payload }) => payload),
    )
      .toEqual([
        { chat_id: OPERATOR, message_id: first.messageId },
      ]);
  });

  it("pages through sessions and the articles of one", async () => {
    for (let n = 0; n < 12; n++) {
      const session = await addWork(test.db, 1);
      await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 1));
      await finishIfDone(test.db, session.session_id, "test");
    }
    const list = await ask("/sessions");
    expect(list.buttons.map(({ text }) => text)).toContain("Older ▶");
    await press(list, "Older");
    expect(edited().at(-1)).toMatch(/\n *2 +done[\s\S]*\n *1 +done/);
    await bench.recorded.handle(pressUpdate("1:details:1:0", { from: OPERATOR }));
    expect(edited().at(-1)).toMatch(/Session 1, articles 1 to 1 of 1\n\n✅ #\d+ Article/);
  });
});

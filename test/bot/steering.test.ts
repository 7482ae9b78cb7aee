/** Pausing, resuming and cancelling from the chat. */
import { describe, expect, it } from "vitest";
import { addWork } from "../batches/work_session.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { ENV, useFeatureBench } from "./feature_bench.ts";
import { makeRecordedBot, OPERATOR, pressUpdate } from "./recorded_bot.ts";

const test = useTestDatabase();
const bench = useFeatureBench(test);
const { ask, press, toasts } = bench;

describe("steering", () => {
  it("pauses and resumes at once, and cancels after a question", async () => {
    await addWork(test.db, 4);
    expect((await ask("/pause")).text).toBe("Session 1 is paused.");
    expect((await ask("/resume 1")).text).toMatch(/^▶️ Session 1 is at work/);
    const question = await ask("/cancel");
    expect(question.text).toMatch(/^Cancel session 1\?\n\n4 articles will be left for another session\./);
    expect((await bench.desk.progress(1)).session.status).toBe("PROCESSING");
    expect(await press(question, "Cancel it")).toBe("Session 1 was cancelled: 0 of 4 analysed.");
    expect((await bench.desk.progress(1)).session.status).toBe("CANCELLED");
    const trail = await bench.desk.events(1, { withoutArticles: true, limit: 20 });
    expect(trail.filter(({ action }) => action === "session_paused" || action === "session_cancelled"))
      .toEqual(Array(2).fill(expect.objectContaining({ actor: `operator:telegram:${OPERATOR}` })));
  });

  it("does not resume by a press that Telegram takes no answer to any more", async () => {
    const session = await addWork(test.db, 2);
    await bench.desk.pause(session.number, "test");
    const late = makeRecordedBot({
      desk: bench.desk,
      db: test.db,
      env: ENV,
      fate: ({ method }) =>
        method === "answerCallbackQuery"
          ? { error_code: 400, description: "Bad Request: query is too old and response timeout expired" }
          : null,
    });
    await late.handle(pressUpdate("1:resume:1", { from: OPERATOR }));
    expect(late.said().at(-1)).toMatch(/^This was pressed while I was away/);
    expect((await bench.desk.progress(1)).session.status).toBe("PAUSED");
    await bench.recorded.handle(pressUpdate("1:resume:1", { from: OPERATOR }));
    expect(toasts().at(-1)).toBe("Session 1 goes on.");
    expect((await bench.desk.progress(1)).session.status).toBe("PROCESSING");
  });

  it("does not resume on a word from before the bot was away, and pauses on it all the same", async () => {
    await addWork(test.db, 2);
    const old = { message: { date: Math.floor(bench.now.getTime() / 1_000) - 3 * 3_600 } };
    expect((await ask("/pause", old)).text).toBe("Session 1 is paused.");
    expect((await ask("/resume", old)).text).toMatch(/^This was sent 3h ago, while I was away/);
    expect((await bench.desk.progress(1)).session.status).toBe("PAUSED");
  });

  it("says in one line what cannot be done", async () => {
    expect((await ask("/pause")).text).toBe("There is no session yet. Start one first");
    expect((await ask("/pause 99")).text).toMatch(/^There is no session 99/);
    expect((await ask("/pause x")).text).toMatch(/^Cannot read “x”.*Right: \/pause \[session\]/);
  });
});

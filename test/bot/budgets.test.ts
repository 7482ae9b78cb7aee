/** Caps and costs in the chat. */
import { describe, expect, it } from "vitest";
import { raiseAlert } from "../../lib/alerts/raise.ts";
import { addWork, analyse, claim } from "../batches/work_session.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { useFeatureBench } from "./feature_bench.ts";
import { makeRecordedBot, OPERATOR, textUpdate } from "./recorded_bot.ts";

const test = useTestDatabase();
const bench = useFeatureBench(test);
const { ask, endShort, last, press } = bench;

describe("budgets", () => {
  it("are changed by word or button after a question, and not below what is used", async () => {
    await addWork(test.db, 2, 100_000);
    const board = await ask("/budget");
    expect(board.text).toMatch(/Session +#1, processing\n +\$0\.0000 of \$0\.1000/);
    await press(board, "Session +50 %");
    expect(last().text).toMatch(/^Raise the budget of session 1\?[\s\S]*\$0\.1000 → \$0\.1500/);
    expect(await press(last(), "Set")).toBe("Session 1 has a budget of $0.1500 now.");
    const lower = await ask("/budget session 0.0001");
    expect(lower.text).toMatch(/^Lower the budget/);
    await analyse(
      test.db,
      (await bench.desk.progress(1)).session.session_id,
      await claim(test.db, (await bench.desk.progress(1)).session.session_id, 2),
    );
    expect(await press(lower, "Set")).toMatch(/^Cannot set the budget of session 1/);
  });

  it("of a day are changed, lifted and set back, each after a question", async () => {
    expect(await press(await ask("/budget day 2"), "Set $2.00")).toBe("Today has a cap of $2.00 now.");
    expect((await bench.desk.budgets()).dayCap).toBe(2_000_000);
    const board = await ask("/budget");
    await press(board, "Day ×2");
    expect(await press(last(), "Set")).toBe("Today has a cap of $4.00 now.");
    await press(await ask("/budget"), "as configured");
    expect(await press(last(), "Set")).toBe("Today has no cap now.");
    expect((await ask("/budget day 0")).text).toMatch(/Right: \/budget/);
  });

  it("of a session are raised by the button of its own message, whatever session is the current one", async () => {
    const first = await addWork(test.db, 2, 100_000);
    await raiseAlert(test.db, { rule: "budget_warning", text: "67 %", sessionId: first.session_id });
    const [alert] = await bench.desk.openAlerts();
    const told = bench.recorded.calls.length;
    await bench.recorded.bot.sinks[0].send({ alert, notice: "raised" }, new AbortController().signal);
    const message = { ...last(), messageId: told + 1 };
    await bench.desk.cancel(1, "test");
    await addWork(test.db, 2, 400_000);
    expect(await press(message, "Budget +50 %")).toMatch(/^Session 1 has ended: \/recover 1 \$0\.1500/);
    expect((await ask("/budget session 2 0.50")).text).toMatch(/^Raise the budget of session 2\?/);
    expect((await ask("/budget session 7 0.50")).text).toMatch(/^There is no session 7/);
  });

  it("of a session that has ended are raised by recovering it", async () => {
    await endShort();
    expect((await ask("/budget session 1")).text).toMatch(
      /Session 1 has ended: \/recover 1 \$1\.00 gives it money/,
    );
  });
});

describe("costs", () => {
  const spend = async () => {
    const session = await addWork(test.db, 2);
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 2));
  };

  it("come with a picture, and without one when it cannot be drawn", async () => {
    await spend();
    const drawn = makeRecordedBot({
      desk: bench.desk,
      db: test.db,
      pictures: { spend: () => Promise.resolve(new Uint8Array([1])) },
    });
    await drawn.handle(textUpdate("/cost 30", { from: OPERATOR }));
    expect(drawn.calls.map(({ method }) => method)).toEqual(["sendPhoto"]);
    expect(drawn.calls[0].payload.caption).toMatch(/^Spend of 30 days[\s\S]*Articles +2/);

    const broken = makeRecordedBot({
      desk: bench.desk,
      db: test.db,
      pictures: { spend: () => Promise.reject(new Error("no font")) },
    });
    await broken.handle(textUpdate("/cost 30", { from: OPERATOR }));
    expect(broken.calls.map(({ method }) => method)).toEqual(["sendMessage"]);
    expect(broken.logged).toContainEqual(expect.objectContaining({ level: "warn", error: "no font" }));
  });

  it("of nothing are told as nothing", async () => {
    expect((await ask("/cost")).text).toBe("Spend of 7 days (UTC)\n\nNothing was spent.");
    expect((await ask("/cost 400")).text).toMatch(/Right: \/cost \[days\]/);
  });
});

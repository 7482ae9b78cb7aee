/** Recovery, calls of unknown outcome and cleaning up from the chat. */
import { describe, expect, it } from "vitest";
import { finishIfDone } from "../../lib/batches/change_session.ts";
import { addWork, analyse, claim, fail } from "../batches/work_session.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { useFeatureBench } from "./feature_bench.ts";
import { OPERATOR, pressUpdate } from "./recorded_bot.ts";

const test = useTestDatabase();
const bench = useFeatureBench(test);
const { ask, endShort, last, press } = bench;

describe("repairing", () => {
  it("recovers with the budget that should do, after a question, and once", async () => {
    const session = await endShort();
    expect(session).toMatchObject({ status: "PARTIAL", reason: "budget", skipped: 3 });
    const question = await ask("/recover");
    expect(question.text).toMatch(
      /^Recover session 1\?[\s\S]*Left out +3 articles[\s\S]*Budget +\$0\.1000 → \$0\.1100/,
    );
    expect(await press(question, "Recover")).toMatch(/^Session 1: 3 articles are at work again\./);
    expect((await bench.desk.progress(1)).session).toMatchObject({ status: "PROCESSING", budget: 110_000 });
    expect(await press(question, "Recover")).toMatch(/^Answered already\./);
  });

  it("takes a budget by word, and says what it would not help", async () => {
    await endShort();
    expect((await ask("/recover 1 0.50")).text).toMatch(/Budget +\$0\.1000 → \$0\.5000/);
    const done = await addWork(test.db, 1);
    await analyse(test.db, done.session_id, await claim(test.db, done.session_id, 1));
    await finishIfDone(test.db, done.session_id, "test");
    expect((await ask("/recover 2")).text).toBe("Session 2 is complete: there is nothing to recover.");
    const hopeless = await addWork(test.db, 1);
    await fail(test.db, hopeless.session_id, await claim(test.db, hopeless.session_id, 1), "give_up");
    await finishIfDone(test.db, hopeless.session_id, "test");
    expect((await ask("/recover 3")).text).toBe(
      "Session 3 lacks 1 article, but trying again cannot change that.",
    );
  });

  it.each(["/recover 1 0.11", "/recover all"])(
    "%s is told as it was done, also when the process died before it could say so",
    async (command) => {
      await endShort();
      // What the larger budget of "all" is: it recovers within what each session has.
      await test.db.query("UPDATE batch_processing_sessions SET budget = 110000");
      const question = await ask(command);
      const said = await press(question, "Recover");
      expect(said).toMatch(/^Session 1: 3 articles are at work again/);
      await test.db.query(
        "UPDATE telegram_confirmations SET outcome = NULL, used_at = now() - interval '2 minutes'",
      );
      expect(await press(question, "Recover")).toBe(said);
      const { rowCount } = await test.db.query(
        "SELECT FROM session_events WHERE action = 'session_recovered'",
      );
      expect(rowCount).toBe(1);
    },
  );

  it("recovers all of the last days in one go", async () => {
    await endShort();
    const question = await ask("/recover all");
    expect(question.text).toMatch(/^Recover 1 session of the last 7 days\?/);
    expect(await press(question, "Recover all")).toMatch(/Session 1:/);
  });

  it("takes an operator's word on unknown calls after a question", async () => {
    const session = await addWork(test.db, 2);
    await claim(test.db, session.session_id, 1);
    await test.db.query(
      "UPDATE batch_processing_items SET lease_until = now() - interval '1 s' WHERE status = 'PROCESSING'",
    );
    await bench.desk.sweep("test");
    const { unknown } = (await bench.desk.progress(1)).session;
    expect(unknown).toBeGreaterThan(0);
    await bench.recorded.handle(pressUpdate("1:unknown:1", { from: OPERATOR }));
    expect(last().text).toMatch(/^1 call with an unknown outcome/);
    await bench.recorded.handle(pressUpdate("1:verdict:1:unpaid", { from: OPERATOR }));
    const question = last();
    expect(question.text).toMatch(/^Record 1 call as not paid\?/);
    expect(await press(question, "not paid")).toMatch(
      /recorded as not paid\. \$0\.0010 went back to the budget\.$/,
    );
    expect((await bench.desk.progress(1)).session).toMatchObject({ unknown: 0, spent: 0 });
  });

  it("takes an operator's word on the calls that were shown, and on no others", async () => {
    await addWork(test.db, 3);
    const [{ session_id }] = await bench.desk.sessions(1);
    const lose = async () => {
      await claim(test.db, session_id, 1);
      await test.db.query(
        "UPDATE batch_processing_items SET lease_until = now() - interval '1 s' WHERE status = 'PROCESSING'",
      );
      await bench.desk.sweep("test");
    };
    await lose();
    await bench.recorded.handle(pressUpdate("1:verdict:1:unpaid", { from: OPERATOR }));
    const question = last();
    expect(question.text).toMatch(/^Record 1 call as not paid\?\n\n· .*analysis of #/);
    // While the question waits another one gets lost.
    await lose();
    expect(await bench.desk.unknownCalls(1)).toHaveLength(2);
    expect(await press(question, "not paid")).toMatch(/1 call recorded as not paid/);
    const left = await bench.desk.unknownCalls(1);
    expect(left).toHaveLength(1);
    expect((await bench.desk.progress(1)).session.spent).toBe(left[0].amount);
  });

  it("cleans up at once", async () => {
    expect((await ask("/cleanup")).text).toMatch(/^Nothing to clean up/);
  });
});

import { describe, expect, it } from "vitest";
import {
  cancelSession,
  exhaustBudget,
  lockSession,
  moveSession,
  pauseSession,
  resumeByItself,
  resumeSession,
  switchResearchOff,
} from "../../lib/batches/change_session.ts";
import { lockActivation } from "../../lib/batches/start_session.ts";
import { recoverEnded, recoverSession } from "../../lib/batches/recover_items.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { addWork, analyse, claim, fail, readSession, workToTheEnd } from "../batches/work_session.ts";
import { listAlertStates } from "./watch_sinks.ts";

const test = useTestDatabase();

async function readTexts(): Promise<string[]> {
  const { rows } = await test.db.query<{ text: string }>("SELECT text FROM alerts ORDER BY alert_id");
  return rows.map(({ text }) => text);
}

const THIRTY_SECONDS = () => 30_000;

describe("a session that ends", () => {
  it("COMPLETED is told as information, with its figures", async () => {
    const { session_id } = await addWork(test.db, 3);
    await workToTheEnd(test.db, session_id);
    expect(await listAlertStates(test.db)).toEqual(["session_ended info open"]);
    expect(await readTexts()).toEqual(["Session 1 COMPLETED: 3 of 3 analysed, $0.0003 of $1.00"]);
    const { rows: [{ detail }] } = await test.db.query("SELECT detail FROM alerts");
    expect(detail).toMatchObject({
      number: 1,
      status: "COMPLETED",
      analyzed: 3,
      total: 3,
      spent: 300,
      reason: null,
    });
  });

  it("PARTIAL is a warning and says why", async () => {
    const { session_id } = await addWork(test.db, 3, 1_000_000, { maxAttempts: 1 });
    await fail(test.db, session_id, await claim(test.db, session_id, 1), "retry");
    await workToTheEnd(test.db, session_id);
    expect(await listAlertStates(test.db)).toEqual(["session_ended warning open"]);
    expect(await readTexts()).toEqual([
      "Session 1 PARTIAL (some articles failed): 2 of 3 analysed, 1 failed, $0.0002 of $1.00",
    ]);
  });

  it("FAILED is critical", async () => {
    const { session_id } = await addWork(test.db, 2);
    await fail(test.db, session_id, await claim(test.db, session_id, 2), "give_up");
    await workToTheEnd(test.db, session_id);
    expect(await listAlertStates(test.db)).toEqual(["session_ended critical open"]);
  });

  it("by a person's word is information", async () => {
    const { session_id } = await addWork(test.db, 2);
    await cancelSession(test.db, session_id, "test");
    expect(await listAlertStates(test.db)).toEqual(["session_ended info open"]);
    expect(await readTexts()).toEqual([
      "Session 1 CANCELLED (it was cancelled): 0 of 2 analysed, 2 skipped, $0.0000 of $1.00",
    ]);
  });

  it("closes its other alerts without a word", async () => {
    const { session_id } = await addWork(test.db, 2);
    await pauseSession(test.db, session_id, "w1", "key_refused", { error: "the key was refused" });
    await cancelSession(test.db, session_id, "test");
    expect(await listAlertStates(test.db)).toEqual([
      "provider_refusing critical over quietly: the session has ended",
      "session_ended info open",
    ]);
  });

  it("again after a recovery is told again", async () => {
    const { session_id } = await addWork(test.db, 2, 1_000_000, { maxAttempts: 1 });
    await fail(test.db, session_id, await claim(test.db, session_id, 2), "retry");
    await workToTheEnd(test.db, session_id);
    await recoverSession(test.db, session_id, null, "test");
    await fail(test.db, session_id, await claim(test.db, session_id, 2), "give_up");
    await workToTheEnd(test.db, session_id);
    expect(await listAlertStates(test.db)).toEqual([
      "session_ended critical over quietly: the session was recovered",
      "session_ended critical open",
    ]);
  });

  it("again after it was queued behind another one is told again too", async () => {
    const { session_id } = await addWork(test.db, 2, 1_000_000, { maxAttempts: 1 });
    await fail(test.db, session_id, await claim(test.db, session_id, 2), "retry");
    await workToTheEnd(test.db, session_id);
    const other = await addWork(test.db, 1);
    await test.db.transaction(async (tx) => {
      await lockActivation(tx);
      await recoverEnded(tx, await lockSession(tx, session_id), "test", "queue", {});
    });
    expect((await readSession(test.db, session_id)).status).toBe("PAUSED");
    await cancelSession(test.db, other.session_id, "test");
    await cancelSession(test.db, session_id, "test");
    expect(await listAlertStates(test.db)).toEqual([
      "session_ended critical over quietly: the session was recovered",
      "session_ended info open",
      "session_ended info open",
    ]);
  });

  it("leaves no alert when its transaction is rolled back", async () => {
    const { session_id } = await addWork(test.db, 2);
    await expect(test.db.transaction(async (tx) => {
      const move = { actor: "test", action: "session_cancelled", reason: "cancelled" };
      await moveSession(tx, await lockSession(tx, session_id), "CANCELLED", move);
      expect((await tx.query("SELECT FROM alerts")).rows).toHaveLength(1);
      throw new Error("rolled back");
    })).rejects.toThrow("rolled back");
    expect(await listAlertStates(test.db)).toEqual([]);
  });
});

describe("money that is used up", () => {
  it("is critical, and says how many articles are left out and what would do for all", async () => {
    const { session_id } = await addWork(test.db, 12, 2_000);
    await workToTheEnd(test.db, session_id);
    const states = await listAlertStates(test.db);
    expect(states.slice(-2)).toEqual(["budget_exhausted critical open", "session_ended warning open"]);
    // 11 articles at 100 each, and the next one's hold of 1,000 is over the 900 that are left. With it, 0.0022.
    expect((await readTexts()).find((text) => text.includes("used up its budget"))).toBe(
      "Session 1 has used up its budget: $0.0011 of $0.0020, the next article does not fit. " +
        "1 article left out; about $0.0100 would do for all",
    );
  });

  it("of a day is told for the day, and once whichever session meets it", async () => {
    for (const number of [1, 2]) {
      const { session_id } = await addWork(test.db, 3);
      await test.db.query("UPDATE day_budgets SET budget = spent");
      expect(await exhaustBudget(test.db, session_id, "day_budget", "test", () => Promise.resolve(true)))
        .toBe(true);
      expect((await listAlertStates(test.db)).filter((state) => state.startsWith("day"))).toEqual([
        "day_budget_exhausted critical open",
      ]);
      if (number === 1) expect((await readTexts())[0]).toMatch(/Session 1 leaves out 3 articles$/);
    }
  });

  it("is not told when a settlement made room again before the lock", async () => {
    const { session_id } = await addWork(test.db, 2);
    expect(await exhaustBudget(test.db, session_id, "budget", "test", () => Promise.resolve(false))).toBe(
      false,
    );
    expect(await listAlertStates(test.db)).toEqual([]);
  });
});

describe("a pause", () => {
  it("that a person wished, or that makes way, raises nothing", async () => {
    for (const reason of ["operator", "interrupted", "queued", "reopened"]) {
      const { session_id } = await addWork(test.db, 1);
      await pauseSession(test.db, session_id, "test", reason);
      await resumeSession(test.db, session_id, "test");
      await cancelSession(test.db, session_id, "test");
    }
    expect((await listAlertStates(test.db)).filter((state) => !state.startsWith("session_ended"))).toEqual(
      [],
    );
  });

  for (
    const [reason, rule] of [
      ["key_refused", "provider_refusing"],
      ["purse_empty", "provider_refusing"],
      ["quota_exhausted", "provider_refusing"],
      ["not_available", "provider_refusing"],
      ["model_not_found", "provider_refusing"],
      ["provider_outage", "provider_refusing"],
      ["failing", "failing"],
      ["not_possible_here", "cannot_work"],
    ]
  ) {
    it(`because of ${reason} is critical until a person resumes the session`, async () => {
      const { session_id } = await addWork(test.db, 2);
      await pauseSession(test.db, session_id, "w1", reason, { error: "said so" });
      expect(await listAlertStates(test.db)).toEqual([`${rule} critical open`]);
      const [text] = await readTexts();
      expect(text).toMatch(/^Session 1 is paused, .*: said so\. Somebody must resume it\. 0 of 2 analysed$/);
      await resumeSession(test.db, session_id, "test");
      expect(await listAlertStates(test.db)).toEqual([`${rule} critical over: the session goes on`]);
    });
  }

  it("that ends by itself is a warning that stays over its tries, until an article was analysed", async () => {
    const { session_id } = await addWork(test.db, 3);
    for (let round = 0; round < 3; round++) {
      await pauseSession(test.db, session_id, "w1", "provider_outage", { error: "503" }, THIRTY_SECONDS);
      await test.db.transaction(async (tx) => {
        await resumeByItself(tx, await lockSession(tx, session_id), "test");
      });
      expect(await listAlertStates(test.db)).toEqual(["provider_refusing warning open"]);
    }
    expect((await readTexts())[0]).toMatch(
      /It tries again at \d{4}-\d\d-\d\d \d\d:\d\d UTC\. 0 of 3 analysed$/,
    );
    await analyse(test.db, session_id, await claim(test.db, session_id, 1));
    expect(await listAlertStates(test.db)).toEqual([
      "provider_refusing warning over: an article was analysed again",
    ]);
  });

  it("that does not end by itself any more is told again, as critical", async () => {
    const { session_id } = await addWork(test.db, 1);
    await pauseSession(test.db, session_id, "w1", "provider_outage", {}, THIRTY_SECONDS);
    await test.db.transaction(async (tx) => {
      await resumeByItself(tx, await lockSession(tx, session_id), "test");
    });
    await pauseSession(test.db, session_id, "w1", "provider_outage");
    expect(await listAlertStates(test.db)).toEqual([
      "provider_refusing warning over quietly: it is another trouble now",
      "provider_refusing critical open",
    ]);
  });

  it("for another reason takes the place of the one before", async () => {
    const { session_id } = await addWork(test.db, 1);
    await pauseSession(test.db, session_id, "w1", "rate_limited", {}, THIRTY_SECONDS);
    await test.db.transaction(async (tx) => {
      await resumeByItself(tx, await lockSession(tx, session_id), "test");
    });
    await pauseSession(test.db, session_id, "w1", "key_refused");
    expect(await listAlertStates(test.db)).toEqual([
      "provider_refusing warning over quietly: it is another trouble now",
      "provider_refusing critical open",
    ]);
  });
});

it("searches that stop are a warning, told once", async () => {
  const { session_id } = await addWork(test.db, 1);
  await switchResearchOff(test.db, session_id, "w1", "The plan's credits are used up");
  await switchResearchOff(test.db, session_id, "w2", "The plan's credits are used up");
  expect(await listAlertStates(test.db)).toEqual(["research_off warning open"]);
  expect(await readTexts()).toEqual([
    "Session 1 searches no more: The plan's credits are used up. Its analyses go on",
  ]);
});

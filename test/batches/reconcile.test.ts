/** Faults that the program cannot make: a hand in psql made them, or a backup that was restored in part. */
import { describe, expect, it } from "vitest";
import { cancelSession, finishIfDone, resumeSession } from "../../lib/batches/change_session.ts";
import { cleanUp } from "../../lib/batches/clean_up.ts";
import { reclaimExpired } from "../../lib/batches/leases.ts";
import { reconcile } from "../../lib/batches/reconcile/reconcile.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import {
  addWork,
  analyse,
  claim,
  countItems,
  fail,
  LEASE_MS,
  leaveToResearch,
  listBatchStates,
  readSession,
  workToTheEnd,
} from "./work_session.ts";

const test = useTestDatabase();

function repair(reach: "recent" | "all" = "recent") {
  return reconcile(test.db, "cleanup", reach);
}

async function tamper(statement: string): Promise<void> {
  await test.db.query(statement);
}

/** Half done: two analysed, one failed for good, one under way and one waiting. */
async function addHalfDone() {
  const { session_id } = await addWork(test.db, 5, 9_000, { maxAttempts: 1 });
  const items = await claim(test.db, session_id, 3);
  await analyse(test.db, session_id, items.slice(0, 2));
  await fail(test.db, session_id, items.slice(2), "give_up");
  await claim(test.db, session_id, 1);
  expect(await findViolations(test.db, session_id)).toEqual([]);
  return await readSession(test.db, session_id);
}

/** What a hand changed without telling the audit trail cannot be chained; every other rule must hold again. */
async function brokenRules(sessionId: string): Promise<string[]> {
  const violations = await findViolations(test.db, sessionId);
  return violations.filter((line) => !/^an event does not begin|^a state that no event tells of/.test(line));
}

async function repairEvents() {
  const { rows } = await test.db.query<
    { session_id: string | null; batch_id: number | null; detail: unknown }
  >(
    "SELECT session_id, batch_id, detail FROM session_events WHERE action = 'counters_repaired' ORDER BY event_id",
  );
  return rows;
}

describe("sums that are right", () => {
  it("are left alone: nothing is locked, written or told", async () => {
    const session = await addHalfDone();
    const events = async () => (await test.db.query("SELECT count(*) AS n FROM session_events")).rows;
    const before = await events();
    expect(await repair("all")).toEqual({ sessions: [], days: [] });
    expect(await readSession(test.db, session.session_id)).toEqual(session);
    expect(await events()).toEqual(before);
  });

  it("are never mistaken for wrong ones while workers write at full speed", async () => {
    const { session_id } = await addWork(test.db, 60, 1_000_000);
    let working = true;
    const work = async () => {
      for (let items = await claim(test.db, session_id, 2); items.length > 0;) {
        await analyse(test.db, session_id, items);
        items = await claim(test.db, session_id, 2);
      }
    };
    const workers = Promise.all([work(), work(), work()]).finally(() => working = false);
    for (let looks = 0; working || looks === 0; looks++) {
      expect(await repair()).toEqual({ sessions: [], days: [] });
    }
    await workers;
    expect((await readSession(test.db, session_id)).analyzed).toBe(60);
  });
});

describe("counters that differ from the articles", () => {
  it("of a session are counted again, and before and after stand in the audit trail", async () => {
    const session = await addHalfDone();
    await tamper("UPDATE batch_processing_sessions SET analyzed = 0, failed = 3, total = 6");
    const corrections = { total: [6, 5], analyzed: [0, 2], failed: [3, 1] };
    expect((await repair()).sessions).toEqual([
      { number: 1, orphanedCalls: 0, batches: 0, corrections, reopened: false, skipped: 0 },
    ]);
    expect(await readSession(test.db, session.session_id)).toEqual(session);
    expect(await repairEvents()).toEqual([
      { session_id: session.session_id, batch_id: null, detail: { corrections } },
    ]);
    expect(await findViolations(test.db, session.session_id)).toEqual([]);
  });

  it("of batches are counted again, each with its own row in the audit trail", async () => {
    const session = await addHalfDone();
    await tamper("UPDATE batch_processing_records SET processed = 0, actual_cost = 7 WHERE batch_number = 1");
    expect((await repair()).sessions).toMatchObject([{ batches: 1, corrections: {} }]);
    expect(await repairEvents()).toEqual([{
      session_id: session.session_id,
      batch_id: 1,
      detail: {
        batch: 1,
        before: { total: 2, processed: 0, failed: 0, skipped: 0, actual_cost: 7 },
        after: { total: 2, processed: 2, failed: 0, skipped: 0, actual_cost: 200 },
      },
    }]);
    expect(await findViolations(test.db, session.session_id)).toEqual([]);
  });

  it("keep a session from ending; once they are right it ends in the same cleanup", async () => {
    const { session_id } = await addWork(test.db, 2);
    await analyse(test.db, session_id, await claim(test.db, session_id, 2));
    await tamper("UPDATE batch_processing_sessions SET analyzed = 1");
    const { ended, repaired } = await cleanUp(test.db, "cleanup");
    expect({ ended, repaired: repaired.sessions.length }).toEqual({ ended: [1], repaired: 1 });
    expect(await readSession(test.db, session_id)).toMatchObject({ status: "COMPLETED", analyzed: 2 });
  });

  it("follow when articles were deleted with all they had", async () => {
    const { session_id } = await addWork(test.db, 4);
    await tamper("DELETE FROM batch_processing_items WHERE batch_id = 2");
    expect((await repair()).sessions).toMatchObject([{ batches: 1, corrections: { total: [4, 2] } }]);
    expect(await listBatchStates(test.db, session_id)).toEqual(["PENDING", "CANCELLED"]);
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "COMPLETED", total: 2 });
  });
});

describe("the state of a batch that its articles contradict", () => {
  it("becomes the one that they make", async () => {
    const { session_id } = await addHalfDone();
    await tamper(
      "UPDATE batch_processing_records SET status = 'FAILED', finished_at = now() WHERE batch_number > 1",
    );
    await tamper(
      "UPDATE batch_processing_records SET status = 'PROCESSING', finished_at = NULL WHERE batch_number = 1",
    );
    expect((await repair()).sessions).toMatchObject([{ batches: 3 }]);
    expect(await listBatchStates(test.db, session_id)).toEqual(["COMPLETED", "PROCESSING", "PENDING"]);
    expect(await brokenRules(session_id)).toEqual([]);
  });

  it("is put right also when its counters and times are", async () => {
    const { session_id } = await addHalfDone();
    await tamper("UPDATE batch_processing_records SET status = 'PARTIAL' WHERE batch_number = 1");
    expect((await repair()).sessions).toMatchObject([{ batches: 1, corrections: {} }]);
    expect(await listBatchStates(test.db, session_id)).toEqual(["COMPLETED", "PROCESSING", "PENDING"]);
  });
});

describe("money that differs from the ledger", () => {
  it("of a session becomes what the ledger says, whichever way it was wrong", async () => {
    for (const sums of ["held = 0, spent = 0", "held = 2000, spent = 5000, unknown = 3000, overrun = 9"]) {
      const session = await addHalfDone();
      await tamper(`UPDATE batch_processing_sessions SET ${sums} WHERE number = ${session.number}`);
      const { sessions: [found] } = await repair();
      expect(Object.keys(found.corrections)).toEqual(expect.arrayContaining(["held", "spent"]));
      expect(await readSession(test.db, session.session_id)).toEqual(session);
      expect(await findViolations(test.db, session.session_id)).toEqual([]);
      await cancelSession(test.db, session.session_id, "test");
    }
  });

  it("above the cap stays told: the cap becomes exactly that, and nothing more is spent", async () => {
    const { session_id } = await addHalfDone();
    await tamper("UPDATE batch_processing_sessions SET held = 0, spent = 0, budget = 500");
    expect((await repair()).sessions).toMatchObject([
      { corrections: { held: [0, 1_000], spent: [0, 200], budget: [500, 1_200] } },
    ]);
    expect(await readSession(test.db, session_id)).toMatchObject({ spent: 200, held: 1_000, budget: 1_200 });
    expect(await claim(test.db, session_id, 1)).toEqual([]);
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("lets a settlement in again that the wrong sums kept out", async () => {
    const { session_id } = await addWork(test.db, 1);
    const items = await claim(test.db, session_id, 1);
    await tamper("UPDATE batch_processing_sessions SET held = 0");
    await expect(analyse(test.db, session_id, items)).rejects.toThrow(/held_check/);
    await repair();
    expect(await analyse(test.db, session_id, items)).toEqual(["applied"]);
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("of a day becomes what its calls say, and no session is blamed for it", async () => {
    const { session_id } = await addHalfDone();
    await tamper("UPDATE day_budgets SET held = 77, spent = 3, budget = 100");
    const { days } = await repair();
    expect(days).toMatchObject([{ simulated: false }]);
    const { rows } = await test.db.query("SELECT held, spent, budget FROM day_budgets");
    expect(rows).toEqual([{ held: 1_000, spent: 200, budget: 1_200 }]);
    expect(await repairEvents()).toMatchObject([{
      session_id: null,
      detail: { simulated: false, corrections: { held: [77, 1_000], spent: [3, 200], budget: [100, 1_200] } },
    }]);
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("of a day that lost its row is there again", async () => {
    const { session_id } = await addHalfDone();
    await tamper("DELETE FROM day_budgets");
    expect((await repair()).days).toHaveLength(1);
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });
});

describe("a call that is out although nobody has its claim", () => {
  it("becomes unknown and is charged in full, in session, day and batch; people are told", async () => {
    const { session_id } = await addWork(test.db, 2);
    await claim(test.db, session_id, 2);
    await tamper(
      "UPDATE batch_processing_items SET status = 'PENDING', lease_token = NULL, lease_until = NULL WHERE item_id = 1",
    );
    expect((await repair()).sessions).toMatchObject([{ orphanedCalls: 1, batches: 1 }]);
    expect(await readSession(test.db, session_id)).toMatchObject({
      held: 1_000,
      spent: 1_000,
      unknown: 1_000,
    });
    const { rows: calls } = await test.db.query("SELECT state, failure FROM paid_calls ORDER BY call_id");
    expect(calls).toEqual([{ state: "UNKNOWN", failure: "claim_lost" }, { state: "HELD", failure: null }]);
    expect((await test.db.query("SELECT held, spent FROM day_budgets")).rows).toEqual([{
      held: 1_000,
      spent: 1_000,
    }]);
    expect(await brokenRules(session_id)).toEqual([]);
    const { rows } = await test.db.query("SELECT count(*) AS n FROM alerts WHERE rule = 'unknown_outcomes'");
    expect(rows).toEqual([{ n: 1 }]);
    await workToTheEnd(test.db, session_id);
  });

  it("is taken from its day in the same transaction, however long ago that was", async () => {
    const { session_id } = await addWork(test.db, 2);
    await claim(test.db, session_id, 1);
    await tamper("UPDATE paid_calls SET day = day - 9");
    await tamper("UPDATE day_budgets SET day = day - 9");
    await tamper(
      "UPDATE batch_processing_items SET status = 'PENDING', lease_token = NULL, lease_until = NULL WHERE item_id = 1",
    );
    expect(await repair()).toMatchObject({ sessions: [{ orphanedCalls: 1 }], days: [] });
    expect((await test.db.query("SELECT held, spent FROM day_budgets")).rows).toEqual([{
      held: 0,
      spent: 1_000,
    }]);
    expect(await brokenRules(session_id)).toEqual([]);
  });

  it("for research is added to the cost of its analysis", async () => {
    const { session_id } = await addWork(test.db, 1);
    await leaveToResearch(test.db, session_id, await claim(test.db, session_id, 1));
    await tamper(
      `INSERT INTO paid_calls (session_id, batch_id, item_id, article_id, attempt, kind, provider, model,
        simulated, amount, day, lease_token)
      SELECT session_id, batch_id, item_id, article_id, attempt, 'search', 'tavily', 'search', simulated, 500, day,
        gen_random_uuid() FROM paid_calls`,
    );
    await repair();
    const { rows } = await test.db.query("SELECT cost FROM article_analyses");
    expect(rows).toEqual([{ cost: 600 }]);
  });
});

describe("a session whose end its articles contradict", () => {
  it("with articles still open is paused, so that nothing is spent unasked, and can be resumed to its end", async () => {
    const { session_id } = await addHalfDone();
    await tamper("UPDATE batch_processing_sessions SET status = 'COMPLETED', finished_at = now()");
    expect((await repair()).sessions).toMatchObject([{ reopened: true }]);
    expect(await readSession(test.db, session_id)).toMatchObject({
      status: "PAUSED",
      reason: "reopened",
      finished_at: null,
    });
    await reclaimExpired(test.db, "cleanup", new Date(Date.now() + 2 * LEASE_MS));
    await resumeSession(test.db, session_id, "test");
    expect(await workToTheEnd(test.db, session_id)).toMatchObject({ status: "PARTIAL" });
    expect(await brokenRules(session_id)).toEqual([]);
  });

  it("with nothing open gets its right end in the same cleanup", async () => {
    const { session_id } = await addWork(test.db, 2, 9_000, { maxAttempts: 1 });
    const items = await claim(test.db, session_id, 2);
    await analyse(test.db, session_id, items.slice(1));
    await fail(test.db, session_id, items.slice(0, 1), "give_up");
    await finishIfDone(test.db, session_id, "test");
    await tamper("UPDATE batch_processing_sessions SET status = 'COMPLETED', reason = NULL");
    const { ended } = await cleanUp(test.db, "cleanup");
    expect(ended).toEqual([1]);
    expect(await readSession(test.db, session_id)).toMatchObject({ status: "PARTIAL", reason: "failures" });
    expect(await brokenRules(session_id)).toEqual([]);
  });

  it("that was cancelled stays so: what still waits is skipped and free for another session", async () => {
    const { session_id } = await addWork(test.db, 3);
    await cancelSession(test.db, session_id, "test");
    await tamper("UPDATE batch_processing_items SET status = 'PENDING', reason = NULL WHERE item_id < 3");
    await tamper("UPDATE batch_processing_sessions SET skipped = 1");
    await tamper(
      "UPDATE batch_processing_records SET skipped = 0, status = 'PENDING', finished_at = NULL WHERE batch_number = 1",
    );
    expect((await repair()).sessions).toMatchObject([{ skipped: 2, reopened: false }]);
    expect(await countItems(test.db, session_id)).toEqual({ "SKIPPED cancelled": 3 });
    expect((await readSession(test.db, session_id)).status).toBe("CANCELLED");
    expect(await brokenRules(session_id)).toEqual([]);
  });
});

describe("people", () => {
  it("are told of a repair, once a day and session, because it means that somebody else writes", async () => {
    await addHalfDone();
    const told = async () =>
      (await test.db.query<{ text: string }>(
        "SELECT text FROM alerts WHERE rule = 'books_repaired' ORDER BY 1",
      ))
        .rows.map((row) => row.text);
    for (let round = 0; round < 2; round++) {
      await tamper("UPDATE batch_processing_sessions SET failed = 3, spent = 50");
      await tamper("UPDATE day_budgets SET spent = 50");
      await repair();
    }
    expect(await told()).toEqual([
      "Session 1 did not add up and was put right: failed 3 -> 1; spent $0.000050 -> $0.0002",
      expect.stringMatching(
        /^The sums of [\d-]+ did not match its calls and were put right: spent \$0\.000050 -> \$0\.0002$/,
      ),
    ]);
  });
});

describe("how far back is looked", () => {
  it("is two days for live and lately ended sessions, everything when an operator asks", async () => {
    const { session_id } = await addWork(test.db, 1);
    await workToTheEnd(test.db, session_id);
    await tamper("UPDATE batch_processing_sessions SET spent = 0, finished_at = now() - interval '3 days'");
    expect((await repair("recent")).sessions).toEqual([]);
    expect((await repair("all")).sessions).toMatchObject([{ number: 1, corrections: { spent: [0, 100] } }]);
  });
});

describe("two cleanups at once", () => {
  it("repair a fault once", async () => {
    const { session_id } = await addHalfDone();
    await tamper("UPDATE batch_processing_sessions SET analyzed = 0, spent = 0");
    await tamper("UPDATE day_budgets SET spent = 0");
    const reports = await Promise.all(["a", "b", "c"].map((actor) => cleanUp(test.db, actor)));
    expect(reports.flatMap(({ repaired }) => repaired.sessions)).toHaveLength(1);
    expect(await findViolations(test.db, session_id)).toEqual([]);
    expect(await repairEvents()).toHaveLength(2);
  });
});

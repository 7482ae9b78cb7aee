import { describe, expect, it } from "vitest";
import { pauseSession } from "../../lib/batches/change_session.ts";
import { recoverSession } from "../../lib/batches/recover_items.ts";
import { holdItems } from "../../lib/budget/ledger/hold_items.ts";
import { settleCalls } from "../../lib/budget/ledger/settle_calls.ts";
import { analyzed, unsentOutcome } from "../../lib/batches/worker/outcomes.ts";
import { reclaimExpired } from "../../lib/batches/leases.ts";
import { type Micros, micros } from "../../lib/money.ts";
import { addArticles, addSession, PLAIN_ANALYSIS } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { fail, workToTheEnd } from "../batches/work_session.ts";
import { listAlertStates } from "./watch_sinks.ts";

const test = useTestDatabase();

/** A session of 10 articles at a hold of 1,000 each and a budget of 10,000, so one article is 10 %. */
async function addTenths() {
  const articles = await addArticles(test.db, 10, 40);
  return await addSession(test.db, { articles, budget: micros(10_000), settings: { maxAttempts: 1 } });
}

/** Settles so many articles at these bills in one write. */
async function spend(sessionId: string, bills: readonly number[]) {
  const items = await holdItems(test.db, { sessionId, limit: bills.length, worker: "w1", leaseMs: 60_000 });
  expect(items).toHaveLength(bills.length);
  const settlements = items.map((item, index) => ({
    outcome_id: crypto.randomUUID(),
    item_id: item.item_id,
    lease_token: item.lease_token,
    call: {
      ...unsentOutcome(item.call_id, ""),
      state: "SETTLED" as const,
      bill: bills[index] as Micros,
      failure: null,
      detail: null,
    },
    item: analyzed(),
    analysis: PLAIN_ANALYSIS,
    research: null,
  }));
  await settleCalls(test.db, sessionId, settlements, "w1");
}

function setBudget(sessionId: string, budget: number) {
  return test.db.query("UPDATE batch_processing_sessions SET budget = $2 WHERE session_id = $1", [
    sessionId,
    budget,
  ]);
}

describe("the budget's levels", () => {
  it("are silent just below 67 %, a warning at 67 %, and say what was spent of what", async () => {
    const { session_id } = await addTenths();
    await spend(session_id, [1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 699]);
    expect(await listAlertStates(test.db)).toEqual([]);
    await spend(session_id, [1]);
    expect(await listAlertStates(test.db)).toEqual(["budget_warning warning open"]);
    const { rows: [alert] } = await test.db.query("SELECT text, dedupe_key, detail FROM alerts");
    expect(alert).toMatchObject({
      text: "Session 1 has spent 67 % of its budget: $0.0067 of $0.0100, 8 of 10 articles done",
      dedupe_key: `budget_warning:${session_id}`,
      detail: { number: 1, spent: 6_700, budget: 10_000, percent: 67, analyzed: 8, simulated: false },
    });
  });

  it("crossed at once raise only the critical one", async () => {
    const { session_id } = await addTenths();
    await spend(session_id, Array(9).fill(1_000));
    expect(await listAlertStates(test.db)).toEqual(["budget_critical critical open"]);
  });

  it("follow each other without a word about the lower one, and stay one alert each however long it goes on", async () => {
    const { session_id } = await addTenths();
    await spend(session_id, Array(7).fill(1_000));
    await spend(session_id, [1_000]);
    await spend(session_id, [400]);
    await spend(session_id, [100]);
    expect(await listAlertStates(test.db)).toEqual([
      "budget_warning warning over quietly: its level changed",
      "budget_critical critical open",
    ]);
  });

  it("are over, and told so, when the budget is raised far enough; not before", async () => {
    const { session_id } = await addTenths();
    await spend(session_id, Array(9).fill(1_000));
    await setBudget(session_id, 10_500);
    expect(await listAlertStates(test.db)).toEqual(["budget_critical critical open"]);
    await setBudget(session_id, 12_000);
    await setBudget(session_id, 20_000);
    expect(await listAlertStates(test.db)).toEqual([
      "budget_critical critical over quietly: its level changed",
      "budget_warning warning over: the budget has room again",
    ]);
  });

  it("come again when they are reached again", async () => {
    const { session_id } = await addTenths();
    await spend(session_id, Array(7).fill(1_000));
    await setBudget(session_id, 20_000);
    await setBudget(session_id, 10_000);
    expect(await listAlertStates(test.db)).toEqual([
      "budget_warning warning over: the budget has room again",
      "budget_warning warning open",
    ]);
  });

  it("are those that the session was started with", async () => {
    const { session_id } = await addTenths();
    await test.db.query("UPDATE batch_processing_sessions SET warn_percent = 10, critical_percent = 20");
    await spend(session_id, [1_000]);
    expect(await listAlertStates(test.db)).toEqual(["budget_warning warning open"]);
  });

  it("are of live sessions: the end closes them quietly, a recovery tells them again", async () => {
    const { session_id } = await addTenths();
    await spend(session_id, Array(8).fill(1_000));
    const items = await holdItems(test.db, {
      sessionId: session_id,
      limit: 2,
      worker: "w1",
      leaseMs: 60_000,
    });
    await fail(test.db, session_id, items, "retry");
    await workToTheEnd(test.db, session_id);
    expect(await listAlertStates(test.db)).toEqual([
      "budget_warning warning over quietly: the session has ended",
      "session_ended warning open",
    ]);
    await recoverSession(test.db, session_id, null, "test");
    expect((await listAlertStates(test.db)).slice(-1)).toEqual(["budget_warning warning open"]);
  });

  it("of simulated money say that it is simulated", async () => {
    const articles = await addArticles(test.db, 1, 40);
    const { session_id } = await addSession(test.db, { articles, budget: micros(1_200), simulated: true });
    await spend(session_id, [1_000]);
    const { rows } = await test.db.query<{ text: string }>(
      "SELECT text FROM alerts WHERE rule LIKE 'budget%'",
    );
    expect(rows[0].text).toContain("(simulated)");
  });
});

describe("alerts about single calls", () => {
  it("tell a bill above its hold once a session", async () => {
    const { session_id } = await addTenths();
    await spend(session_id, [1_500]);
    await spend(session_id, [3_000]);
    expect(await listAlertStates(test.db)).toEqual(["overrun warning open"]);
    const { rows: [{ text }] } = await test.db.query<{ text: string }>("SELECT text FROM alerts");
    expect(text).toBe("Session 1 was billed $0.000500 above its holds; the next holds are larger");
  });

  it("tell of unknown outcomes until the last one is known, also when the session has ended", async () => {
    const { session_id } = await addTenths();
    await holdItems(test.db, { sessionId: session_id, limit: 2, worker: "w1", leaseMs: 60_000 });
    await reclaimExpired(test.db, "test", new Date(Date.now() + 120_000));
    expect(await listAlertStates(test.db)).toEqual(["unknown_outcomes warning open"]);
    await workToTheEnd(test.db, session_id);
    expect((await listAlertStates(test.db))[0]).toBe("unknown_outcomes warning open");
    await test.db.query("UPDATE batch_processing_sessions SET unknown = unknown - 1000");
    expect((await listAlertStates(test.db))[0]).toBe("unknown_outcomes warning open");
    await test.db.query("UPDATE batch_processing_sessions SET unknown = 0");
    expect((await listAlertStates(test.db))[0]).toBe("unknown_outcomes warning over: every outcome is known");
  });

  it("are in the transaction that caused them: rolled back with it", async () => {
    const { session_id } = await addTenths();
    await expect(test.db.transaction(async (tx) => {
      await tx.query("UPDATE batch_processing_sessions SET spent = 9000 WHERE session_id = $1", [session_id]);
      const { rows } = await tx.query("SELECT FROM alerts");
      expect(rows).toHaveLength(1);
      throw new Error("rolled back");
    })).rejects.toThrow("rolled back");
    expect(await listAlertStates(test.db)).toEqual([]);
  });
});

it("moves that are not about money raise none of them", async () => {
  const { session_id } = await addTenths();
  await pauseSession(test.db, session_id, "test", "operator");
  expect(await listAlertStates(test.db)).toEqual([]);
});

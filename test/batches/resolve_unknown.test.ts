import { describe, expect, it } from "vitest";
import { cancelSession, lockSession, pauseSession } from "../../lib/batches/change_session.ts";
import { reclaimExpired } from "../../lib/batches/leases.ts";
import { resolveUnknown } from "../../lib/batches/resolve_unknown.ts";
import type { Session } from "../../lib/batches/types.ts";
import { researching, unsentOutcome } from "../../lib/batches/worker/outcomes.ts";
import { holdCall } from "../../lib/budget/ledger/hold_call.ts";
import type { ClaimedItem } from "../../lib/budget/ledger/hold_items.ts";
import { listUnknown } from "../../lib/budget/ledger/list_unknown.ts";
import { resolveCalls } from "../../lib/budget/ledger/resolve_unknown.ts";
import { settleCalls } from "../../lib/budget/ledger/settle_calls.ts";
import { NotFoundError, UserError } from "../../lib/errors.ts";
import { micros } from "../../lib/money.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { untilWaitedFor } from "../helpers/lock_wait.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import {
  addUnknownCalls,
  addWork,
  analyse,
  claim,
  LEASE_MS,
  leaveToResearch,
  readSession,
} from "./work_session.ts";

const test = useTestDatabase();
const addUnknown = (calls: number) => addUnknownCalls(test.db, calls);

const CALLS = "SELECT call_id, state, spent, overrun FROM paid_calls ORDER BY call_id";

async function readCalls() {
  return (await test.db.query<Record<string, unknown>>(CALLS)).rows;
}

async function readDay() {
  const { rows: [day] } = await test.db.query("SELECT held, spent FROM day_budgets");
  return day;
}

function searchFor(session: Session, item: ClaimedItem) {
  return holdCall(test.db, {
    sessionId: session.session_id,
    itemId: item.item_id,
    leaseToken: item.lease_token,
    worker: "w1",
    kind: "search",
    provider: "tavily",
    model: "search",
    amount: micros(4_000),
  });
}

describe("an unknown call resolved as paid", () => {
  it("stays charged in full, is known from then on, and says who said so", async () => {
    const session = await addUnknown(1);
    const { session: after, resolved, earlier, returned } = await resolveUnknown(
      test.db,
      { call: 1 },
      "paid",
      "operator:7",
    );
    expect(after).toMatchObject({ spent: 1_000, unknown: 0, overrun: 0 });
    expect({ returned, earlier }).toEqual({ returned: 0, earlier: null });
    expect(resolved).toEqual([
      {
        call_id: 1,
        article_id: expect.any(Number),
        state: "SETTLED",
        amount: 1_000,
        spent: 1_000,
        overrun: 0,
      },
    ]);
    const { rows } = await test.db.query(
      `SELECT actor, call_id, from_state, to_state, detail FROM session_events WHERE action = 'unknown_resolved'`,
    );
    expect(rows).toEqual([{
      actor: "operator:7",
      call_id: 1,
      from_state: "UNKNOWN",
      to_state: "SETTLED",
      detail: { kind: "analysis", amount: 1_000, spent: 1_000 },
    }]);
    expect(await findViolations(test.db, session.session_id)).toEqual([]);
  });

  it("at a smaller bill gives the rest back to session, day and batch", async () => {
    const session = await addUnknown(2);
    const { session: after, returned } = await resolveUnknown(
      test.db,
      { call: 1, bill: micros(421) },
      "paid",
      "test",
    );
    expect(returned).toBe(579);
    expect(after).toMatchObject({ spent: 1_421, unknown: 1_000 });
    expect(await readDay()).toEqual({ held: 0, spent: 1_421 });
    const { rows } = await test.db.query("SELECT actual_cost FROM batch_processing_records");
    expect(rows).toEqual([{ actual_cost: 1_421 }]);
    expect(await findViolations(test.db, session.session_id)).toEqual([]);
  });

  it("at a bill above its hold is charged at the hold; the rest is overrun and raises the next holds", async () => {
    const session = await addUnknown(1);
    const { session: after } = await resolveUnknown(
      test.db,
      { call: 1, bill: micros(1_700) },
      "paid",
      "test",
    );
    expect(after).toMatchObject({ spent: 1_000, unknown: 0, overrun: 700 });
    const [next] = await claim(test.db, session.session_id, 1);
    expect(next.amount).toBe(1_700);
    expect(await findViolations(test.db, session.session_id)).toEqual([]);
  });

  it("at a bill of nothing is known and charged nothing", async () => {
    await addUnknown(1);
    await resolveUnknown(test.db, { call: 1, bill: micros(0) }, "paid", "test");
    expect(await readCalls()).toEqual([{ call_id: 1, state: "SETTLED", spent: 0, overrun: 0 }]);
  });
});

describe("an unknown call resolved as not paid", () => {
  it("gives all of it back to session, day and batch, and the session may spend it again", async () => {
    const { session_id } = await addWork(test.db, 2, 1_500);
    await claim(test.db, session_id, 1);
    await reclaimExpired(test.db, "cleanup", new Date(Date.now() + 2 * LEASE_MS));
    expect(await claim(test.db, session_id, 1)).toEqual([]);
    const { session, returned } = await resolveUnknown(test.db, { call: 1 }, "unpaid", "test");
    expect(returned).toBe(1_000);
    expect(session).toMatchObject({ spent: 0, unknown: 0 });
    expect(await readDay()).toEqual({ held: 0, spent: 0 });
    expect(await readCalls()).toEqual([{ call_id: 1, state: "RELEASED", spent: 0, overrun: 0 }]);
    expect(await claim(test.db, session_id, 1)).toHaveLength(1);
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });

  it("does not keep out a claim or a search that waited for it", async () => {
    for (const wait of ["claim", "search"] as const) {
      const session = await addWork(test.db, 3, 9_000);
      const { session_id } = session;
      const [lost, item] = await claim(test.db, session_id, 2);
      await test.db.query("UPDATE batch_processing_items SET lease_until = now() WHERE item_id = $1", [
        lost.item_id,
      ]);
      expect(await reclaimExpired(test.db, "cleanup")).toMatchObject({ unknownCalls: 1 });
      await leaveToResearch(test.db, session_id, [item]);
      let waiting: Promise<unknown> = Promise.resolve();
      await test.db.transaction(async (tx) => {
        await lockSession(tx, session_id);
        await resolveCalls(tx, {
          sessionId: session_id,
          callIds: null,
          paid: false,
          bill: null,
          actor: "test",
        });
        waiting = wait === "claim" ? claim(test.db, session_id, 1) : searchFor(session, item);
        await untilWaitedFor(tx);
      });
      expect(await waiting).toEqual(wait === "claim" ? [expect.anything()] : expect.any(Number));
      expect(await findViolations(test.db, session_id)).toEqual([]);
      await cancelSession(test.db, session_id, "test");
    }
  });

  it("with a bill is refused: one or the other", async () => {
    await addUnknown(1);
    await expect(resolveUnknown(test.db, { call: 1, bill: micros(5) }, "unpaid", "test")).rejects.toThrow(
      new UserError("Cannot resolve a call as not paid and with a bill of $0.000005: say one or the other"),
    );
    expect(await listUnknown(test.db, null)).toHaveLength(1);
  });
});

describe("the cost of an analysis", () => {
  it("follows a search whose outcome was unknown, while its article is still under way", async () => {
    const session = await addWork(test.db, 2, 90_000);
    const [item] = await claim(test.db, session.session_id, 1);
    await leaveToResearch(test.db, session.session_id, [item]);
    const search = await searchFor(session, item) as number;
    await settleCalls(test.db, session.session_id, [{
      outcome_id: crypto.randomUUID(),
      item_id: item.item_id,
      lease_token: item.lease_token,
      call: { ...unsentOutcome(search, "no answer in time"), state: "UNKNOWN", failure: "timeout" },
      item: researching(),
      analysis: null,
      research: null,
    }], "w1");
    const cost = async () => (await test.db.query("SELECT cost FROM article_analyses")).rows;
    expect(await cost()).toEqual([{ cost: 4_100 }]);
    await resolveUnknown(test.db, { call: search, bill: micros(1_000) }, "paid", "test");
    expect(await cost()).toEqual([{ cost: 1_100 }]);
    expect(await findViolations(test.db, session.session_id)).toEqual([]);
  });

  it("follows a search that was cut off with its worker", async () => {
    const session = await addWork(test.db, 2, 90_000);
    const [item] = await claim(test.db, session.session_id, 1);
    await leaveToResearch(test.db, session.session_id, [item]);
    await searchFor(session, item);
    await reclaimExpired(test.db, "cleanup", new Date(Date.now() + 2 * LEASE_MS));
    await resolveUnknown(test.db, { session: session.number }, "unpaid", "test");
    expect((await test.db.query("SELECT cost FROM article_analyses")).rows).toEqual([{ cost: 100 }]);
    expect(await findViolations(test.db, session.session_id)).toEqual([]);
  });

  it("is left alone by an attempt at the analysis that was lost: it had not been added", async () => {
    const session = await addUnknown(1);
    await test.db.query("UPDATE batch_processing_items SET not_before = now()");
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 1));
    await resolveUnknown(test.db, { session: session.number }, "unpaid", "test");
    expect((await test.db.query("SELECT cost FROM article_analyses")).rows).toEqual([{ cost: 100 }]);
    expect(await findViolations(test.db, session.session_id)).toEqual([]);
  });
});

describe("resolving a whole session", () => {
  it("resolves every unknown call of it and none of another", async () => {
    const first = await addUnknown(3);
    await test.db.query("UPDATE batch_processing_sessions SET status = 'PAUSED'");
    const second = await addUnknown(1);
    const { resolved, returned, session } = await resolveUnknown(
      test.db,
      { session: first.number },
      "unpaid",
      "test",
    );
    expect(resolved.map(({ call_id }) => call_id)).toEqual([1, 2, 3]);
    expect({ returned, spent: session.spent }).toEqual({ returned: 3_000, spent: 0 });
    expect((await readSession(test.db, second.session_id)).unknown).toBe(1_000);
    expect((await listUnknown(test.db, null)).map(({ number }) => number)).toEqual([second.number]);
    const again = await resolveUnknown(test.db, { session: first.number }, "paid", "test");
    expect(again).toMatchObject({ resolved: [], returned: 0, earlier: null });
  });

  it("leaves alone what became unknown after the person had seen the list", async () => {
    const first = await addUnknown(2);
    await pauseSession(test.db, first.session_id, "test", "operator");
    const second = await addUnknown(1);
    const seen = [2, 3, 999];
    const { resolved, returned, session } = await resolveUnknown(
      test.db,
      { session: first.number, callIds: seen },
      "unpaid",
      "test",
    );
    expect(resolved.map(({ call_id }) => call_id)).toEqual([2]);
    expect({ returned, unknown: session.unknown }).toEqual({ returned: 1_000, unknown: 1_000 });
    // Call 3 was named, but is another session's.
    expect((await readSession(test.db, second.session_id)).unknown).toBe(1_000);
    const none = await resolveUnknown(test.db, { session: first.number, callIds: [] }, "unpaid", "test");
    expect(none).toMatchObject({ resolved: [], returned: 0, earlier: null });
    expect(await findViolations(test.db, first.session_id)).toEqual([]);
  });

  it("gives each day back what was charged to it", async () => {
    const { session_id, number } = await addWork(test.db, 2, 9_000);
    const yesterday = new Date(Date.now() - 86_400_000);
    await test.db.query("UPDATE batch_processing_items SET not_before = $1", [yesterday]);
    expect(await claim(test.db, session_id, 1, yesterday)).toHaveLength(1);
    expect(await claim(test.db, session_id, 1)).toHaveLength(1);
    await reclaimExpired(test.db, "cleanup", new Date(Date.now() + 2 * LEASE_MS));
    const spent = async () =>
      (await test.db.query<{ spent: number }>("SELECT spent FROM day_budgets ORDER BY day")).rows.map((day) =>
        day.spent
      );
    expect(await spent()).toEqual([1_000, 1_000]);
    await resolveUnknown(test.db, { call: 1, bill: micros(300) }, "paid", "test");
    expect(await spent()).toEqual([300, 1_000]);
    await resolveUnknown(test.db, { session: number }, "unpaid", "test");
    expect(await spent()).toEqual([300, 0]);
    expect(await findViolations(test.db, session_id)).toEqual([]);
  });
});

describe("a second word on the same call", () => {
  it("changes nothing, and tells who was first and what was said", async () => {
    const session = await addUnknown(1);
    await resolveUnknown(test.db, { call: 1, bill: micros(300) }, "paid", "operator:7");
    const before = await readSession(test.db, session.session_id);
    const { resolved, earlier, returned } = await resolveUnknown(
      test.db,
      { call: 1 },
      "unpaid",
      "operator:8",
    );
    expect({ resolved, returned }).toEqual({ resolved: [], returned: 0 });
    expect(earlier).toEqual({
      call_id: 1,
      state: "SETTLED",
      spent: 300,
      by: "operator:7",
      at: expect.any(Date),
    });
    expect(await readSession(test.db, session.session_id)).toEqual(before);
  });

  it("loses when two operators speak at once: the money comes back once", async () => {
    const session = await addUnknown(4);
    const words = await Promise.all([
      ...[1, 2, 3, 4].map((call) => resolveUnknown(test.db, { call }, "unpaid", "operator:7")),
      resolveUnknown(test.db, { session: session.number }, "unpaid", "operator:8"),
      ...[4, 3, 2, 1].map((call) => resolveUnknown(test.db, { call }, "unpaid", "operator:9")),
    ]);
    expect(words.reduce((sum, { returned }) => sum + returned, 0)).toBe(4_000);
    expect(await readSession(test.db, session.session_id)).toMatchObject({ spent: 0, unknown: 0 });
    expect(await findViolations(test.db, session.session_id)).toEqual([]);
  });
});

describe("what cannot be resolved is refused in one line", () => {
  it("a call that is out, one that was answered, one that there is not", async () => {
    const { session_id } = await addWork(test.db, 2, 9_000);
    const items = await claim(test.db, session_id, 2);
    await analyse(test.db, session_id, items.slice(0, 1));
    const resolve = (call: number) => resolveUnknown(test.db, { call }, "paid", "test");
    await expect(resolve(items[0].call_id)).rejects.toThrow(
      new UserError(
        `Cannot resolve call ${items[0].call_id}: wanted one whose outcome is unknown, it is SETTLED. ` +
          "Its outcome is known, there is nothing to say",
      ),
    );
    await expect(resolve(items[1].call_id)).rejects.toThrow(/it is HELD\. It is out: wait for its answer$/);
    await expect(resolve(999)).rejects.toThrow(
      new NotFoundError("There is no call 999. The list of unknown outcomes says which there are"),
    );
    await expect(resolveUnknown(test.db, { session: 99 }, "paid", "test")).rejects.toThrow(
      /There is no session 99/,
    );
  });
});

describe("the alert about unknown outcomes", () => {
  it("is over when the last of them is resolved, and not before", async () => {
    await addUnknown(2);
    const open = async () =>
      (await test.db.query(
        "SELECT resolution FROM alerts WHERE rule = 'unknown_outcomes' AND resolved_at IS NULL",
      )).rows.length;
    expect(await open()).toBe(1);
    await resolveUnknown(test.db, { call: 1 }, "paid", "test");
    expect(await open()).toBe(1);
    await resolveUnknown(test.db, { call: 2 }, "unpaid", "test");
    expect(await open()).toBe(0);
    const { rows } = await test.db.query("SELECT resolution FROM alerts WHERE rule = 'unknown_outcomes'");
    expect(rows).toEqual([{ resolution: "every outcome is known" }]);
  });
});

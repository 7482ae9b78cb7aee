import { describe, expect, it } from "vitest";
import { pauseSession } from "../../lib/batches/change_session.ts";
import { reclaimExpired } from "../../lib/batches/leases.ts";
import { ensureDay } from "../../lib/budget/ledger/day_budget.ts";
import { holdCall } from "../../lib/budget/ledger/hold_call.ts";
import { type ClaimedItem, holdItems } from "../../lib/budget/ledger/hold_items.ts";
import { type CallOutcome, settleCalls, type Settlement } from "../../lib/budget/ledger/settle_calls.ts";
import { analyzed, putBack, researching } from "../../lib/batches/worker/outcomes.ts";
import { type Micros, micros } from "../../lib/money.ts";
import { addArticles, addSession, PLAIN_ANALYSIS } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";

const test = useTestDatabase();

const LEASE_MS = 60_000;

async function claim(sessionId: string, limit: number, worker = "w1"): Promise<ClaimedItem[]> {
  return await holdItems(test.db, { sessionId, limit, worker, leaseMs: LEASE_MS });
}

function settled(item: ClaimedItem, bill: number | null, change: Partial<Settlement> = {}): Settlement {
  return {
    outcome_id: crypto.randomUUID(),
    item_id: item.item_id,
    lease_token: item.lease_token,
    call: callEnd(item.call_id, "SETTLED", bill === null ? null : micros(bill)),
    item: analyzed(),
    analysis: PLAIN_ANALYSIS,
    research: null,
    ...change,
  };
}

function callEnd(callId: number, state: CallOutcome["state"], bill: Micros | null): CallOutcome {
  return {
    call_id: callId,
    state,
    bill,
    input_tokens: 10,
    output_tokens: 5,
    thought_tokens: 0,
    cached_tokens: 0,
    credits: null,
    answered_model: null,
    failure: null,
    detail: null,
  };
}

async function readMoney(sessionId: string) {
  const { rows: [row] } = await test.db.query<Record<string, number>>(
    `SELECT budget, held, spent, unknown, overrun, analyzed, failed, retries, stale_writes, hold_permille
     FROM batch_processing_sessions WHERE session_id = $1`,
    [sessionId],
  );
  return row;
}

async function count(table: string, where = "true"): Promise<number> {
  const { rows: [row] } = await test.db.query<{ n: number }>(
    `SELECT count(*) AS n FROM ${table} WHERE ${where}`,
  );
  return row.n;
}

describe("holding", () => {
  it("commits a HELD row with the worst case for every claimed item before anything can be sent", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 5),
      budget: micros(10_000),
    });
    const items = await claim(session.session_id, 3);
    expect(items).toHaveLength(3);
    expect(
      items.every((item) => item.amount === 1_000 && item.attempts === 1 && item.article.body.length > 1000),
    )
      .toBe(true);
    expect(await count("paid_calls", "state = 'HELD' AND amount = 1000")).toBe(3);
    expect((await readMoney(session.session_id)).held).toBe(3_000);
  });

  it("admits only as many as the budget has room for, in order", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 5),
      budget: micros(2_500),
    });
    expect(await claim(session.session_id, 5)).toHaveLength(2);
    expect(await claim(session.session_id, 5)).toHaveLength(0);
  });

  it("admits only as many as the day has room for", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 5),
      budget: micros(9_000),
    });
    await ensureDay(test.db, false, micros(1_000));
    expect(await claim(session.session_id, 5)).toHaveLength(1);
  });

  it("lets ten workers at once never hold more than the budget", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 60),
      budget: micros(25_500),
    });
    const groups = await Promise.all(
      Array.from({ length: 10 }, (_, n) => claim(session.session_id, 4, `w${n}`)),
    );
    const ids = groups.flat().map((item) => item.item_id);
    expect(ids.length).toBe(25);
    expect(new Set(ids).size).toBe(25);
    expect((await readMoney(session.session_id)).held).toBe(25_000);
  });

  it("is refused by the table itself when the program would break the cap", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 1),
      budget: micros(2_500),
    });
    await expect(
      test.db.query("UPDATE batch_processing_sessions SET held = 2501 WHERE session_id = $1", [
        session.session_id,
      ]),
    ).rejects.toThrow(/within_budget/);
  });

  it("claims nothing from a paused session", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 1),
      budget: micros(2_500),
    });
    await pauseSession(test.db, session.session_id, "test", "operator");
    expect(await claim(session.session_id, 1)).toHaveLength(0);
  });

  it("does not lower a day's cap below what the day has used", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 2),
      budget: micros(9_000),
    });
    await claim(session.session_id, 2);
    expect((await ensureDay(test.db, false, micros(5))).budget).toBe(2_000);
  });
});

describe("settling", () => {
  it("stores analysis, settlement, item, counters and events together", async () => {
    const [article] = await addArticles(test.db, 1);
    const session = await addSession(test.db, { articles: [article], budget: micros(5_000) });
    const [item] = await claim(session.session_id, 1);
    const { verdicts, session: after } = await settleCalls(
      test.db,
      session.session_id,
      [settled(item, 421)],
      "w1",
    );
    expect([...verdicts.values()]).toEqual(["applied"]);
    expect(after).toMatchObject({ open: 0, held: 0, spent: 421 });
    expect(await readMoney(session.session_id)).toMatchObject({ held: 0, spent: 421, analyzed: 1 });
    expect(await count("article_analyses", "cost = 421 AND version = 1")).toBe(1);
    expect(await count("articles", "analyzed_at IS NOT NULL")).toBe(1);
    expect(
      await count("batch_processing_records", "status = 'COMPLETED' AND processed = 1 AND actual_cost = 421"),
    )
      .toBe(1);
    expect(await count("day_budgets", "held = 0 AND spent = 421")).toBe(1);
    expect(await count("session_events", "action = 'item_analyzed' AND to_state = 'ANALYZED'")).toBe(1);
    expect(await count("session_events", "action = 'batch_ended' AND to_state = 'COMPLETED'")).toBe(1);
  });

  it("settles a bill above its hold at the hold, shows the rest as overrun and raises the next holds", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 2),
      budget: micros(5_000),
    });
    const [item] = await claim(session.session_id, 1);
    await settleCalls(test.db, session.session_id, [settled(item, 1_700)], "w1");
    expect(await readMoney(session.session_id)).toMatchObject({
      spent: 1_000,
      overrun: 700,
      hold_permille: 1_700,
    });
    const [next] = await claim(session.session_id, 1);
    expect(next.amount).toBe(1_700);
  });

  it("settles at the hold when the provider does not say what it charges", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 1),
      budget: micros(5_000),
    });
    const [item] = await claim(session.session_id, 1);
    await settleCalls(test.db, session.session_id, [settled(item, null)], "w1");
    expect(await readMoney(session.session_id)).toMatchObject({ spent: 1_000, overrun: 0 });
  });

  it("recognises a write that is sent again after its answer was lost", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 1),
      budget: micros(5_000),
    });
    const [item] = await claim(session.session_id, 1);
    const write = settled(item, 421);
    await settleCalls(test.db, session.session_id, [write], "w1");
    const again = await settleCalls(test.db, session.session_id, [write], "w1");
    expect([...again.verdicts.values()]).toEqual(["already"]);
    expect(await readMoney(session.session_id)).toMatchObject({ spent: 421, analyzed: 1, stale_writes: 0 });
  });

  it("changes nothing and counts when the claim was lost", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 1),
      budget: micros(5_000),
    });
    const [item] = await claim(session.session_id, 1);
    await reclaimExpired(test.db, "test", new Date(Date.now() + LEASE_MS * 2));
    const { verdicts } = await settleCalls(test.db, session.session_id, [settled(item, 421)], "w1");
    expect([...verdicts.values()]).toEqual(["stale"]);
    expect(await readMoney(session.session_id)).toMatchObject({
      held: 0,
      spent: 1_000,
      unknown: 1_000,
      analyzed: 0,
      stale_writes: 1,
    });
    expect(await count("article_analyses")).toBe(0);
    expect(await count("session_events", "action = 'stale_write' AND detail ->> 'bill' = '421'")).toBe(1);
  });

  it("gives the attempt back when the provider only asked to wait", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 1),
      budget: micros(5_000),
    });
    const [item] = await claim(session.session_id, 1);
    const write = settled(item, null, {
      call: callEnd(item.call_id, "RELEASED", null),
      item: putBack(),
      analysis: null,
    });
    await settleCalls(test.db, session.session_id, [write], "w1");
    expect(await readMoney(session.session_id)).toMatchObject({ held: 0, spent: 0, retries: 0 });
    const [again] = await claim(session.session_id, 1);
    expect(again.attempts).toBe(1);
  });

  it("keeps the claim through the calls of research and adds their cost to the analysis", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 1),
      budget: micros(20_000),
    });
    const [item] = await claim(session.session_id, 1);
    await settleCalls(test.db, session.session_id, [settled(item, 400, { item: researching() })], "w1");
    const search = await holdCall(test.db, {
      sessionId: session.session_id,
      itemId: item.item_id,
      leaseToken: item.lease_token,
      worker: "w1",
      kind: "search",
      provider: "tavily",
      model: "search",
      amount: micros(8_000),
    });
    expect(search).toBeTypeOf("number");
    await settleCalls(test.db, session.session_id, [
      settled(item, null, {
        call: callEnd(search as number, "SETTLED", micros(8_000)),
        analysis: null,
        research: {
          status: "INSUFFICIENT_DATA",
          reason: "the search found nothing",
          queries: ["q"],
          sources: [],
        },
      }),
    ], "w1");
    expect(await count("article_analyses", "cost = 8400 AND research_status = 'INSUFFICIENT_DATA'")).toBe(1);
    expect(await readMoney(session.session_id)).toMatchObject({ held: 0, spent: 8_400, analyzed: 1 });
  });

  it("says no_room for a call that does not fit and lost for a claim that is not ours", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 1),
      budget: micros(1_500),
    });
    const [item] = await claim(session.session_id, 1);
    const wanted = {
      sessionId: session.session_id,
      itemId: item.item_id,
      leaseToken: item.lease_token,
      worker: "w1",
      kind: "search" as const,
      provider: "tavily",
      model: "search",
      amount: micros(8_000),
    };
    expect(await holdCall(test.db, wanted)).toBe("no_room");
    expect(await holdCall(test.db, { ...wanted, leaseToken: crypto.randomUUID() })).toBe("lost");
  });
});

describe("expired leases", () => {
  it("charge their call in full as UNKNOWN and queue the item again", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 2),
      budget: micros(5_000),
    });
    await claim(session.session_id, 2);
    const later = new Date(Date.now() + LEASE_MS + 1_000);
    expect(await reclaimExpired(test.db, "cleanup", later)).toEqual({
      requeued: 2,
      failed: 0,
      finished: 0,
      unknownCalls: 2,
    });
    expect(await readMoney(session.session_id)).toMatchObject({
      held: 0,
      spent: 2_000,
      unknown: 2_000,
      retries: 2,
    });
    expect(await count("paid_calls", "state = 'UNKNOWN' AND spent = amount")).toBe(2);
    expect(await count("day_budgets", "held = 0 AND spent = 2000")).toBe(1);
  });

  it("end an item FAILED when its attempts are used up", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 1),
      budget: micros(5_000),
      settings: { maxAttempts: 1 },
    });
    await claim(session.session_id, 1);
    const { failed } = await reclaimExpired(test.db, "cleanup", new Date(Date.now() + LEASE_MS + 1_000));
    expect(failed).toBe(1);
    expect(await count("batch_processing_records", "status = 'FAILED'")).toBe(1);
  });

  it("leave a claim alone that is still alive", async () => {
    const session = await addSession(test.db, {
      articles: await addArticles(test.db, 1),
      budget: micros(5_000),
    });
    await claim(session.session_id, 1);
    expect(await reclaimExpired(test.db, "cleanup")).toMatchObject({
      requeued: 0,
      failed: 0,
      unknownCalls: 0,
    });
  });
});

describe("the audit trail", () => {
  it("cannot be changed or deleted", async () => {
    await addSession(test.db, { articles: await addArticles(test.db, 1), budget: micros(5_000) });
    await expect(test.db.query("UPDATE session_events SET actor = 'x'")).rejects.toThrow(/append-only/);
    await expect(test.db.query("DELETE FROM session_events")).rejects.toThrow(/append-only/);
  });
});

/** Brings sessions into the states that tests of their moves start from, by the ledger's own statements. */
import { expect } from "vitest";
import { finishIfDone } from "../../lib/batches/change_session.ts";
import { reclaimExpired } from "../../lib/batches/leases.ts";
import type { Session, SessionSettings } from "../../lib/batches/types.ts";
import { SESSION_COLUMNS } from "../../lib/batches/types.ts";
import { decideEmptyClaim } from "../../lib/batches/worker/empty_claim.ts";
import { afterFailure, analyzed, researching, unsentOutcome } from "../../lib/batches/worker/outcomes.ts";
import { ensureDay } from "../../lib/budget/ledger/day_budget.ts";
import { type ClaimedItem, holdItems } from "../../lib/budget/ledger/hold_items.ts";
import {
  type ItemOutcome,
  settleCalls,
  type Settlement,
  type SettleVerdict,
} from "../../lib/budget/ledger/settle_calls.ts";
import type { Database } from "../../lib/database/port.ts";
import type { Action } from "../../lib/analysis/port.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession, PLAIN_ANALYSIS } from "../helpers/articles.ts";

export const LEASE_MS = 60_000;

/** A session at work over new articles, two a batch. */
export async function addWork(
  db: Database,
  articles: number,
  budget = 1_000_000,
  settings: Partial<SessionSettings> = {},
): Promise<Session> {
  return await addSession(db, {
    articles: await addArticles(db, articles, 40),
    budget: micros(budget),
    settings: { batchSize: 2, ...settings },
  });
}

export async function claim(
  db: Database,
  sessionId: string,
  limit: number,
  now: Date | null = null,
): Promise<ClaimedItem[]> {
  // Minutes ahead it may be the next day, which has a budget of its own.
  if (now) await ensureDay(db, (await readSession(db, sessionId)).simulated, null, now);
  return await holdItems(db, { sessionId, limit, worker: "w1", leaseMs: LEASE_MS, now });
}

/** A session with this many calls of which nobody knows the outcome, each held at 1,000. */
export async function addUnknownCalls(db: Database, calls: number): Promise<Session> {
  const { session_id } = await addWork(db, Math.max(calls, 2), 9_000);
  await claim(db, session_id, calls);
  await reclaimExpired(db, "cleanup", new Date(Date.now() + 2 * LEASE_MS));
  const session = await readSession(db, session_id);
  expect(session).toMatchObject({ held: 0, spent: calls * 1_000, unknown: calls * 1_000 });
  return session;
}

/** Settles claims as analysed, for a tenth of their holds. */
export async function analyse(db: Database, sessionId: string, items: readonly ClaimedItem[]) {
  return await settle(db, sessionId, items, () => analyzed());
}

/** Settles claims as analysed with research still to come. */
export async function leaveToResearch(db: Database, sessionId: string, items: readonly ClaimedItem[]) {
  return await settle(db, sessionId, items, () => researching());
}

/** Settles claims as failed, unbilled, with what such a failure means for an article. */
export async function fail(db: Database, sessionId: string, items: readonly ClaimedItem[], action: Action) {
  return await settle(db, sessionId, items, (item) =>
    afterFailure(item, {
      failure: action === "give_up" ? "blocked" : "server_error",
      action,
      billing: "NOT_BILLED",
      message: action === "give_up" ? "the model refuses this text" : "the provider broke down",
    }, 0));
}

/** The same when the provider charges for it: at the whole hold. */
export async function failBilled(db: Database, sessionId: string, items: readonly ClaimedItem[]) {
  const settlements = items.map((item): Settlement => ({
    outcome_id: crypto.randomUUID(),
    item_id: item.item_id,
    lease_token: item.lease_token,
    call: { ...unsentOutcome(item.call_id, "not the JSON that was asked for"), state: "SETTLED" },
    item: afterFailure(item, {
      failure: "not_json",
      action: "retry",
      billing: "BILLED",
      message: "not the JSON that was asked for",
    }, 0),
    analysis: null,
    research: null,
  }));
  return [...(await settleCalls(db, sessionId, settlements, "w1")).verdicts.values()];
}

async function settle(
  db: Database,
  sessionId: string,
  items: readonly ClaimedItem[],
  next: (item: ClaimedItem) => ItemOutcome,
): Promise<SettleVerdict[]> {
  const settlements = items.map((item): Settlement => {
    const outcome = next(item);
    const succeeded = outcome.error_class === null;
    return {
      outcome_id: crypto.randomUUID(),
      item_id: item.item_id,
      lease_token: item.lease_token,
      call: succeeded
        ? {
          ...unsentOutcome(item.call_id, ""),
          state: "SETTLED",
          bill: micros(Math.ceil(item.amount / 10)),
          failure: null,
          detail: null,
        }
        : unsentOutcome(item.call_id, outcome.error ?? ""),
      item: outcome,
      analysis: succeeded ? PLAIN_ANALYSIS : null,
      research: null,
    };
  });
  const { verdicts } = await settleCalls(db, sessionId, settlements, "w1");
  return [...verdicts.values()];
}

/** Claims everything that is due and fits, analyses it, and lets the session end for what is left. */
export async function workToTheEnd(db: Database, sessionId: string): Promise<Session> {
  for (let items = await claim(db, sessionId, 20); items.length > 0; items = await claim(db, sessionId, 20)) {
    await analyse(db, sessionId, items);
  }
  await decideEmptyClaim({ db, workerId: "w1", dayBudget: null }, sessionId);
  await finishIfDone(db, sessionId, "w1");
  return await readSession(db, sessionId);
}

export async function readSession(db: Database, sessionId: string): Promise<Session> {
  const { rows: [session] } = await db.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM batch_processing_sessions WHERE session_id = $1`,
    [sessionId],
  );
  return session;
}

/** How many articles of the session are in each state, with the reason of those skipped: "SKIPPED budget". */
export async function countItems(db: Database, sessionId: string): Promise<Record<string, number>> {
  const { rows } = await db.query<{ state: string; n: number }>(
    `SELECT concat_ws(' ', status, reason) AS state, count(*) AS n FROM batch_processing_items
     WHERE session_id = $1 GROUP BY 1`,
    [sessionId],
  );
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}

export async function listBatchStates(db: Database, sessionId: string): Promise<string[]> {
  const { rows } = await db.query<{ status: string }>(
    "SELECT status FROM batch_processing_records WHERE session_id = $1 ORDER BY batch_number",
    [sessionId],
  );
  return rows.map(({ status }) => status);
}

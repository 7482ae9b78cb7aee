/** The cap and the books while workers run at full speed, seen from another connection and judged at every commit. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { recoverSession } from "../../lib/batches/recover_items.ts";
import { renewLeases } from "../../lib/batches/leases.ts";
import { decideEmptyClaim } from "../../lib/batches/worker/empty_claim.ts";
import { analyzed, unsentOutcome } from "../../lib/batches/worker/outcomes.ts";
import { type ClaimedItem, holdItems } from "../../lib/budget/ledger/hold_items.ts";
import { settleCalls, type Settlement } from "../../lib/budget/ledger/settle_calls.ts";
import { openDatabase } from "../../lib/database/connect.ts";
import type { Database } from "../../lib/database/port.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession, PLAIN_ANALYSIS } from "../helpers/articles.ts";
import { emptyDatabase, openTestDatabase, SERVER, type TestDatabase } from "../helpers/database.ts";
import { findViolations } from "./ledger_invariants.ts";

let test: TestDatabase;
let watcher: Database;
beforeAll(async () => {
  test = await openTestDatabase();
  const opened = await openDatabase({ ...test.settings, role: "watcher", onConnectionError: () => {} });
  watcher = opened.database;
  await test.db.query("CREATE TABLE broken_caps (spent bigint, held bigint, budget bigint)");
  await test.db.query(`CREATE FUNCTION judge_cap() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.spent + NEW.held > NEW.budget THEN
        INSERT INTO broken_caps VALUES (NEW.spent, NEW.held, NEW.budget);
      END IF;
      RETURN NULL;
    END $$`);
  for (const table of ["batch_processing_sessions", "day_budgets"]) {
    await test.db.query(`CREATE CONSTRAINT TRIGGER judge_cap AFTER INSERT OR UPDATE ON ${table}
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION judge_cap()`);
  }
});
afterAll(async () => {
  await watcher.close();
  await test.close();
});

beforeEach(() => emptyDatabase(test.db));

const ARTICLES = SERVER ? 600 : 160;
const WORST_CASE = 1_000;
const WORKERS = 4;

/** Claims, renews and settles as fast as the database answers, until the session has ended. */
async function work(sessionId: string, name: string): Promise<void> {
  const { db } = test;
  const writing = new Set<Promise<void>>();
  const holding = new Map<number, ClaimedItem>();
  for (;;) {
    const items = await holdItems(db, { sessionId, limit: 8, worker: name, leaseMs: 60_000 });
    for (const item of items) holding.set(item.item_id, item);
    const renewed = renewLeases(db, [...holding.values()], 60_000);
    if (items.length > 0) {
      const write = settleCalls(db, sessionId, items.map(settlementOf).reverse(), name).then(() => {
        for (const item of items) holding.delete(item.item_id);
        writing.delete(write);
      });
      writing.add(write);
    }
    await renewed;
    if (items.length > 0) continue;
    await Promise.all(writing);
    const decision = await decideEmptyClaim({ db, workerId: name, dayBudget: null }, sessionId);
    if (decision.leave && holding.size === 0) return;
  }
}

/** Bills from nothing to a tenth above the hold. */
function settlementOf(item: ClaimedItem): Settlement {
  const bill = micros(Math.floor(Math.random() * item.amount * 1.1));
  return {
    outcome_id: crypto.randomUUID(),
    item_id: item.item_id,
    lease_token: item.lease_token,
    call: { ...unsentOutcome(item.call_id, "made up"), state: "SETTLED", bill, failure: null, detail: null },
    item: analyzed(),
    analysis: PLAIN_ANALYSIS,
    research: null,
  };
}

/** Looks at the books over and over, each time at one moment, until `work` is done. */
async function watchWhile(sessionId: string, work: Promise<unknown>): Promise<number> {
  let done = false;
  let looks = 0;
  const ended = work.finally(() => done = true);
  while (!done) {
    expect(await findViolations(watcher, sessionId)).toEqual([]);
    looks++;
  }
  await ended;
  return looks;
}

async function workAll(sessionId: string): Promise<void> {
  await Promise.all(Array.from({ length: WORKERS }, (_, n) => work(sessionId, `w${n}`)));
}

async function readEnd(sessionId: string) {
  const { rows: [row] } = await test.db.query<Record<string, unknown>>(
    `SELECT status, reason, held, analyzed, failed, skipped,
       (SELECT count(*) FROM batch_processing_items i
        WHERE i.session_id = s.session_id AND i.status = 'SKIPPED' AND i.reason = 'budget') AS skipped_for_money,
       (SELECT count(*) FROM broken_caps) AS broken_caps
     FROM batch_processing_sessions s WHERE session_id = $1`,
    [sessionId],
  );
  return row;
}

it("four workers at full speed stop at the cap, and recovery with more money finishes the rest", async () => {
  await playAtFullSpeed();
}, 120_000);

it(
  "the ledger's locking alone keeps the cap, without the constraints that would refuse a break",
  async () => {
    await test.db.query("ALTER TABLE batch_processing_sessions DROP CONSTRAINT within_budget");
    await test.db.query("ALTER TABLE day_budgets DROP CONSTRAINT within_budget");
    await playAtFullSpeed();
  },
  120_000,
);

async function playAtFullSpeed(): Promise<void> {
  const session = await addSession(test.db, {
    articles: await addArticles(test.db, ARTICLES, 40),
    budget: micros(ARTICLES * WORST_CASE / 4),
    worstCase: micros(WORST_CASE),
  });
  const { session_id } = session;
  const looks = await watchWhile(session_id, workAll(session_id));
  expect(looks).toBeGreaterThan(5);

  const short = await readEnd(session_id);
  expect(short).toMatchObject({ status: "PARTIAL", reason: "budget", held: 0, failed: 0, broken_caps: 0 });
  expect(short.skipped_for_money).toBe(short.skipped);
  expect(Number(short.analyzed)).toBeGreaterThan(ARTICLES / 4);
  expect(Number(short.skipped)).toBeGreaterThan(ARTICLES / 4);

  const { requeuedSkipped } = await recoverSession(
    test.db,
    session_id,
    micros(ARTICLES * WORST_CASE * 2),
    "test",
  );
  expect(requeuedSkipped).toBe(short.skipped);
  await watchWhile(session_id, workAll(session_id));
  expect(await readEnd(session_id)).toMatchObject({
    status: "COMPLETED",
    reason: null,
    held: 0,
    analyzed: ARTICLES,
    skipped: 0,
    broken_caps: 0,
  });
}

import { afterAll, beforeAll, expect, it } from "vitest";
import { holdItems } from "../../lib/budget/ledger/hold_items.ts";
import type { Database } from "../../lib/database/port.ts";
import { micros } from "../../lib/money.ts";
import * as costs from "../../notebooks/questions/costs.ts";
import { chooseScope } from "../../notebooks/questions/scope.ts";
import { sum } from "../../notebooks/kit/words.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { openTestDatabase, type TestDatabase } from "../helpers/database.ts";

let test: TestDatabase;
let db: Database;

beforeAll(async () => {
  test = await openTestDatabase();
  db = test.db;
});

afterAll(() => test.close());

it("at the edge of the time that is looked at, the tables add up to the total", async () => {
  const { session_id: sessionId } = await addSession(db, {
    articles: await addArticles(db, 4),
    budget: micros(100_000),
  });
  await holdItems(db, { sessionId, limit: 4, worker: "worker:test", leaseMs: 60_000 });
  // Charged, two of them two days earlier: the session began before the time and reaches into it.
  await db.query("UPDATE paid_calls SET state = 'UNKNOWN', spent = amount, ended_at = now()");
  await db.query(
    "UPDATE paid_calls SET day = day - 2 WHERE call_id IN (SELECT call_id FROM paid_calls ORDER BY call_id LIMIT 2)",
  );
  await db.query(
    `UPDATE batch_processing_sessions SET started_at = started_at - interval '2 days', held = 0,
       spent = (SELECT sum(spent) FROM paid_calls)`,
  );
  const scope = await chooseScope(db, { days: 2 });
  const total = await costs.readTotals(db, scope);
  const sessions = await costs.readSessions(db, scope);
  expect(total.calls).toBe(2);
  expect(sum(sessions.map(({ cost }) => cost))).toBe(total.cost);
  expect(sum((await costs.readBatches(db, scope)).map(({ cost }) => cost))).toBe(total.cost);
  expect(sum((await costs.readDays(db, scope)).map(({ spent }) => spent))).toBe(total.cost);
  expect(sessions[0]?.spent).toBeGreaterThan(total.cost);
});

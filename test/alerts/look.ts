/** Looks at the desk as the monitor does, at any time, for tests of what it raises. */
import type { Thresholds } from "../../lib/alerts/conditions.ts";
import { watchDesk } from "../../lib/alerts/watch.ts";
import type { Database } from "../../lib/database/port.ts";

export const MINUTE = 60_000;
const THRESHOLDS: Thresholds = {
  warnPercent: 67,
  failurePercent: 20,
  ungroundedPercent: 20,
  stalledMs: 30 * MINUTE,
  notMovingMs: 5 * MINUTE,
  feedFailures: 3,
};

/** What a look found, `after` ms from now. */
export async function lookAt(db: Database, after = 0) {
  const { raised, resolved } = await watchDesk(db, THRESHOLDS, new Date(Date.now() + after));
  return { raised: raised.map(({ rule }) => rule), resolved: resolved.map(({ rule }) => rule) };
}

export const NOTHING = { raised: [], resolved: [] };

/** Of the newest alert of this rule. */
export async function readAlertText(db: Database, rule: string): Promise<string> {
  const { rows: [alert] } = await db.query<{ text: string }>(
    "SELECT text FROM alerts WHERE rule = $1 ORDER BY alert_id DESC LIMIT 1",
    [rule],
  );
  return alert.text;
}

/** A worker that lives at `after` ms from now, and began `age` ms before that. */
export async function addWorkerRow(db: Database, after: number, age: number, role = "service") {
  await db.query(
    `INSERT INTO workers (worker_id, role, started_at, seen_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (worker_id) DO UPDATE SET started_at = excluded.started_at, seen_at = excluded.seen_at`,
    [`worker:${role}`, role, new Date(Date.now() + after - age), new Date(Date.now() + after)],
  );
}

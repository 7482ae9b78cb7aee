/**
 * Cleaning up: what dead workers left, what cannot move, what does not add up, what is old. The `sweep` is the cheap
 * part, made every few seconds by everybody who works; `cleanUp` is all of it.
 */
import type { Database } from "../database/port.ts";
import { cancelSession, finishIfDone } from "./change_session.ts";
import { NOTHING_RECLAIMED, type Reclaimed, reclaimExpired } from "./leases.ts";
import { deleteOldRows } from "./old_rows.ts";
import { reconcile, type ReconcileReport } from "./reconcile/reconcile.ts";

export interface SweepReport extends Reclaimed {
  /** Numbers of sessions that had nothing left to do and were ended. */
  ended: number[];
}

export interface CleanupReport extends SweepReport {
  /** What did not add up and was put right. */
  repaired: ReconcileReport;
  /** Numbers of sessions that were created and never began; they are cancelled. */
  neverStarted: number[];
  /** Old rows that went, by table. */
  deleted: Record<string, number>;
}

/**
 * A session is INITIATED until its articles are in and PROCESSING from the end of the same transaction, so none of ours
 * is seen so. One that something else wrote would hold up every start; after this long it will not begin any more.
 */
const NEVER_STARTED_AFTER = "10 minutes";

/**
 * Takes back expired leases and ends sessions whose articles have all ended. Reads index entries, whatever the size.
 * @param reclaim False: leases are left for now, because the database was away a moment ago (outage_grace.ts).
 */
export async function sweep(
  db: Database,
  actor: string,
  now: Date | null = null,
  reclaim = true,
): Promise<SweepReport> {
  const reclaimed = reclaim ? await reclaimExpired(db, actor, now) : NOTHING_RECLAIMED;
  return { ...reclaimed, ended: await endFinished(db, actor) };
}

/**
 * @param reach How far back sums are checked: "recent" (live and lately ended sessions) or "all".
 * @param reclaim As for `sweep`.
 */
export async function cleanUp(
  db: Database,
  actor: string,
  reach: "recent" | "all" = "recent",
  now: Date | null = null,
  reclaim = true,
): Promise<CleanupReport> {
  // Sums first: what moves money afterwards relies on them.
  const repaired = await reconcile(db, actor, reach);
  const neverStarted = await cancelNeverStarted(db, actor, now);
  const swept = await sweep(db, actor, now, reclaim);
  return { ...swept, repaired, neverStarted, deleted: await deleteOldRows(db, now) };
}

/** Ends every live session that has nothing left to do, and returns their numbers. */
export async function endFinished(db: Database, actor: string): Promise<number[]> {
  const { rows } = await db.query<{ session_id: string; number: number }>(
    `SELECT session_id, number FROM batch_processing_sessions
     WHERE status IN ('INITIATED', 'PROCESSING', 'PAUSED') AND analyzed + failed + skipped = total
     ORDER BY number`,
  );
  const ended: number[] = [];
  for (const { session_id, number } of rows) {
    if (await finishIfDone(db, session_id, actor)) ended.push(number);
  }
  return ended;
}

async function cancelNeverStarted(db: Database, actor: string, now: Date | null): Promise<number[]> {
  const { rows } = await db.query<{ session_id: string; number: number }>(
    `SELECT session_id, number FROM batch_processing_sessions
     WHERE status = 'INITIATED' AND created_at < coalesce($1::timestamptz, now()) - $2::interval
     ORDER BY number`,
    [now, NEVER_STARTED_AFTER],
  );
  for (const { session_id } of rows) await cancelSession(db, session_id, actor, "never_started");
  return rows.map(({ number }) => number);
}

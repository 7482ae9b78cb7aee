/**
 * Puts right what the program cannot have done: calls that nobody has the claim of, sums that do not add up, sessions
 * whose state their articles contradict. Looking takes no lock; only a session in which something is wrong is locked.
 */
import type { Database, Queryable } from "../../database/port.ts";
import { lockSession, moveSession, skipPending } from "../change_session.ts";
import { describeRepair } from "../describe_cleanup.ts";
import { isLive, type Session } from "../types.ts";
import { type DayRepair, repairDay, repairDays } from "./day_books.ts";
import { alertRepair } from "./alert_repair.ts";
import { findOrphanedSessions, giveUpOrphans } from "./orphaned_calls.ts";
import { type Corrections, isOutOfBalance, repairBatches, repairSums } from "./session_books.ts";

/** What was wrong with a session. */
export interface SessionRepair {
  number: number;
  /** Calls that became UNKNOWN. */
  orphanedCalls: number;
  /** Batches whose counters or state were wrong. */
  batches: number;
  /** Sums of the session, each as [before, after]. */
  corrections: Corrections;
  /** It had ended although articles were open, or in a state that they contradict; now it is PAUSED. */
  reopened: boolean;
  /** Articles that still waited in a cancelled session. */
  skipped: number;
}

export interface ReconcileReport {
  sessions: SessionRepair[];
  days: DayRepair[];
}

/** How far back "recent" looks. */
const RECENT_DAYS = 2;

/** @param reach Live sessions and those of the last two days, or every session and day there ever was. */
export async function reconcile(
  db: Database,
  actor: string,
  reach: "recent" | "all",
): Promise<ReconcileReport> {
  const { rows } = await db.query<{ session_id: string; since: string }>(
    `SELECT session_id, ((now() AT TIME ZONE 'UTC')::date - $2::integer)::text AS since
     FROM batch_processing_sessions
     WHERE $1 OR status IN ('INITIATED', 'PROCESSING', 'PAUSED') OR finished_at > now() - $2 * interval '1 day'
     ORDER BY number`,
    [reach === "all", RECENT_DAYS],
  );
  const wrong = await findOrphanedSessions(db);
  // One at a time: between two of them others have their turn at the embedded database.
  for (const { session_id } of rows) {
    if (!wrong.has(session_id) && await isOutOfBalance(db, session_id)) wrong.add(session_id);
  }
  const sessions: SessionRepair[] = [];
  for (const sessionId of wrong) {
    const repair = await db.transaction((tx) => repairSession(tx, sessionId, actor));
    if (repair) sessions.push(repair);
  }
  const since = reach === "all" ? null : rows[0]?.since ?? null;
  return { sessions, days: rows.length > 0 ? await repairDays(db, since, actor) : [] };
}

/** Null: by the time it was locked somebody else had put it right. */
async function repairSession(tx: Queryable, sessionId: string, actor: string): Promise<SessionRepair | null> {
  const found = await lockSession(tx, sessionId);
  const orphans = await giveUpOrphans(tx, sessionId, actor);
  const batches = await repairBatches(tx, sessionId, actor);
  const corrections = await repairSums(tx, found, actor);
  const session = await lockSession(tx, sessionId);
  const skipped = session.status === "CANCELLED" ? await skipPending(tx, session, "cancelled", actor) : 0;
  const reopened = hasWrongEnd(session);
  if (reopened) {
    // Paused, so that nothing is spent unasked; if nothing is open it gets its right end at once.
    await moveSession(tx, session, "PAUSED", { actor, action: "session_reopened", reason: "reopened" });
  }
  for (const day of orphans.days) await repairDay(tx, day, actor);
  const changes = orphans.calls + batches + Object.keys(corrections).length + skipped + Number(reopened);
  if (changes === 0) return null;
  const { number } = session;
  const repair = { number, orphanedCalls: orphans.calls, batches, corrections, reopened, skipped };
  await alertRepair(tx, { sessionId, number }, describeRepair(repair));
  return repair;
}

/** Whether its articles contradict the state in which it ended. Cancelled is what an operator wanted, whatever is. */
function hasWrongEnd({ status, total, analyzed, failed, skipped }: Session): boolean {
  if (isLive(status) || status === "CANCELLED") return false;
  const open = analyzed + failed + skipped < total;
  const fits = {
    COMPLETED: analyzed === total,
    PARTIAL: analyzed > 0 && analyzed < total,
    FAILED: analyzed === 0,
  };
  return open || !fits[status as keyof typeof fits];
}

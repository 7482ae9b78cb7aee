/** What to do when a claim came back empty: wait, make the day's row, end the budget, or end the session. */
import { ensureDay } from "../../budget/ledger/day_budget.ts";
import { type ClaimBlocker, readBlocker } from "../../budget/ledger/hold_items.ts";
import type { Database } from "../../database/port.ts";
import type { Micros } from "../../money.ts";
import { exhaustBudget, finishIfDone } from "../change_session.ts";

export interface Decision {
  /** Claim again at once. */
  again: boolean;
  /** Nothing to do in this session for now: look at others too. */
  leave: boolean;
  /** Look again after this long at the latest, ms. */
  waitMs: number;
}

interface Deciding {
  db: Database;
  workerId: string;
  dayBudget: Micros | null;
}

/** A wait for money that is out, or for items that others have claimed: their settlement wakes us sooner. */
const SETTLING_WAIT_MS = 250;

export async function decideEmptyClaim(
  { db, workerId, dayBudget }: Deciding,
  sessionId: string,
  now: Date | null = null,
): Promise<Decision> {
  const blocker = await readBlocker(db, sessionId, now);
  if (!blocker || blocker.status !== "PROCESSING") return { again: false, leave: true, waitMs: Infinity };
  if (!blocker.open) {
    await finishIfDone(db, sessionId, workerId);
    return { again: false, leave: true, waitMs: Infinity };
  }
  if (!blocker.due) {
    return { again: false, leave: true, waitMs: blocker.next_due_ms ?? SETTLING_WAIT_MS };
  }
  if (!blocker.day_ready) {
    const simulated = await isSimulated(db, sessionId);
    await ensureDay(db, simulated, dayBudget, now);
    return { again: true, leave: false, waitMs: 0 };
  }
  const reason = exhausted(blocker);
  if (reason === null) return { again: false, leave: false, waitMs: SETTLING_WAIT_MS };
  // Asked again under the session's lock: a settlement may have made room since.
  const ended = await exhaustBudget(db, sessionId, reason, workerId, async (tx) => {
    const again = await readBlocker(tx, sessionId, now);
    return again !== null && again.due && exhausted(again) === reason;
  });
  return { again: false, leave: ended, waitMs: SETTLING_WAIT_MS };
}

/** Which budget the next item does not fit although nothing is held that could come back; null: none. */
function exhausted(blocker: ClaimBlocker): "budget" | "day_budget" | null {
  if (blocker.fits_session === false) return blocker.held === 0 ? "budget" : null;
  if (blocker.fits_day === false) return blocker.day_held === 0 ? "day_budget" : null;
  return null;
}

async function isSimulated(db: Database, sessionId: string): Promise<boolean> {
  const { rows: [row] } = await db.query<{ simulated: boolean }>(
    "SELECT simulated FROM batch_processing_sessions WHERE session_id = $1",
    [sessionId],
  );
  return row.simulated;
}

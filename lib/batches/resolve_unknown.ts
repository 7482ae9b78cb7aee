/** Takes an operator's word on calls whose outcome nobody knows, once. */
import type { CallState } from "../budget/ledger/ledger.ts";
import { resolveCalls, type ResolvedCall } from "../budget/ledger/resolve_unknown.ts";
import type { Database, Queryable } from "../database/port.ts";
import { NotFoundError, UserError } from "../errors.ts";
import { formatUsd, type Micros, micros } from "../money.ts";
import { lockSession } from "./change_session.ts";
import type { Session } from "./types.ts";

export type UnknownVerdict = "paid" | "unpaid";

/** One call, or those that are unknown in the session with this number. */
export type UnknownSelection =
  | {
    call: number;
    /** With "paid": what the provider charged, when that is known. Without it the call stays charged in full. */
    bill?: Micros;
  }
  | {
    session: number;
    /**
     * Only these: what the person saw who says it. Others that became unknown meanwhile, and calls of another session,
     * stay as they are. Without it every unknown call of the session.
     */
    callIds?: readonly number[];
  };

/** An operator was here before; nothing was changed. */
export interface EarlierResolution {
  call_id: number;
  state: "SETTLED" | "RELEASED";
  spent: Micros;
  by: string;
  at: Date;
}

export interface ResolvedUnknown {
  /** As it is now. */
  session: Session;
  resolved: ResolvedCall[];
  /** The call that was asked for, when it had been resolved before. */
  earlier: EarlierResolution | null;
  /** What the session's budget, and the day's, got back. */
  returned: Micros;
}

/**
 * Resolving what was resolved before changes nothing and says so. Throws `UserError` for a call that there is not or
 * that never was unknown, and for a bill without "paid".
 */
export async function resolveUnknown(
  db: Database,
  which: UnknownSelection,
  verdict: UnknownVerdict,
  actor: string,
): Promise<ResolvedUnknown> {
  const callId = "call" in which ? which.call : null;
  const bill = "call" in which ? which.bill ?? null : null;
  const listed = "session" in which ? which.callIds ?? null : null;
  assertBill(bill, verdict);
  const sessionId = await findSessionId(db, which);
  return await db.transaction(async (tx) => {
    await lockSession(tx, sessionId);
    const callIds = callId === null ? listed : [callId];
    const resolved = await resolveCalls(tx, { sessionId, callIds, paid: verdict === "paid", bill, actor });
    return {
      session: await lockSession(tx, sessionId),
      resolved,
      earlier: callId !== null && resolved.length === 0 ? await readEarlier(tx, callId) : null,
      returned: micros(resolved.reduce((sum, call) => sum + call.amount - call.spent, 0)),
    };
  });
}

function assertBill(bill: Micros | null, verdict: UnknownVerdict): void {
  if (bill === null) return;
  if (verdict === "unpaid") {
    throw new UserError(
      `Cannot resolve a call as not paid and with a bill of ${formatUsd(bill)}: say one or the other`,
    );
  }
  if (bill < 0) {
    throw new UserError(`Cannot resolve a call: wanted a bill from $0 up, got ${formatUsd(bill)}`);
  }
}

async function findSessionId(db: Queryable, which: UnknownSelection): Promise<string> {
  const { rows: [row] } = "call" in which
    ? await db.query<{ session_id: string }>("SELECT session_id FROM paid_calls WHERE call_id = $1", [
      which.call,
    ])
    : await db.query<{ session_id: string }>(
      "SELECT session_id FROM batch_processing_sessions WHERE number = $1",
      [which.session],
    );
  if (row) return row.session_id;
  throw new NotFoundError(
    "call" in which
      ? `There is no call ${which.call}. The list of unknown outcomes says which there are`
      : `There is no session ${which.session}. The list of sessions says which there are`,
  );
}

/** Throws `UserError` when the call was never an operator's to resolve. */
async function readEarlier(tx: Queryable, callId: number): Promise<EarlierResolution> {
  const { rows: [call] } = await tx.query<
    { state: CallState; spent: Micros; by: string | null; at: Date | null }
  >(
    `SELECT c.state, c.spent, e.actor AS by, e.at
     FROM paid_calls c
     LEFT JOIN session_events e ON e.session_id = c.session_id AND e.call_id = c.call_id
       AND e.action = 'unknown_resolved'
     WHERE c.call_id = $1`,
    [callId],
  );
  const { state, spent, by, at } = call;
  if (by !== null && at !== null && (state === "SETTLED" || state === "RELEASED")) {
    return { call_id: callId, state, spent, by, at };
  }
  throw new UserError(
    `Cannot resolve call ${callId}: wanted one whose outcome is unknown, it is ${state}. ` +
      (state === "HELD" ? "It is out: wait for its answer" : "Its outcome is known, there is nothing to say"),
  );
}

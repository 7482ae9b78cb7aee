/**
 * The ledger: how Nightdesk spends without ever spending more than it may.
 *
 *                     +-- SETTLED   answered and billed: charged at the bill, at most the hold
 *     HELD -----------+-- RELEASED  answered and not billed, or never sent: nothing charged
 *                     +-- UNKNOWN   sent, no answer that tells: charged in full until an operator resolves it
 *
 * Terms. A *call* is one row of paid_calls and at most one request on the wire. Its *hold* is the most it can cost;
 * the row commits before the request leaves. A session has `held` (holds that are out), `spent` (charged, unknown
 * ones included) and `budget`; a day has the same. *Overrun* is what a bill had above its hold.
 *
 * The cap. `spent + held <= budget` is true at every commit: the row lock on the session admits holds one group at a
 * time, and a CHECK constraint refuses what a mistake would let through. Settling moves money from `held` to `spent`,
 * never more than the hold, so it cannot break the cap; the excess goes to `overrun` and raises later holds.
 *
 * The window of trust. Between the commit of a hold and the commit of its outcome the process may die. Whatever it
 * was doing, the row says HELD; when its lease runs out it becomes UNKNOWN. Money is then counted as gone although it
 * may not be: the desk errs on the side of the purse, and says so.
 *
 * Lock order, everywhere: session, then items in the order of their ids, then calls, then days. Two statements can
 * wait for each other only over two days at midnight; the database then refuses one, which is tried again.
 *
 * One statement a file: `hold_items.ts` (claim items and hold their analysis), `hold_call.ts` (one more call for a
 * claimed item), `settle_calls.ts` (outcomes), `resolve_unknown.ts` (an operator's word).
 */
export type CallState = "HELD" | "SETTLED" | "RELEASED" | "UNKNOWN";
export type CallKind = "analysis" | "search" | "validation";
export const ITEM_STATUSES = ["PENDING", "PROCESSING", "ANALYZED", "FAILED", "SKIPPED"] as const;
export type ItemStatus = (typeof ITEM_STATUSES)[number];

/** Holds a search or a validation for an article that this worker has claimed. */
import { ensureDay } from "../../budget/ledger/day_budget.ts";
import { holdCall, type HoldRequest, type NotHeld } from "../../budget/ledger/hold_call.ts";
import type { ClaimedItem } from "../../budget/ledger/hold_items.ts";
import type { Session } from "../types.ts";
import type { ServingOptions } from "./active_session.ts";

export async function holdMore(
  { db, workerId, dayBudget }: Pick<ServingOptions, "db" | "workerId" | "dayBudget">,
  { session_id: sessionId, simulated }: Pick<Session, "session_id" | "simulated">,
  item: Pick<ClaimedItem, "item_id" | "lease_token">,
  call: Pick<HoldRequest, "kind" | "provider" | "model" | "amount">,
): Promise<number | NotHeld> {
  const request = {
    sessionId,
    itemId: item.item_id,
    leaseToken: item.lease_token,
    worker: workerId,
    ...call,
  };
  const held = await holdCall(db, request);
  if (held !== "no_room") return held;
  // Just after midnight there is no room only because the new day has no row yet.
  await ensureDay(db, simulated, dayBudget);
  return await holdCall(db, request);
}

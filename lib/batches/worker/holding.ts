/** An article that a worker has claimed. */
import type { ClaimedItem } from "../../budget/ledger/hold_items.ts";
import type { ActiveSession } from "./active_session.ts";
import type { Claim } from "./claim_keeper.ts";

export interface Holding extends Claim {
  item: ClaimedItem;
  active: ActiveSession;
  /** Claimed alone, to find out whether the provider works again. */
  tries: boolean;
}

/**
 * Whether the claim can still be ours. A process that was stopped (suspended, frozen) and goes on has claims that
 * waited for their turn; others may have sent them since, and a second request would be paid for again.
 */
export function canBeOurs({ leaseUntil }: Pick<Holding, "leaseUntil">): boolean {
  return Date.now() < leaseUntil;
}

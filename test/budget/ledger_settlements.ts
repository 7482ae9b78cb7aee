/** What the simulated workers of the ledger's model write: settlements of their claims, for endings of every kind. */
import {
  afterFailure,
  analyzed,
  putBack,
  researching,
  unsentOutcome,
} from "../../lib/batches/worker/outcomes.ts";
import type { ClaimedItem } from "../../lib/budget/ledger/hold_items.ts";
import type { CallOutcome, ItemOutcome, Settlement } from "../../lib/budget/ledger/settle_calls.ts";
import { micros } from "../../lib/money.ts";
import { PLAIN_ANALYSIS } from "../helpers/articles.ts";
import type { Bill, Ending } from "./ledger_steps.ts";

/** A claim as its worker remembers it, whether or not the ledger still agrees. */
export interface Claim {
  item: ClaimedItem;
  worker: number;
  stage: "ANALYSIS" | "RESEARCH";
  /** The call that is out. */
  open: { callId: number; amount: number } | null;
  /** A write or a hold of this claim is being made: a worker does one at a time. */
  busy: boolean;
}

export function settlementOf(claim: Claim, ending: Ending, retryBaseMs: number): Settlement {
  switch (ending.kind) {
    case "analysed":
    case "goes_on_to_research": {
      const next = ending.kind === "analysed" ? analyzed() : researching();
      return {
        ...writeOf(claim, endOfCall(claim, "SETTLED", ending.bill), next),
        analysis: PLAIN_ANALYSIS,
      };
    }
    case "failed": {
      const failure = { failure: "made_up", message: "made up", waitMs: 500, ...ending };
      const state =
        ({ BILLED: "SETTLED", NOT_BILLED: "RELEASED", UNKNOWN: "UNKNOWN" } as const)[ending.billing];
      return writeOf(
        claim,
        endOfCall(claim, state, ending.bill),
        afterFailure(claim.item, failure, retryBaseMs),
      );
    }
    case "unsent":
      return writeOf(claim, unsentOutcome(claim.item.call_id, "never left"), putBack());
  }
}

export function writeOf(claim: Claim, call: CallOutcome | null, item: ItemOutcome): Settlement {
  return {
    outcome_id: crypto.randomUUID(),
    item_id: claim.item.item_id,
    lease_token: claim.item.lease_token,
    call,
    item,
    analysis: null,
    research: null,
  };
}

export function endOfCall({ open }: Claim, state: CallOutcome["state"], bill: Bill): CallOutcome | null {
  if (open === null) return null;
  return {
    ...unsentOutcome(open.callId, "made up"),
    state,
    bill: state === "SETTLED" ? amountOf(bill, open.amount) : null,
  };
}

export function amountOf(bill: Bill, hold: number) {
  switch (bill) {
    case "nothing":
      return micros(0);
    case "small":
      return micros(Math.ceil(hold / 3));
    case "exact":
      return micros(hold);
    case "above":
      return micros(hold + Math.ceil(hold / 10) + 1);
    case "huge":
      return micros(50_000_000);
    case "unsaid":
      return null;
  }
}

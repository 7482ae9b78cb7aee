/** Turns what an analyst or a search said into what the ledger writes. Pure: no clock, no database. */
import type { CallResult, Failure, SearchResult, TokenUsage } from "../../analysis/port.ts";
import type { CallOutcome, ItemOutcome, Settlement } from "../../budget/ledger/settle_calls.ts";
import { findPrice, type ModelPrice } from "../../budget/prices.ts";
import { type Micros, micros } from "../../money.ts";
import type { ClaimedItem } from "../../budget/ledger/hold_items.ts";
import { backoffMs } from "./backoff.ts";
import { TROUBLE_TIMING } from "./come_back.ts";

const STATE_OF = { BILLED: "SETTLED", NOT_BILLED: "RELEASED", UNKNOWN: "UNKNOWN" } as const;

const NO_USAGE = {
  input_tokens: null,
  output_tokens: null,
  thought_tokens: null,
  cached_tokens: null,
  credits: null,
} as const;

/**
 * The end of a call to a model, priced for the model that answered.
 * @param asked The price of the model that was asked; used when the answer names none.
 * @param at When it was answered: prices have dates.
 */
export function modelCallOutcome(
  callId: number,
  result: CallResult<unknown>,
  asked: ModelPrice,
  at: Date,
): CallOutcome {
  const state = result.ok ? "SETTLED" : STATE_OF[result.billing];
  const { usage } = result;
  return {
    call_id: callId,
    state,
    bill: state === "SETTLED" && usage ? priceUsage(usage, result.answeredModel, asked, at) : null,
    ...(usage
      ? {
        ...NO_USAGE,
        input_tokens: usage.inputTokens,
        output_tokens: usage.outputTokens,
        thought_tokens: usage.thoughtTokens,
        cached_tokens: usage.cachedTokens,
      }
      : NO_USAGE),
    answered_model: result.answeredModel,
    failure: result.ok ? null : result.failure,
    detail: result.ok ? null : result.message,
  };
}

/** Null when a model answered whose price nobody knows: then the call settles at its hold. */
function priceUsage(usage: TokenUsage, answered: string | null, asked: ModelPrice, at: Date): Micros | null {
  if (asked.source === "set by hand" || answered === null || answered === asked.model) {
    return asked.cost(usage);
  }
  return findPrice(answered, at)?.cost(usage) ?? null;
}

/** The end of a search: credits times their price; a search that does not say its credits settles at its hold. */
export function searchOutcome(callId: number, result: SearchResult, creditPrice: Micros): CallOutcome {
  const state = result.ok ? "SETTLED" : STATE_OF[result.billing];
  return {
    call_id: callId,
    state,
    bill: state === "SETTLED" && result.credits !== null ? micros(result.credits * creditPrice) : null,
    ...NO_USAGE,
    credits: result.credits,
    answered_model: null,
    failure: result.ok ? null : result.failure,
    detail: result.ok ? null : result.message,
  };
}

/**
 * What is to be written of a claim: the end of its last call, what becomes of the item, and what was found.
 * @param call Null: no call is open.
 */
export function settlementOf(
  { item_id, lease_token }: Pick<ClaimedItem, "item_id" | "lease_token">,
  call: CallOutcome | null,
  item: ItemOutcome,
  content: Partial<Pick<Settlement, "analysis" | "research">> = {},
): Settlement {
  return {
    outcome_id: crypto.randomUUID(),
    item_id,
    lease_token,
    call,
    item,
    analysis: null,
    research: null,
    ...content,
  };
}

/** The whole claim given back: nothing was sent. */
export function unsentSettlement(item: ClaimedItem): Settlement {
  return settlementOf(
    item,
    unsentOutcome(item.call_id, "the worker stopped before it was sent"),
    putBack(),
  );
}

/** A call that never left: its hold is given back. */
export function unsentOutcome(callId: number, detail: string): CallOutcome {
  return {
    call_id: callId,
    state: "RELEASED",
    bill: null,
    ...NO_USAGE,
    answered_model: null,
    failure: "not_sent",
    detail,
  };
}

export function analyzed(): ItemOutcome {
  return {
    to: "ANALYZED",
    stage: "ANALYSIS",
    wait_ms: 0,
    refund_attempt: false,
    error_class: null,
    error: null,
    permanent: false,
  };
}

/** The analysis is stored; the claim goes on for its research. */
export function researching(): ItemOutcome {
  return { ...analyzed(), to: "PROCESSING", stage: "RESEARCH" };
}

/** Back to the queue as if it had never been claimed. */
export function putBack(waitMs = 0): ItemOutcome {
  return { ...analyzed(), to: "PENDING", wait_ms: Math.round(waitMs), refund_attempt: true };
}

/** The same for an article that its hold no longer covers: the next claim holds `worstCase`. */
export function holdAnew(worstCase: Micros): ItemOutcome {
  return { ...putBack(), worst_case: worstCase };
}

/** What a failed analysis means for its item: wait as told, try again with backoff, or give up. */
export function afterFailure(
  item: Pick<ClaimedItem, "attempts" | "max_attempts">,
  failure: Failure,
  retryBaseMs: number,
): ItemOutcome {
  const { refused } = failure;
  const what = { error_class: failure.failure, error: failure.message, ...(refused && { refused }) };
  switch (failure.action) {
    case "wait":
      if ((failure.waitMs ?? 0) <= TROUBLE_TIMING.longestWaitMs) {
        return { ...putBack(failure.waitMs), ...what };
      }
      // falls through: such a wait is a pause
    case "pause":
    case "stop_session":
      // Its session waits, not the article; due from now on it stands behind those that were not tried yet.
      return { ...putBack(), ...what };
    case "give_up":
      return { ...analyzed(), to: "FAILED", permanent: true, ...what };
    case "retry":
    case "stop_research":
      if (failure.spared) return { ...putBack(backoffMs(retryBaseMs, item.attempts)), ...what };
      if (item.attempts >= item.max_attempts) {
        return { ...analyzed(), to: "FAILED", permanent: refused === true, ...what };
      }
      return {
        ...putBack(backoffMs(retryBaseMs, item.attempts)),
        refund_attempt: false,
        ...what,
      };
  }
}

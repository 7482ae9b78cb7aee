/**
 * One article from claim to final state. The analysis was held with the claim; every further call is held here before
 * it leaves. Whatever happens ends in a settlement; nothing is thrown for what a provider does.
 */
import type { Analyst, CallResult, GroundedAnalysis, Researcher } from "../../analysis/port.ts";
import { NO_RESEARCH } from "../../analysis/port.ts";
import type { ClaimedItem } from "../../budget/ledger/hold_items.ts";
import type {
  CallOutcome,
  ItemOutcome,
  Settlement,
  SettleVerdict,
} from "../../budget/ledger/settle_calls.ts";
import type { ModelPrice } from "../../budget/prices.ts";
import type { Micros } from "../../money.ts";
import { afterFailure, analyzed, modelCallOutcome, putBack, researching, unsentOutcome } from "./outcomes.ts";
import { research, strongestSignal } from "./research_item.ts";

/** What an item needs of its worker. */
export interface ItemContext {
  analyst: Analyst;
  researcher: Researcher | null;
  researchMode: "off" | "top" | "all";
  price: ModelPrice;
  retryBaseMs: number;
  /** Waits until a request may leave; false: it may not leave at all (the worker stops, time is up). */
  mayCall(signal: AbortSignal): Promise<boolean>;
  hold(
    kind: "search" | "validation",
    provider: string,
    model: string,
    amount: Micros,
  ): Promise<number | "no_room" | "lost">;
  settle(settlement: Settlement): Promise<SettleVerdict>;
  /** The last request of this article has been answered: another may start although this one is still written. */
  callsDone(): void;
  /** The provider wants something of everybody: to wait, or to stop. */
  onFailure(failure: Extract<CallResult<unknown>, { ok: false }>): void;
}

export async function analyseItem(
  context: ItemContext,
  item: ClaimedItem,
  signal: AbortSignal,
): Promise<void> {
  const settle = (
    call: CallOutcome | null,
    next: ItemOutcome,
    content: Partial<Pick<Settlement, "analysis" | "research">> = {},
  ) =>
    context.settle({
      outcome_id: crypto.randomUUID(),
      item_id: item.item_id,
      lease_token: item.lease_token,
      call,
      item: next,
      analysis: null,
      research: null,
      ...content,
    });

  if (!await context.mayCall(signal)) {
    context.callsDone();
    await settle(unsentOutcome(item.call_id, "the worker stopped before it was sent"), putBack());
    return;
  }
  // With research more calls follow in this slot, so it is not free at the first answer.
  const answered = context.researcher ? undefined : context.callsDone;
  const result = await context.analyst.analyse(articleOf(item), signal, answered);
  const call = modelCallOutcome(item.call_id, result, context.price, new Date());
  if (!result.ok) {
    context.callsDone();
    context.onFailure(result);
    await settle(call, afterFailure(item, result, context.retryBaseMs));
    return;
  }
  const analysis = storedAnalysis(context.analyst, result);
  const claim = context.researcher
    ? strongestSignal(result.value.analysis, context.researchMode, analysis.research)
    : null;
  if (claim === null || context.researcher === null) {
    context.callsDone();
    await settle(call, analyzed(), { analysis });
    return;
  }
  if (await settle(call, researching(), { analysis }) === "stale") return context.callsDone();
  await research(context, context.researcher, claim, signal, settle);
}

function articleOf(item: ClaimedItem) {
  return {
    id: item.article_id,
    title: item.title,
    body: item.body,
    source: item.source,
    url: item.url,
    publishedAt: item.published_at,
  };
}

function storedAnalysis(analyst: Analyst, result: Extract<CallResult<GroundedAnalysis>, { ok: true }>) {
  return {
    ...result.value.analysis,
    provider: analyst.provider,
    model: result.answeredModel ?? analyst.model,
    prompt_version: analyst.promptVersion,
    ungrounded: result.value.ungrounded,
    research: { ...NO_RESEARCH },
  };
}

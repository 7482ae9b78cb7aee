/**
 * One article from claim to final state. The analysis was held with the claim, and leaves only if that covers it; every
 * further call is held here before it leaves. Whatever happens ends in a settlement; nothing is thrown for what a provider does.
 */
import { Buffer } from "node:buffer";
import type { Analyst, ArticleText, CallResult, GroundedAnalysis, Researcher } from "../../analysis/port.ts";
import { NO_RESEARCH } from "../../analysis/port.ts";
import type { NotHeld } from "../../budget/ledger/hold_call.ts";
import type { ClaimedItem } from "../../budget/ledger/hold_items.ts";
import type {
  CallOutcome,
  ItemOutcome,
  Settlement,
  SettleVerdict,
} from "../../budget/ledger/settle_calls.ts";
import { worstCaseOf } from "../../budget/estimate.ts";
import type { ModelPrice } from "../../budget/prices.ts";
import { exactUsd, type Micros } from "../../money.ts";
import { traceAbout } from "../../trace.ts";
import {
  afterFailure,
  analyzed,
  holdAnew,
  modelCallOutcome,
  researching,
  settlementOf,
  unsentOutcome,
  unsentSettlement,
} from "./outcomes.ts";
import { missingResearch, research, strongestSignal } from "./research_item.ts";
import type { Turn } from "./search_gate.ts";

/** What an item needs of its worker. */
export interface ItemContext {
  /** Number of the session. */
  session: number;
  analyst: Analyst;
  /** Null: nothing is searched; `researchOff` says why, unless `researchMode` does. */
  researcher: Researcher | null;
  researchMode: "off" | "top" | "all";
  /** Why the session searches no more; null: it does, as far as a worker can. */
  researchOff: string | null;
  /** Today's price of the model: prices have dates. */
  price(): ModelPrice;
  retryBaseMs: number;
  /**
   * Waits until a request may leave; false: it may not leave at all (the worker stops, the session is paused).
   * @param patient Also through a wait that the provider asks for meanwhile; otherwise that says false too.
   */
  mayCall(signal: AbortSignal, patient: boolean): Promise<boolean>;
  /** Waits until a search may leave; the article's time goes on. */
  maySearch(signal: AbortSignal): Promise<Turn | "too_late" | "stopped">;
  hold(
    kind: "search" | "validation",
    provider: string,
    model: string,
    amount: Micros,
  ): Promise<number | NotHeld>;
  settle(settlement: Settlement): Promise<SettleVerdict>;
  /** The last request of this article has been answered: another may start although this one is still written. */
  callsDone(): void;
  /** The model has answered. */
  onSuccess(): void;
  /** The provider wants something of everybody: to wait, or to stop. */
  onFailure(failure: Extract<CallResult<unknown>, { ok: false }>): void;
}

export async function analyseItem(
  context: ItemContext,
  item: ClaimedItem,
  signal: AbortSignal,
): Promise<void> {
  const about = { "nightdesk.session": context.session, "nightdesk.batch_id": item.batch_id };
  await traceAbout(about, () => analyse(context, item, signal));
}

async function analyse(context: ItemContext, item: ClaimedItem, signal: AbortSignal): Promise<void> {
  const settle = (
    call: CallOutcome | null,
    next: ItemOutcome,
    content: Partial<Pick<Settlement, "analysis" | "research">> = {},
  ) => context.settle(settlementOf(item, call, next, content));

  if (!await context.mayCall(signal, false)) {
    context.callsDone();
    await context.settle(unsentSettlement(item));
    return;
  }
  const worstCase = worstCaseOf(context.analyst, context.price(), countBytes(item.article));
  if (worstCase > item.amount) {
    // The text, the prompt or the price has grown since the worst case was computed.
    context.callsDone();
    const detail = `not sent: it was held for $${exactUsd(item.amount)} and can cost $${
      exactUsd(worstCase)
    } now`;
    await settle(unsentOutcome(item.call_id, detail), holdAnew(worstCase));
    return;
  }
  // With research more calls follow in this slot, so it is not free at the first answer.
  const answered = context.researcher ? undefined : context.callsDone;
  const result = await traceAbout(
    { "nightdesk.call": item.call_id },
    () => context.analyst.analyse(item.article, signal, answered),
  );
  const call = modelCallOutcome(item.call_id, result, context.price(), new Date());
  if (!result.ok) {
    context.callsDone();
    context.onFailure(result);
    await settle(call, afterFailure(item, result, context.retryBaseMs));
    return;
  }
  context.onSuccess();
  const analysis = storedAnalysis(context.analyst, result);
  const claim = strongestSignal(result.value.analysis, context.researchMode, analysis.research);
  if (claim) analysis.research = missingResearch(claim, whyNone(context));
  if (claim === null || context.researcher === null) {
    context.callsDone();
    await settle(call, analyzed(), { analysis });
    return;
  }
  if (await settle(call, researching(), { analysis }) === "stale") return context.callsDone();
  await research(context, context.researcher, claim, signal, settle);
}

/** Whoever reads the analysis should know that it lacks something, and why; what research finds takes its place. */
function whyNone({ researcher, researchOff }: ItemContext): string {
  if (researcher) return "it was cut short before its end";
  return researchOff === null
    ? "this worker cannot search: it has no TAVILY_API_KEY"
    : `the session searches no more: ${researchOff}`;
}

/** UTF-8 bytes of what goes into the model. */
function countBytes({ title, body }: ArticleText): number {
  return Buffer.byteLength(title) + Buffer.byteLength(body);
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

/** Research of one analysed article: a search for its strongest signal, then a small validation call. */
import type { Failure, Researcher } from "../../analysis/port.ts";
import type { Analysis, Research, WeakSignal } from "../../analysis/schema.ts";
import type {
  CallOutcome,
  ItemOutcome,
  Settlement,
  SettleVerdict,
} from "../../budget/ledger/settle_calls.ts";
import { micros } from "../../money.ts";
import type { ItemContext } from "./analyse_item.ts";
import { analyzed, modelCallOutcome, researching, searchOutcome, unsentOutcome } from "./outcomes.ts";
import { sleep } from "./call_gate.ts";

/** RESEARCH=top searches for articles whose signal is at least this strong (0..1). */
const TOP_STRENGTH = 0.6;
/** Searching and validating get this many requests each; a stored analysis is worth more than a third try. */
const TRIES = 2;
/** Characters of a search query; Tavily asks for fewer than 400. */
const LONGEST_QUERY = 380;

type Settle = (
  call: CallOutcome | null,
  next: ItemOutcome,
  content?: Partial<Pick<Settlement, "analysis" | "research">>,
) => Promise<SettleVerdict>;

/** The signal worth a search, or null when this article does not earn one; `research.reason` then says why. */
export function strongestSignal(
  analysis: Analysis,
  mode: "off" | "top" | "all",
  research: Research,
): WeakSignal | null {
  if (mode === "off") return null;
  const [strongest] = [...analysis.weak_signals].sort((a, b) => b.confidence - a.confidence);
  if (!strongest) research.reason = "the article has no signal to check";
  else if (mode === "top" && analysis.signal_strength < TOP_STRENGTH) {
    research.reason = `its signal strength is below ${TOP_STRENGTH}`;
  } else return strongest;
  return null;
}

/** Ends with the item ANALYZED, whatever comes of it: the analysis is stored and paid for. */
export async function research(
  context: ItemContext,
  researcher: Researcher,
  claim: WeakSignal,
  signal: AbortSignal,
  settle: Settle,
): Promise<void> {
  const found: Research = {
    status: "NOT_RUN",
    reason: null,
    queries: [claim.description.slice(0, LONGEST_QUERY)],
    sources: [],
  };
  const last = await search(context, researcher, found, signal, settle);
  if (last === "lost") return context.callsDone();
  let end = last;
  if (found.sources.length > 0) {
    if (end && await settle(end, researching()) === "stale") return context.callsDone();
    const validated = await validate(context, claim, found, signal, settle);
    if (validated === "lost") return context.callsDone();
    end = validated;
  }
  context.callsDone();
  await settle(end, analyzed(), { research: found });
}

/** Fills `found`. Resolves to the end of its last call, still to be written; null: no call is open. */
async function search(
  context: ItemContext,
  researcher: Researcher,
  found: Research,
  signal: AbortSignal,
  settle: Settle,
): Promise<CallOutcome | null | "lost"> {
  const amount = micros(researcher.boundCredits * researcher.creditPrice);
  for (let tries = 1;; tries++) {
    const callId = await context.hold("search", researcher.provider, "search", amount);
    if (callId === "lost") return "lost";
    if (callId === "no_room") return giveReason(found, "the budget has no room for a search");
    const result = await researcher.search(found.queries[0], signal);
    const outcome = searchOutcome(callId, result, researcher.creditPrice);
    if (result.ok) {
      found.sources = result.sources;
      found.status = "INSUFFICIENT_DATA";
      found.reason = result.sources.length === 0 ? "the search found nothing" : null;
      return outcome;
    }
    found.reason = result.message;
    // A search engine's "come back later" is no reason to keep the model waiting.
    if (result.action !== "wait") context.onFailure({ ...result, usage: null, answeredModel: null });
    if (tries >= TRIES || !worthAnother(result, signal)) return outcome;
    if (await settle(outcome, researching()) === "stale") return "lost";
    await sleep(result.waitMs ?? context.retryBaseMs, signal);
  }
}

async function validate(
  context: ItemContext,
  claim: WeakSignal,
  found: Research,
  signal: AbortSignal,
  settle: Settle,
): Promise<CallOutcome | null | "lost"> {
  const { analyst } = context;
  const amount = context.price.cost(analyst.validationBound());
  for (let tries = 1;; tries++) {
    const callId = await context.hold("validation", analyst.provider, analyst.model, amount);
    if (callId === "lost") return "lost";
    if (callId === "no_room") return giveReason(found, "the budget has no room to validate what was found");
    if (!await context.mayCall(signal)) {
      giveReason(found, "the worker stopped before the sources were judged");
      return unsentOutcome(callId, "the worker stopped before it was sent");
    }
    const result = await analyst.validate(claim.description, found.sources, signal);
    const outcome = modelCallOutcome(callId, result, context.price, new Date());
    if (result.ok) {
      found.status = result.value.status;
      found.reason = result.value.reason;
      return outcome;
    }
    found.status = "NOT_RUN";
    found.reason = result.message;
    context.onFailure(result);
    if (tries >= TRIES || !worthAnother(result, signal)) return outcome;
    if (await settle(outcome, researching()) === "stale") return "lost";
    await sleep(result.waitMs ?? context.retryBaseMs, signal);
  }
}

function worthAnother(failure: Failure, signal: AbortSignal): boolean {
  return !signal.aborted && (failure.action === "retry" || failure.action === "wait");
}

function giveReason(found: Research, reason: string): null {
  found.reason = reason;
  return null;
}

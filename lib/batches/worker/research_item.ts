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
import { sleep } from "../../sleep.ts";
import { traceAbout } from "../../trace.ts";
import type { ItemContext } from "./analyse_item.ts";
import { analyzed, modelCallOutcome, researching, searchOutcome, unsentOutcome } from "./outcomes.ts";

/** RESEARCH=top searches for articles whose signal is at least this strong (0..1). */
const TOP_STRENGTH = 0.6;
/** Searching and validating may fail once each; a stored analysis is worth more than a third try. */
const TRIES = 2;
/** A longer wait than this before another validation is not worth it, ms. */
const LONGEST_WAIT_MS = 60_000;
/** Characters of a search query; Tavily asks for fewer than 400. */
const LONGEST_QUERY = 380;

const SESSION_ENDED = "the session was cancelled before it was researched";

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

/** What is stored of a search that was earned and is not made: the query says that it was. */
export function missingResearch(claim: WeakSignal, reason: string | null): Research {
  return {
    status: "NOT_RUN",
    reason,
    queries: [claim.description.slice(0, LONGEST_QUERY)],
    sources: [],
  };
}

/** Ends with the item ANALYZED, whatever comes of it: the analysis is stored and paid for. */
export async function research(
  context: ItemContext,
  researcher: Researcher,
  claim: WeakSignal,
  signal: AbortSignal,
  settle: Settle,
): Promise<void> {
  const found = missingResearch(claim, null);
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
  for (let tries = 1;;) {
    const turn = await context.maySearch(signal);
    if (turn === "stopped") return giveReason(found, found.reason ?? "the worker stopped before it searched");
    if (turn === "too_late") return giveReason(found, "the search provider asks for more time than is left");
    const callId = await context.hold("search", researcher.provider, "search", amount).catch((error) => {
      turn.giveBack();
      throw error;
    });
    if (typeof callId === "string") {
      turn.giveBack();
      if (callId === "lost") return callId;
      return giveReason(found, callId === "ended" ? SESSION_ENDED : "the budget has no room for a search");
    }
    const result = await traceAbout(
      { "nightdesk.call": callId },
      () => researcher.search(found.queries[0], signal),
    );
    turn.answered(!result.ok && result.action === "wait" ? result.waitMs ?? 0 : null);
    const outcome = searchOutcome(callId, result, researcher.creditPrice);
    if (result.ok) {
      found.sources = result.sources;
      found.status = "INSUFFICIENT_DATA";
      found.reason = result.sources.length === 0 ? "the search found nothing" : null;
      return outcome;
    }
    found.reason = result.message;
    // That a search engine is busy or out of order is no reason to keep the model waiting, too. When it lasts, an alert
    // says so (lib/alerts/conditions.ts).
    const waits = result.action === "wait";
    if (!waits && result.action !== "pause") {
      context.onFailure({ ...result, usage: null, answeredModel: null });
    }
    if (signal.aborted || !waits && (result.action !== "retry" || tries++ >= TRIES)) return outcome;
    if (await settle(outcome, researching()) === "stale") return "lost";
    if (!waits) await sleep(context.retryBaseMs, signal);
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
  const amount = context.price().cost(analyst.validationBound());
  for (let tries = 1;; tries++) {
    const callId = await context.hold("validation", analyst.provider, analyst.model, amount);
    if (callId === "lost") return "lost";
    if (callId === "no_room") return giveReason(found, "the budget has no room to validate what was found");
    if (callId === "ended") return giveReason(found, SESSION_ENDED);
    if (!await context.mayCall(signal, true)) {
      giveReason(found, "the worker stopped before the sources were judged");
      return unsentOutcome(callId, "the worker stopped before it was sent");
    }
    const result = await traceAbout(
      { "nightdesk.call": callId },
      () => analyst.validate(claim.description, found.sources, signal),
    );
    const outcome = modelCallOutcome(callId, result, context.price(), new Date());
    if (result.ok) {
      context.onSuccess();
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
  const soon = failure.action === "wait" && (failure.waitMs ?? 0) <= LONGEST_WAIT_MS;
  return !signal.aborted && (failure.action === "retry" || soon);
}

function giveReason(found: Research, reason: string): null {
  found.reason = reason;
  return null;
}

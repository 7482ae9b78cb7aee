/**
 * The offline analyst: extractive reading by rules and word lists. No key, no network, no cost. It reads the whole
 * text whatever its size, gives the same result for the same article, and says of itself that it works by rule.
 */
import type { Analyst, ArticleText, CallResult, Failure, GroundedAnalysis } from "../port.ts";
import { foldText, ground } from "../ground.ts";
import type { Source, Verdict } from "../schema.ts";
import { composeAnalysis } from "./compose.ts";
import { readArticle } from "./reader.ts";
import { boundUsage, boundValidation, countBytes, simulateUsage, simulateValidationUsage } from "./usage.ts";
import { judgeClaim } from "./verdict.ts";

/** Rises whenever rules or word lists change what an article's analysis is. */
const RULES_VERSION = "offline-rules-1";

/** `model` is the model whose tokens and prices are simulated; it is never called. */
export function createOfflineAnalyst({ model }: { model: string }): Analyst {
  return {
    provider: "offline",
    model,
    simulated: true,
    promptVersion: RULES_VERSION,
    bound: boundUsage,
    validationBound: boundValidation,
    analyse: (article, signal) => analyse(article, signal, model),
    validate: (claim, sources, signal) => Promise.resolve(validate(claim, sources, signal, model)),
  };
}

async function analyse(
  article: ArticleText,
  signal: AbortSignal,
  model: string,
): Promise<CallResult<GroundedAnalysis>> {
  if (!/[\p{L}\p{N}\p{P}\p{S}]/u.test(foldText(article.body))) {
    return failed({
      failure: "empty_article",
      action: "give_up",
      message: "The article has no readable text.",
    });
  }
  try {
    const reading = await readArticle(article, signal);
    const grounded = ground(composeAnalysis(reading, article.publishedAt?.getUTCFullYear() ?? null), article);
    const usage = simulateUsage(countBytes(article.title, article.body), grounded.analysis);
    return { ok: true, value: grounded, usage, answeredModel: model };
  } catch (error) {
    // Only the caller's own stop is a result; anything else is a fault of the rules and must be seen.
    if (signal.aborted) return failed(TIMED_OUT);
    throw error;
  }
}

function validate(
  claim: string,
  sources: readonly Source[],
  signal: AbortSignal,
  model: string,
): CallResult<Verdict> {
  if (signal.aborted) return failed(TIMED_OUT);
  const verdict = judgeClaim(claim, sources);
  const bytes = countBytes(claim, ...sources.flatMap(({ title, excerpt }) => [title, excerpt]));
  return { ok: true, value: verdict, usage: simulateValidationUsage(bytes, verdict), answeredModel: model };
}

const TIMED_OUT = {
  failure: "timed_out",
  action: "retry",
  message: "Stopped before the reading was done.",
} as const;

/** Nothing was sent, so nothing is billed. */
function failed(failure: Omit<Failure, "billing">): CallResult<never> {
  return { ok: false, billing: "NOT_BILLED", usage: null, answeredModel: null, ...failure };
}

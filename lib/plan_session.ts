/** What a session would do and cost, before anything is spent: the articles, the estimate and the settings it would have. */
import type { Analysts, ProviderName } from "./analysis/make_analyst.ts";
import type { Analyst, Researcher } from "./analysis/port.ts";
import { findReady, type IdentifierRules, type ReadyArticle } from "./articles/identifier.ts";
import type { PlannedItem } from "./batches/start_session.ts";
import type { Session, SessionSettings } from "./batches/types.ts";
import { type Estimate, estimateSession, worstCaseOf } from "./budget/estimate.ts";
import { type DayBudget, readDay } from "./budget/ledger/day_budget.ts";
import { type ModelPrice, requirePrice } from "./budget/prices.ts";
import type { Config, ResearchMode } from "./config.ts";
import type { Database } from "./database/port.ts";
import { UserError } from "./errors.ts";
import type { Micros } from "./money.ts";

/** Input tokens that every current Gemini flash model takes (ai.google.dev/gemini-api/docs/models, Nov 2026). */
const CONTEXT_TOKENS = 1_048_576;

export interface SessionRequest {
  /** Articles at most; the settings' maximum unless given. */
  limit?: number;
  budget?: Micros;
  model?: string;
  research?: ResearchMode;
}

export interface SessionEstimate extends Estimate {
  provider: ProviderName;
  model: string;
  simulated: boolean;
  price: Pick<ModelPrice, "model" | "perMillion" | "source">;
  budget: Micros;
  /** Ready articles over the limit: they stay for another session. */
  readyBeyondLimit: boolean;
  /** Ready, but even alone its worst case does not fit the budget: left out. */
  tooExpensive: number;
  day: DayBudget | null;
}

export interface PlannedSession {
  estimate: SessionEstimate;
  /** In the order of work. */
  items: PlannedItem[];
  settings: SessionSettings;
}

/** Throws `UserError` when this process lacks what the session needs: a key, a price. */
export async function planSession(
  db: Database,
  config: Config,
  analysts: Analysts,
  request: SessionRequest,
): Promise<PlannedSession> {
  const provider = config.analyst;
  const model = request.model ?? config.gemini.model;
  const budget = request.budget ?? config.batchBudget;
  const research = request.research ?? config.research;
  const analyst = analysts.analyst(provider, model);
  const price = requirePrice(model, new Date(), config.gemini.price);
  const researcher = research === "off" ? null : analysts.researcher(provider);
  const limit = Math.min(request.limit ?? config.maxSessionArticles, config.maxSessionArticles);
  const found = await findReady(db, rulesFor(config, analysts, analyst), limit + 1);
  const ready = found.slice(0, limit);
  const fitting = ready.filter((article) => worstCaseOf(analyst, price, article.text_bytes) <= budget);
  const estimate: SessionEstimate = {
    ...await estimateSession(db, {
      articles: fitting,
      analyst,
      price,
      researcher,
      researchMode: research,
      budget,
    }),
    provider,
    model,
    simulated: analyst.simulated,
    price: { model: price.model, perMillion: price.perMillion, source: price.source },
    budget,
    readyBeyondLimit: found.length > limit,
    tooExpensive: ready.length - fitting.length,
    day: await readDay(db, analyst.simulated),
  };
  return {
    estimate,
    items: fitting.map((article: ReadyArticle, index) => ({
      articleId: article.id,
      worstCase: estimate.worstCases[index],
    })),
    settings: {
      batchSize: config.batchSize,
      batchDelayMs: config.batchDelayMs,
      articleTimeoutMs: config.articleTimeoutMs,
      maxAttempts: config.maxAttempts,
      retryBaseMs: config.retryBaseMs,
      research: researcherMode(research, researcher),
      promptVersion: analyst.promptVersion,
    },
  };
}

/** What a text can cost at most in a session, by its UTF-8 bytes; null: this process lacks what it takes to say. */
export function findWorstCases(
  { provider, model }: Pick<Session, "provider" | "model">,
  config: Config,
  analysts: Analysts,
): ((textBytes: number) => Micros) | null {
  try {
    const analyst = analysts.analyst(provider, model);
    const price = requirePrice(model, new Date(), config.gemini.price);
    return (textBytes) => worstCaseOf(analyst, price, textBytes);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return null;
  }
}

function researcherMode(wanted: ResearchMode, researcher: Researcher | null): ResearchMode {
  if (wanted !== "off" && researcher === null) {
    throw new UserError(`Cannot research (${wanted}): it needs TAVILY_API_KEY, which is not set`);
  }
  return wanted;
}

/** What makes an article ready under these settings. */
export function rulesFor(config: Config, analysts: Analysts, analyst?: Analyst): IdentifierRules {
  const reader = analyst ?? analysts.analyst(config.analyst, config.gemini.model);
  return {
    minChars: config.minArticleChars,
    languages: config.languages,
    maxBytes: largestText(reader),
  };
}

/** The bound is linear in the bytes of the text, so the largest text that fits the model's window can be computed. */
function largestText(analyst: Analyst): number {
  const fixed = analyst.bound(0).inputTokens;
  const perByte = (analyst.bound(1_000_000).inputTokens - fixed) / 1_000_000;
  return Math.floor((CONTEXT_TOKENS - fixed) / perByte);
}

/** Which analyst and researcher serve a session, built from the settings and kept: building one costs time. */
import type { Config } from "../config.ts";
import { UserError } from "../errors.ts";
import { Breaker, type BreakerTiming } from "./breaker/breaker.ts";
import { guardAnalyst, guardResearcher } from "./breaker/guard.ts";
import { createGeminiAnalyst } from "./gemini/analyst.ts";
import { createOfflineAnalyst } from "./offline/analyst.ts";
import { createOfflineResearcher } from "./offline/researcher.ts";
import type { Analyst, Researcher } from "./port.ts";
import { createTavilyResearcher } from "./tavily/researcher.ts";
import { traceAnalyst, traceResearcher } from "./trace_calls.ts";

export type ProviderName = "gemini" | "offline";

export interface Analysts {
  /** Throws `UserError` when the settings lack what the provider needs. */
  analyst(provider: ProviderName, model: string): Analyst;
  /** Null: this process cannot search. */
  researcher(provider: ProviderName): Researcher | null;
  /** Lets the next request try, however long the provider's breaker would still be open. */
  tryNow(provider: ProviderName): void;
}

/** @param breakers Timing of the circuit breakers, one per provider; a test makes them quick. */
export function createAnalysts(config: Config, breakers?: BreakerTiming): Analysts {
  const made = new Map<string, Analyst>();
  const gemini = new Breaker("gemini", breakers);
  let researcher: Researcher | null | undefined;
  return {
    analyst(provider, model) {
      const key = `${provider} ${model}`;
      const analyst = made.get(key) ?? makeAnalyst(config, provider, model, gemini);
      made.set(key, analyst);
      return analyst;
    },
    researcher(provider) {
      if (provider === "offline") return createOfflineResearcher({ creditPrice: config.tavily.creditPrice });
      return researcher ??= makeResearcher(config, new Breaker("tavily", breakers));
    },
    tryNow(provider) {
      if (provider === "gemini") gemini.tryNow();
    },
  };
}

/** A search answers within seconds; one that hangs must not take an article's whole time (ms). */
const LONGEST_SEARCH_MS = 30_000;

function makeAnalyst(
  config: Config,
  provider: ProviderName,
  model: string,
  breaker: Breaker,
): Analyst {
  if (provider === "offline") return createOfflineAnalyst({ model });
  const { apiKey, baseUrl } = config.gemini;
  if (!apiKey) {
    throw new UserError(
      "Cannot analyse with Gemini: it needs GEMINI_API_KEY, which is not set in this process",
    );
  }
  const analyst = createGeminiAnalyst({
    apiKey,
    model,
    timeoutMs: config.articleTimeoutMs,
    proxied: config.proxied,
    ...(baseUrl ? { baseUrl } : {}),
  });
  return guardAnalyst(traceAnalyst(analyst), breaker);
}

function makeResearcher(config: Config, breaker: Breaker): Researcher | null {
  const { apiKey, baseUrl, creditPrice } = config.tavily;
  if (!apiKey) return null;
  const researcher = createTavilyResearcher({
    apiKey,
    creditPrice,
    timeoutMs: Math.min(LONGEST_SEARCH_MS, config.articleTimeoutMs),
    ...(baseUrl ? { baseUrl } : {}),
  });
  return guardResearcher(traceResearcher(researcher), breaker);
}

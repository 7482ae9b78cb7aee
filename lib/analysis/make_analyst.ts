/** Which analyst and researcher serve a session, built from the settings and kept: building one costs time. */
import type { Config } from "../config.ts";
import { UserError } from "../errors.ts";
import { createGeminiAnalyst } from "./gemini/analyst.ts";
import { createOfflineAnalyst } from "./offline/analyst.ts";
import { createOfflineResearcher } from "./offline/researcher.ts";
import type { Analyst, Researcher } from "./port.ts";
import { createTavilyResearcher } from "./tavily/researcher.ts";

export type ProviderName = "gemini" | "offline";

export interface Analysts {
  /** Throws `UserError` when the settings lack what the provider needs. */
  analyst(provider: ProviderName, model: string): Analyst;
  /** Null: this process cannot search. */
  researcher(provider: ProviderName): Researcher | null;
}

export function createAnalysts(config: Config): Analysts {
  const made = new Map<string, Analyst>();
  let researcher: Researcher | null | undefined;
  return {
    analyst(provider, model) {
      const key = `${provider} ${model}`;
      const analyst = made.get(key) ?? makeAnalyst(config, provider, model);
      made.set(key, analyst);
      return analyst;
    },
    researcher(provider) {
      if (provider === "offline") return createOfflineResearcher({ creditPrice: config.tavily.creditPrice });
      return researcher ??= makeResearcher(config);
    },
  };
}

function makeAnalyst(config: Config, provider: ProviderName, model: string): Analyst {
  if (provider === "offline") return createOfflineAnalyst({ model });
  const { apiKey, baseUrl } = config.gemini;
  if (!apiKey) {
    throw new UserError(
      "Cannot analyse with Gemini: it needs GEMINI_API_KEY, which is not set in this process",
    );
  }
  return createGeminiAnalyst({
    apiKey,
    model,
    timeoutMs: config.articleTimeoutMs,
    ...(baseUrl ? { baseUrl } : {}),
  });
}

function makeResearcher(config: Config): Researcher | null {
  const { apiKey, baseUrl, creditPrice } = config.tavily;
  if (!apiKey) return null;
  return createTavilyResearcher({
    apiKey,
    creditPrice,
    timeoutMs: config.articleTimeoutMs,
    ...(baseUrl ? { baseUrl } : {}),
  });
}

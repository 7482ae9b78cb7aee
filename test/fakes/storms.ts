/** What Gemini and Tavily answer while something is wrong with them: to every request the same. */
import { geminiError } from "./gemini.ts";
import { tavilyError } from "./tavily.ts";
import type { WireReply } from "./wire_server.ts";

function tooMany(...details: unknown[]): WireReply {
  return geminiError(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).", details);
}

/** A 429 that names a time. */
export function toldToWait(seconds: number): WireReply {
  return tooMany({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${seconds}s` });
}

export const GEMINI_STORMS = {
  told_to_wait: toldToWait(31),
  wait_an_hour: toldToWait(3_600),
  turned_away: tooMany(),
  daily_quota: tooMany({
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel" }],
  }),
  failing: geminiError(500, "INTERNAL", "An internal error has occurred."),
  overloaded: geminiError(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
  gateway: { kind: "answer", status: 502, body: "<html>Bad Gateway</html>" },
  web_page: { kind: "answer", status: 200, body: "<html>Log in to this network</html>" },
  hung: { kind: "silent" },
  reset: { kind: "reset" },
  purse_empty: geminiError(402, "FAILED_PRECONDITION", "Your prepayment credits are depleted."),
  key_refused: geminiError(403, "PERMISSION_DENIED", "The key is refused."),
  refusing: geminiError(400, "INVALID_ARGUMENT", 'Unknown name "thinkingConfig" at generation_config.'),
} as const satisfies Record<string, WireReply>;

export const TAVILY_STORMS = {
  plan_limit: tavilyError(432, "This request exceeds your plan's set usage limit."),
  payg_limit: tavilyError(433, "This request exceeds the pay-as-you-go limit."),
  key_refused: tavilyError(401, "Unauthorized: missing or invalid API key."),
  told_to_wait: tavilyError(429, "Your request has been blocked due to excessive requests.", {
    "retry-after": "60",
  }),
  failing: tavilyError(500, "Internal Server Error"),
  hung: { kind: "silent" },
  reset: { kind: "reset" },
} as const satisfies Record<string, WireReply>;

export type GeminiStorm = keyof typeof GEMINI_STORMS;
export type TavilyStorm = keyof typeof TAVILY_STORMS;

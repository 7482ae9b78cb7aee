/**
 * Simulated tokens: what the configured model would have counted for the same work, so that a session on the
 * offline analyst shows realistic money. Nothing is sent and nobody is paid.
 */
import type { TokenBound, TokenUsage } from "../port.ts";
import type { Verdict } from "../schema.ts";

/** Tokens of instructions and schema before the article: an assumed size, about 2,000 characters of prompt. */
export const PROMPT_OVERHEAD_TOKENS = 450;
/** Assumed for English prose on Gemini's tokeniser, whose guide value is about four characters a token. */
export const BYTES_PER_INPUT_TOKEN = 4.3;
/** JSON is denser in marks, so a token covers less of it. */
export const CHARS_PER_OUTPUT_TOKEN = 4;
/** More than the longest analysis the schema lets the rules write. */
export const MAX_OUTPUT_TOKENS = 2048;

/** Of a validation: instructions, the claim, and at most this much of all sources. */
export const MAX_VALIDATION_BYTES = 16_000;
export const MAX_VERDICT_TOKENS = 256;

/** A token covers at least one byte, so no text of that size can take more. */
export function boundUsage(utf8Bytes: number): TokenBound {
  return { inputTokens: PROMPT_OVERHEAD_TOKENS + utf8Bytes, outputTokens: MAX_OUTPUT_TOKENS };
}

export function boundValidation(): TokenBound {
  return { inputTokens: PROMPT_OVERHEAD_TOKENS + MAX_VALIDATION_BYTES, outputTokens: MAX_VERDICT_TOKENS };
}

export function simulateUsage(inputBytes: number, answer: object): TokenUsage {
  return {
    inputTokens: PROMPT_OVERHEAD_TOKENS + Math.ceil(inputBytes / BYTES_PER_INPUT_TOKEN),
    outputTokens: Math.ceil(JSON.stringify(answer).length / CHARS_PER_OUTPUT_TOKEN),
    thoughtTokens: 0,
    cachedTokens: 0,
  };
}

/** A verdict is one short line, far under MAX_VERDICT_TOKENS. */
export function simulateValidationUsage(inputBytes: number, verdict: Verdict): TokenUsage {
  return simulateUsage(Math.min(inputBytes, MAX_VALIDATION_BYTES), verdict);
}

const encoder = new TextEncoder();

export function countBytes(...texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + encoder.encode(text).length, 0);
}

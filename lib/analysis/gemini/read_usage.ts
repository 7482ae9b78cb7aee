/** Reads the bill out of an answer. Doubt is settled upwards or not at all, never by a guess that understates. */
import { z } from "zod";
import type { TokenUsage } from "../port.ts";

/** Ten times the largest context window of the Gemini models (1,048,576 tokens, Nov 2026): no call can use more. */
const MAX_PLAUSIBLE_TOKENS = 10_485_760;

const tokens = z.number().int().min(0).max(MAX_PLAUSIBLE_TOKENS);
/** Gemini leaves out counts of zero, as its JSON encoding does with every default. */
const omittedTokens = tokens.default(0);

const usageSchema = z.object({
  promptTokenCount: tokens.min(1),
  candidatesTokenCount: tokens.optional(),
  thoughtsTokenCount: omittedTokens,
  toolUsePromptTokenCount: omittedTokens,
  cachedContentTokenCount: omittedTokens,
  totalTokenCount: tokens.optional(),
});

/**
 * The tokens of `usageMetadata`, or null when it is missing or cannot be right; the call then settles at its hold.
 * A missing candidate count is taken from the total, and a total above the sum of the parts counts as output, the
 * dearer side. Cached tokens are part of the prompt; a cached count above it is ignored, so that full price is paid.
 */
export function readUsage(usageMetadata: unknown): TokenUsage | null {
  const parsed = usageSchema.safeParse(usageMetadata);
  if (!parsed.success) return null;
  const counts = parsed.data;
  if (counts.candidatesTokenCount === undefined && counts.totalTokenCount === undefined) return null;
  const inputTokens = counts.promptTokenCount + counts.toolUsePromptTokenCount;
  const fromParts = (counts.candidatesTokenCount ?? 0) + counts.thoughtsTokenCount;
  const fromTotal = (counts.totalTokenCount ?? 0) - inputTokens;
  return {
    inputTokens,
    outputTokens: Math.max(fromParts, fromTotal),
    thoughtTokens: counts.thoughtsTokenCount,
    cachedTokens: counts.cachedContentTokenCount <= inputTokens ? counts.cachedContentTokenCount : 0,
  };
}

/** The model an answer names, for example "gemini-3.1-flash-lite"; null when it names none or an odd one. */
export function readModelVersion(modelVersion: unknown): string | null {
  if (typeof modelVersion !== "string") return null;
  const name = modelVersion.replace(/^models\//, "");
  return /^[\w.-]{1,80}$/.test(name) ? name : null;
}

/** The two questions Gemini is asked, and the version that names them. */
import { createHash } from "node:crypto";
import {
  ANALYSIS_INSTRUCTION,
  buildArticlePrompt,
  buildValidationPrompt,
  VALIDATION_INSTRUCTION,
} from "../prompt.ts";
import { analysisSchema, verdictSchema } from "../schema.ts";
import type { Question } from "./build_request.ts";
import { writtenAnalysisSchema } from "./entity_text.ts";
import { toJsonSchema, toResponseSchema } from "./response_schema.ts";

/**
 * Tokens. Four times the fullest answer that is asked for (test/bench/cost.ts), so that one laid out over many lines and
 * a little thinking fit; part of every hold, so not more.
 */
export const MAX_ANALYSIS_TOKENS = 1_536;
/** Tokens. A verdict takes about 60. */
export const MAX_VERDICT_TOKENS = 512;

/** The forms answers are trimmed to before they are checked. */
export const ANALYSIS_FORM = toJsonSchema(analysisSchema);
export const VERDICT_FORM = toJsonSchema(verdictSchema);

export const ANALYSIS_QUESTION: Question = {
  instruction: ANALYSIS_INSTRUCTION,
  schema: toResponseSchema(toJsonSchema(writtenAnalysisSchema)),
  maxOutputTokens: MAX_ANALYSIS_TOKENS,
};

export const VALIDATION_QUESTION: Question = {
  instruction: VALIDATION_INSTRUCTION,
  schema: toResponseSchema(VERDICT_FORM),
  maxOutputTokens: MAX_VERDICT_TOKENS,
};

/**
 * Names the prompts and schemas that make an analysis. It is computed from them, with a sample of each user part, so
 * that no change of either can keep the old name.
 */
export const PROMPT_VERSION = `p-${
  createHash("sha256").update(JSON.stringify([
    ANALYSIS_QUESTION,
    ANALYSIS_FORM,
    buildArticlePrompt({ title: "t", body: "b" }),
    VALIDATION_QUESTION,
    VERDICT_FORM,
    buildValidationPrompt("c", [{
      title: "t",
      url: "https://h.test",
      published_at: null,
      score: null,
      excerpt: "e",
    }]),
  ])).digest("hex").slice(0, 10)
}`;

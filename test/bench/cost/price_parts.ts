/** What an analysis costs, part by part: what goes in with every article, the article, and what comes out. */
import { ANALYSIS_QUESTION } from "../../../lib/analysis/gemini/questions.ts";
import { buildArticlePrompt } from "../../../lib/analysis/prompt.ts";
import { requirePrice } from "../../../lib/budget/prices.ts";
import { asWritten } from "../../fakes/plausible_analysis.ts";
import type { CountTokens } from "./estimate_tokens.ts";
import { FULLEST_ANSWER, TYPICAL_ANSWER } from "./reference_answers.ts";

/** Marks of roles and turns around the parts; nobody outside can count them. */
const TURN_TOKENS = 20;

export interface Part {
  name: string;
  direction: "in" | "out";
  tokens: number;
}

/** The parts of the request that are the same for every article. */
export function fixedParts(count: CountTokens): Part[] {
  const { instruction, schema } = ANALYSIS_QUESTION;
  return [
    { name: "instruction", direction: "in", tokens: count(instruction) },
    { name: "schema, as JSON", direction: "in", tokens: count(JSON.stringify(schema)) },
    {
      name: "frame of the article and turns",
      direction: "in",
      tokens: count(buildArticlePrompt({ title: "", body: "" })) + TURN_TOKENS,
    },
  ];
}

/** The answer field by field; a field counts with its name and marks. */
export function answerParts(count: CountTokens, answer = TYPICAL_ANSWER): Part[] {
  const fields = Object.entries(JSON.parse(asWritten(answer)) as Record<string, unknown>);
  return fields.map(([name, value]) => ({
    name: `answer: ${name}`,
    direction: "out",
    tokens: count(JSON.stringify({ [name]: value }).slice(1)),
  }));
}

export interface AnswerTokens {
  /** Every field filled, one signal. */
  typical: number;
  /** As much as the instruction allows. */
  fullest: number;
  /** The typical one, had the model laid it out over lines: what "minified" in the instruction is worth. */
  overLines: number;
}

export function answerTokens(count: CountTokens): AnswerTokens {
  return {
    typical: count(asWritten(TYPICAL_ANSWER)),
    fullest: count(asWritten(FULLEST_ANSWER)),
    overLines: count(JSON.stringify(JSON.parse(asWritten(TYPICAL_ANSWER)), null, 2)),
  };
}

/** Dollars, from the price list. @param at Prices have dates. */
export function priceTokens(
  model: string,
  inputTokens: number,
  outputTokens: number,
  at: Date = new Date(),
): number {
  const { perMillion } = requirePrice(model, at, null);
  return (inputTokens * perMillion.input + outputTokens * perMillion.output) / 1e6;
}

/** The hold of an article of so many bytes: nothing can cost more. Dollars. */
export function priceWorst(model: string, utf8Bytes: number, bound: (bytes: number) => number): number {
  return priceTokens(model, bound(utf8Bytes), ANALYSIS_QUESTION.maxOutputTokens);
}

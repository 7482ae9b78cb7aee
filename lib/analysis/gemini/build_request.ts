/** The body of a generateContent request, checked against the SDK's types, and what depends on the model's family. */
import { Buffer } from "node:buffer";
import type { GenerateContentRequest, GenerationConfig, ResponseSchema } from "@google/generative-ai";

/** What a kind of question (analysis, validation) always sends. */
export interface Question {
  instruction: string;
  schema: ResponseSchema;
  /** Limit of the answer in tokens, thoughts included: Gemini counts both against maxOutputTokens. */
  maxOutputTokens: number;
}

/** The SDK stopped before thinking models came (0.24.1); the API takes these in generationConfig. */
interface ThinkingConfig {
  thinkingBudget?: number;
  thinkingLevel?: "MINIMAL" | "LOW";
}

/**
 * The least thinking a model allows: extraction needs none, and thoughts are paid as output. Gemini 2.5 takes a budget
 * (0 is off; Pro cannot go under 128), Gemini 3 a level (Pro has no MINIMAL); naming both is refused with a 400.
 * Temperature is lowered for 2.5 only: Gemini 3 is tuned for its default, and 3.5-flash-lite ignores the value
 * (model pages, Nov 2026). Models of other names are left at their defaults, bounded by maxOutputTokens.
 */
function familySettings(model: string): { temperature?: number; thinkingConfig?: ThinkingConfig } {
  const isPro = model.includes("-pro");
  if (model.startsWith("gemini-2.5-")) {
    return { temperature: 0.2, thinkingConfig: { thinkingBudget: isPro ? 128 : 0 } };
  }
  if (/^gemini-3[.-]/.test(model)) return { thinkingConfig: { thinkingLevel: isPro ? "LOW" : "MINIMAL" } };
  return {};
}

/** What the SDK is asked to send. `userText` is the only place for anything strangers wrote. */
export function buildRequest(model: string, question: Question, userText: string): GenerateContentRequest {
  const generationConfig: GenerationConfig & { thinkingConfig?: ThinkingConfig } = {
    responseMimeType: "application/json",
    responseSchema: question.schema,
    maxOutputTokens: question.maxOutputTokens,
    ...familySettings(model),
  };
  return {
    systemInstruction: { role: "system", parts: [{ text: question.instruction }] },
    contents: [{ role: "user", parts: [{ text: userText }] }],
    generationConfig,
  };
}

/**
 * The most input tokens a question can take with a user text of `userBytes` of UTF-8. A token of Gemini's tokenizer
 * (SentencePiece with byte fallback) covers at least one byte of text, so bytes bound tokens. The user text goes into
 * the model as it is: JSON escapes exist on the wire only. The schema counts with its JSON text. 64 tokens are room
 * for what marks roles and turns.
 */
export function boundInput(question: Question, userBytes: number): number {
  return countFixedBytes(question) + userBytes + 64;
}

/** Asked for every article of a plan and again before each request; the same for all of them. */
const fixedBytes = new WeakMap<Question, number>();

function countFixedBytes(question: Question): number {
  const known = fixedBytes.get(question);
  if (known !== undefined) return known;
  const bytes = Buffer.byteLength(question.instruction + JSON.stringify(question.schema));
  fixedBytes.set(question, bytes);
  return bytes;
}

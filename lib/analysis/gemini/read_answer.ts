/** Reads an HTTP 200 answer: the JSON value the model wrote, or the failure row, and in either case the bill. */
import { FinishReason } from "@google/generative-ai";
import { z } from "zod";
import type { Finding } from "../failures.ts";
import type { TokenUsage } from "../port.ts";
import { readModelVersion, readUsage } from "./read_usage.ts";

export interface Bill {
  usage: TokenUsage | null;
  answeredModel: string | null;
}

export type Reading = Bill & ({ json: unknown } | { finding: Finding<"gemini"> });

const partSchema = z.object({ text: z.string().optional(), thought: z.boolean().optional() });
const candidateSchema = z.object({
  content: z.object({ parts: z.array(partSchema).optional() }).optional(),
  finishReason: z.string().optional(),
});
const billSchema = z.object({ usageMetadata: z.unknown(), modelVersion: z.unknown() });
const answerSchema = z.object({
  candidates: z.array(candidateSchema).optional(),
  promptFeedback: z.object({ blockReason: z.string().optional() }).optional(),
});

/** The finish reasons that name a content filter. */
const SAFETY_REASONS: ReadonlySet<string> = new Set([
  FinishReason.SAFETY,
  FinishReason.BLOCKLIST,
  FinishReason.PROHIBITED_CONTENT,
  FinishReason.SPII,
]);
const FINISHED: ReadonlySet<string> = new Set([
  FinishReason.STOP,
  FinishReason.MAX_TOKENS,
  FinishReason.FINISH_REASON_UNSPECIFIED,
]);

/** Never throws, whatever the body holds. */
export function readAnswer(body: string): Reading {
  const outer = parseJson(body);
  const parsedBill = billSchema.safeParse(outer);
  const bill: Bill = {
    usage: parsedBill.success ? readUsage(parsedBill.data.usageMetadata) : null,
    answeredModel: parsedBill.success ? readModelVersion(parsedBill.data.modelVersion) : null,
  };
  const answer = answerSchema.safeParse(outer);
  const known = answer.success &&
    (answer.data.candidates ?? answer.data.promptFeedback ?? parsedBill.data?.usageMetadata) !== undefined;
  if (!known) return { ...bill, finding: { failure: "malformed_response" } };

  const candidate = answer.data.candidates?.[0];
  const blockReason = answer.data.promptFeedback?.blockReason;
  if (!candidate && blockReason) {
    return { ...bill, finding: { failure: "prompt_blocked", detail: blockReason } };
  }
  const reason = candidate?.finishReason ?? FinishReason.STOP;
  if (!FINISHED.has(reason)) return { ...bill, finding: classifyFinish(reason) };

  const text = (candidate?.content?.parts ?? [])
    .map((part) => part.thought ? "" : part.text ?? "").join("").trim();
  const wasCut = reason === FinishReason.MAX_TOKENS;
  if (text === "") return { ...bill, finding: { failure: wasCut ? "cut_off" : "empty_answer" } };
  const json = parseJson(text.replace(/^```(?:json)?\s*|\s*```$/g, ""));
  if (json === undefined) return { ...bill, finding: { failure: wasCut ? "cut_off" : "not_json" } };
  return { ...bill, json };
}

function classifyFinish(reason: string): Finding<"gemini"> {
  if (SAFETY_REASONS.has(reason)) return { failure: "blocked_safety", detail: reason };
  if (reason === FinishReason.RECITATION) return { failure: "blocked_recitation" };
  return { failure: "stopped", detail: reason };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

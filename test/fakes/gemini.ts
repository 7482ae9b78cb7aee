/** A fake of Gemini's generateContent on 127.0.0.1, over real HTTP. */
import { Buffer } from "node:buffer";
import { asWritten, writePlausibleAnalysis } from "./plausible_analysis.ts";
import {
  startWireServer,
  type WireOptions,
  type WireReply,
  type WireRequest,
  type WireServer,
} from "./wire_server.ts";

export interface FakeGeminiOptions extends WireOptions {
  /** Passes before every answer (ms, default 0). */
  latencyMs?: number;
  /** What to do with a request; null or nothing gives the default answer. */
  script?: (request: WireRequest) => WireReply | null | Promise<WireReply | null>;
}

export interface GeminiRequestBody {
  systemInstruction: { parts: { text: string }[] };
  contents: { role: string; parts: { text: string }[] }[];
  generationConfig: Record<string, unknown>;
}

/** A token is taken for four bytes, as it is for English prose. */
const BYTES_PER_TOKEN = 4;

/** Starts the fake. By default it answers every article with a valid analysis and every validation with a verdict. */
export function startFakeGemini(options: FakeGeminiOptions = {}): Promise<WireServer> {
  return startWireServer(async (request) => {
    const scripted = await options.script?.(request);
    const reply = scripted ?? answerDefault(request);
    return options.latencyMs ? { delayMs: options.latencyMs, ...reply } : reply;
  }, options);
}

/** The parsed body of a recorded request. */
export function readGeminiBody(request: WireRequest): GeminiRequestBody {
  return JSON.parse(request.body);
}

function answerDefault(request: WireRequest): WireReply {
  const question = readQuestion(request);
  if (!question) return geminiError(404, "NOT_FOUND", "models/unknown is not found");
  const { kind, model, inside, promptBytes } = question;
  const text = kind === "analysis"
    ? asWritten(writePlausibleAnalysis(...splitArticle(inside)))
    : JSON.stringify({ status: "VALIDATED", reason: "Several results report the same." });
  return geminiAnswer({ text, model, promptBytes });
}

export interface GeminiQuestion {
  kind: "analysis" | "validation";
  model: string;
  /** The untrusted part, between its tags. */
  inside: string;
  promptBytes: number;
}

/** What a request asks; null when it is no generateContent. Anything may stand before `/v1beta` in its path. */
export function readQuestion(request: WireRequest): GeminiQuestion | null {
  const model = /\/v1beta\/models\/([\w.-]+):generateContent$/.exec(request.path)?.[1];
  if (!model) return null;
  const { systemInstruction, contents, generationConfig } = readGeminiBody(request);
  const userText = contents[0]!.parts[0]!.text;
  const isArticle = "summary" in (generationConfig.responseSchema as { properties: object }).properties;
  const instruction = systemInstruction.parts[0]!.text + JSON.stringify(generationConfig.responseSchema);
  return {
    kind: isArticle ? "analysis" : "validation",
    model,
    inside: userText.slice(userText.indexOf("\n") + 1, userText.lastIndexOf("\n")),
    promptBytes: Buffer.byteLength(instruction + userText),
  };
}

/** Title and body of what an analysis is asked about. */
export function splitArticle(inside: string): [string, string] {
  const titleEnd = inside.indexOf("\n\n");
  return [inside.slice("Title: ".length, titleEnd), inside.slice(titleEnd + 2)];
}

export interface GeminiAnswer {
  /** What the model wrote. */
  text: string;
  model?: string;
  finishReason?: string;
  promptBytes?: number;
  /** Overrides fields of usageMetadata; null leaves it out. */
  usage?: Record<string, unknown> | null;
}

/** An HTTP 200 answer as Gemini gives it. */
export function geminiAnswer(answer: GeminiAnswer): WireReply {
  const promptTokenCount = Math.ceil((answer.promptBytes ?? 8000) / BYTES_PER_TOKEN);
  const candidatesTokenCount = Math.ceil(answer.text.length / BYTES_PER_TOKEN);
  const usage = {
    promptTokenCount,
    candidatesTokenCount,
    totalTokenCount: promptTokenCount + candidatesTokenCount,
  };
  return geminiJson({
    candidates: [{
      content: { role: "model", parts: [{ text: answer.text }] },
      finishReason: answer.finishReason ?? "STOP",
      index: 0,
    }],
    ...(answer.usage !== null && { usageMetadata: answer.usage ?? usage }),
    modelVersion: answer.model ?? "gemini-3.1-flash-lite",
  });
}

/** HTTP 200 with any JSON. */
export function geminiJson(json: unknown): WireReply {
  return { kind: "answer", status: 200, body: JSON.stringify(json) };
}

/** An error as Google's APIs give it. */
export function geminiError(
  status: number,
  word: string,
  message: string,
  details: unknown[] = [],
  headers: Record<string, string> = {},
): WireReply {
  const error = { code: status, message, status: word, ...(details.length > 0 && { details }) };
  return { kind: "answer", status, headers, body: JSON.stringify({ error }) };
}

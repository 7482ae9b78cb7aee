/**
 * Gemini and Tavily as they are on a bad day: slow, failing and lost answers, drawn from a seed. They keep a record of
 * every request that arrived: about which article, through which door, what became of it, and what they charge for it.
 */
import {
  geminiAnswer,
  geminiError,
  geminiJson,
  type GeminiQuestion,
  readQuestion,
  splitArticle,
  startFakeGemini,
} from "./gemini.ts";
import { writePlausibleAnalysis } from "./plausible_analysis.ts";
import { createRandom } from "../../notebooks/fixture/random.ts";
import { startFakeTavily, tavilyAnswer, tavilyError, tavilyJson } from "./tavily.ts";
import { drawFate, type Fate, type Trouble, type TroubleMix, UNBILLED } from "./trouble.ts";
import type { WireReply, WireRequest } from "./wire_server.ts";

export interface SeenRequest {
  kind: "analysis" | "search" | "validation";
  /** The number in the article's mark; null for a request without one. */
  article: number | null;
  /** What stood in the path before the API's own part: which process sent it. */
  door: string;
  /** ms since 1970. */
  arrivedAt: number;
  /** When the answer is due to leave, or what comes in its place. Infinity: never. */
  answersAt: number;
  trouble: Trouble;
  /** What the provider charges; null: nothing. */
  bill: { inputTokens: number; outputTokens: number; credits: number } | null;
  /** Whether the answer says it. */
  billTold: boolean;
}

export interface UnreliableOptions {
  seed: string;
  mix: TroubleMix;
  /** Mean delay of an answer, ms. */
  meanMs: number;
}

export interface UnreliableProviders {
  geminiUrl: string;
  tavilyUrl: string;
  requests: readonly SeenRequest[];
  /** Called at every arrival; returns how to stop listening. */
  onArrival(listener: (request: SeenRequest) => void): () => void;
  close(): Promise<void>;
}

/** What a title is marked with, so that everything made from it can be told apart; also what a claim begins with. */
export function markOf(article: number): string {
  return `[n${article}]`;
}

/** "told to wait" means this long, s. */
const WAIT_TOLD_S = 1;

export async function startUnreliableProviders(options: UnreliableOptions): Promise<UnreliableProviders> {
  const requests: SeenRequest[] = [];
  const listeners = new Set<(request: SeenRequest) => void>();
  const turns = new Map<string, number>();
  const see = (request: Pick<SeenRequest, "kind" | "door">, text: string): [SeenRequest, Fate] => {
    const mark = /\[n(\d+)\]/.exec(text)?.[1];
    const article = mark === undefined ? null : Number(mark);
    const key = `${request.kind} ${article}`;
    const turn = (turns.get(key) ?? 0) + 1;
    turns.set(key, turn);
    const fate = drawFate(createRandom(`${options.seed} ${key} ${turn}`), options.mix, options.meanMs);
    const arrivedAt = Date.now();
    const seen: SeenRequest = {
      ...request,
      article,
      arrivedAt,
      answersAt: fate.trouble === "silent" ? Infinity : arrivedAt + fate.delayMs,
      trouble: fate.trouble,
      bill: null,
      billTold: false,
    };
    requests.push(seen);
    listeners.forEach((listener) => listener(seen));
    return [seen, fate];
  };

  const gemini = await startFakeGemini({
    record: false,
    script(request) {
      const question = readQuestion(request);
      if (!question) return null;
      const [seen, fate] = see({ kind: question.kind, door: doorOf(request, "/v1beta/") }, question.inside);
      const answer = answerQuestion(question, requests.length, fate.trouble === "garbage");
      if (!UNBILLED.has(fate.trouble)) seen.bill = { ...answer.usage, credits: 0 };
      seen.billTold = fate.trouble === "none" || fate.trouble === "garbage";
      return { ...treatGemini(answer.reply, fate.trouble), delayMs: fate.delayMs };
    },
  });
  const tavily = await startFakeTavily({
    record: false,
    script(request) {
      const { query } = JSON.parse(request.body) as { query: string };
      const [seen, fate] = see({ kind: "search", door: doorOf(request, "/search") }, query);
      if (!UNBILLED.has(fate.trouble)) seen.bill = { inputTokens: 0, outputTokens: 0, credits: 1 };
      seen.billTold = fate.trouble === "none";
      return { ...treatTavily(query, fate.trouble), delayMs: fate.delayMs };
    },
  });
  return {
    geminiUrl: gemini.url,
    tavilyUrl: tavily.url,
    requests,
    onArrival(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await gemini.close();
      await tavily.close();
    },
  };
}

function doorOf(request: WireRequest, api: string): string {
  return request.path.slice(0, request.path.indexOf(api)).replace(/^\//, "");
}

/** The serial number goes into the usage: a settled call then names the very answer that it was settled with. */
function answerQuestion(question: GeminiQuestion, serial: number, garbage: boolean) {
  const { kind, model, inside, promptBytes } = question;
  const text = garbage ? "I would rather not say." : JSON.stringify(
    kind === "analysis"
      ? analyse(inside)
      : { status: "VALIDATED", reason: "Several results report the same." },
  );
  const usage = { inputTokens: Math.ceil(promptBytes / 4), outputTokens: 100 + serial % 400 };
  const reply = geminiAnswer({
    text,
    model,
    usage: {
      promptTokenCount: usage.inputTokens,
      candidatesTokenCount: usage.outputTokens,
      totalTokenCount: usage.inputTokens + usage.outputTokens,
    },
  });
  return { reply, usage };
}

/** A claim that carries the article's mark on into search and validation. */
function analyse(inside: string) {
  const [title, body] = splitArticle(inside);
  const analysis = writePlausibleAnalysis(title, body);
  const mark = /\[n\d+\]/.exec(title)?.[0] ?? "";
  return {
    ...analysis,
    weak_signals: analysis.weak_signals.map((signal) => ({
      ...signal,
      description: `${mark} ${signal.description}`,
    })),
  };
}

function treatGemini(answer: WireReply, trouble: Trouble): WireReply {
  switch (trouble) {
    case "none":
    case "garbage":
      return answer;
    case "failed":
      return geminiError(500, "INTERNAL", "An internal error has occurred.");
    case "overloaded":
      return geminiError(503, "UNAVAILABLE", "The model is overloaded. Please try again later.");
    case "told_to_wait":
      return geminiError(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted.", [
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${WAIT_TOLD_S}s` },
      ]);
    case "turned_away":
      return geminiError(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted.");
    case "nonsense":
      return geminiJson({ hello: "world" });
    default:
      return loseAnswer(answer, trouble);
  }
}

function treatTavily(query: string, trouble: Trouble): WireReply {
  const answer = tavilyAnswer([{
    title: "A report",
    url: "https://news.example/report",
    content: `A report on: ${query}`,
    score: 0.9,
    published_date: "Mon, 02 Nov 2026 10:00:00 GMT",
    raw_content: null,
  }]);
  switch (trouble) {
    case "none":
      return answer;
    case "failed":
    case "overloaded":
      return tavilyError(500, "Internal error");
    case "told_to_wait":
    case "turned_away":
      return tavilyError(429, "Too many requests", { "retry-after": String(WAIT_TOLD_S) });
    case "garbage":
    case "nonsense":
      return tavilyJson({ hello: "world" });
    default:
      return loseAnswer(answer, trouble);
  }
}

function loseAnswer(answer: WireReply, trouble: "reset" | "closed" | "cut" | "silent"): WireReply {
  if (trouble === "reset") return { kind: "reset" };
  if (trouble === "closed") return { kind: "close" };
  if (trouble === "silent" || answer.kind !== "answer") return { kind: "silent" };
  return { kind: "cut", status: answer.status, body: answer.body };
}

/** Every row of the failure table is reached over real HTTP: the provider's answer on the left, the row on the right. */
import { afterAll, describe, expect, it } from "vitest";
import {
  DEFAULT_WAIT_MS,
  describeFailure,
  FAILURES,
  MAX_WAIT_MS,
  MIN_WAIT_MS,
  msToNextQuotaDay,
} from "../../lib/analysis/failures.ts";
import { createGeminiAnalyst } from "../../lib/analysis/gemini/analyst.ts";
import type { ArticleText } from "../../lib/analysis/port.ts";
import { readRetryAfter } from "../../lib/http/retry_after.ts";
import { MAX_ANSWER_BYTES } from "../../lib/http/send_once.ts";
import { createTavilyResearcher } from "../../lib/analysis/tavily/researcher.ts";
import { micros } from "../../lib/money.ts";
import { geminiAnswer, geminiError, geminiJson, startFakeGemini } from "../fakes/gemini.ts";
import { startFakeTavily, tavilyError, tavilyJson } from "../fakes/tavily.ts";
import type { WireReply } from "../fakes/wire_server.ts";

const KEY = "key-that-nobody-may-see";
const ARTICLE: ArticleText = {
  id: 1,
  title: "Fees",
  body: "Miners saw fees rise on Monday. Nobody knows why.",
  source: "test",
  url: null,
  publishedAt: null,
};
const never = new AbortController().signal;
/** A port that refuses: it was free a moment ago and is closed again. */
const refusing = await startFakeGemini();
await refusing.close();

const retryInfo = (retryDelay: string) => ({
  "@type": "type.googleapis.com/google.rpc.RetryInfo",
  retryDelay,
});
const quota = (quotaId: string) => ({
  "@type": "type.googleapis.com/google.rpc.QuotaFailure",
  violations: [{ quotaMetric: "generativelanguage.googleapis.com/generate_content_requests", quotaId }],
});
const exhausted = (...details: unknown[]) =>
  geminiError(429, "RESOURCE_EXHAUSTED", "Quota exceeded", details);
const finished = (finishReason: string, text = "") => geminiAnswer({ text, finishReason });
const huge: WireReply = { kind: "answer", status: 200, body: " ".repeat(MAX_ANSWER_BYTES + 1) };

interface Row {
  when: string;
  reply?: WireReply;
  word: string;
  waitMs?: number;
  /** How the call is made: a short own timeout, stopped by its caller for either reason, or at a port that refuses. */
  how?: "timeout" | "cancel" | "deadline" | "refused";
}

const GEMINI_ROWS: Row[] = [
  { when: "429 that says 31s", reply: exhausted(retryInfo("31s")), word: "rate_limited", waitMs: 31_000 },
  {
    when: "429 that says 0.5s",
    reply: exhausted(retryInfo("0.5s")),
    word: "rate_limited",
    waitMs: MIN_WAIT_MS,
  },
  { when: "429 that says nothing", reply: exhausted(), word: "rate_limited", waitMs: DEFAULT_WAIT_MS },
  {
    when: "429 that says nonsense",
    reply: exhausted(retryInfo("soon"), "?", null),
    word: "rate_limited",
    waitMs: DEFAULT_WAIT_MS,
  },
  {
    when: "429 that says 90 days",
    reply: exhausted(retryInfo("7776000s")),
    word: "rate_limited",
    waitMs: MAX_WAIT_MS,
  },
  {
    when: "429 with a Retry-After header",
    reply: geminiError(429, "RESOURCE_EXHAUSTED", "slow down", [], { "retry-after": "12" }),
    word: "rate_limited",
    waitMs: 12_000,
  },
  {
    when: "429 of a minute's quota",
    reply: exhausted(quota("GenerateRequestsPerMinutePerProjectPerModel"), retryInfo("7s")),
    word: "rate_limited",
    waitMs: 7_000,
  },
  {
    when: "429 of the daily quota, retry info or not",
    reply: exhausted(quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), retryInfo("31s")),
    word: "quota_exhausted",
  },
  {
    when: "429 for an empty purse",
    reply: geminiError(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."),
    word: "purse_empty",
  },
  { when: "402", reply: geminiError(402, "PAYMENT_REQUIRED", "No credit"), word: "purse_empty" },
  { when: "401", reply: geminiError(401, "UNAUTHENTICATED", "No"), word: "key_refused" },
  { when: "403", reply: geminiError(403, "PERMISSION_DENIED", "No"), word: "key_refused" },
  {
    when: "400 with the reason API_KEY_INVALID",
    reply: geminiError(400, "INVALID_ARGUMENT", "No", [{ reason: "API_KEY_INVALID" }]),
    word: "key_refused",
  },
  {
    when: "400 of a region without service",
    reply: geminiError(400, "FAILED_PRECONDITION", "User location is not supported"),
    word: "not_available",
  },
  { when: "400", reply: geminiError(400, "INVALID_ARGUMENT", "Too long"), word: "bad_request" },
  { when: "413 in HTML", reply: { kind: "answer", status: 413, body: "<html>" }, word: "bad_request" },
  { when: "404", reply: geminiError(404, "NOT_FOUND", "No such model"), word: "model_not_found" },
  { when: "500", reply: geminiError(500, "INTERNAL", "Oops"), word: "provider_error" },
  {
    when: "500 whose body is cut",
    reply: { kind: "cut", status: 500, body: "{......}" },
    word: "provider_error",
  },
  { when: "502", reply: { kind: "answer", status: 502, body: "Bad Gateway" }, word: "gateway_error" },
  { when: "504", reply: geminiError(504, "DEADLINE_EXCEEDED", "Too slow"), word: "gateway_error" },
  { when: "503", reply: geminiError(503, "UNAVAILABLE", "Overloaded"), word: "overloaded" },
  {
    when: "503 with a Retry-After header",
    reply: geminiError(503, "UNAVAILABLE", "Overloaded", [], { "retry-after": "20" }),
    word: "come_back_later",
    waitMs: 20_000,
  },
  { when: "529", reply: { kind: "answer", status: 529, body: "" }, word: "unexpected_status" },
  {
    when: "307",
    reply: { kind: "answer", status: 307, body: "", headers: { location: "/elsewhere" } },
    word: "redirected",
  },
  {
    when: "a blocked prompt",
    reply: geminiJson({ promptFeedback: { blockReason: "PROHIBITED_CONTENT" }, usageMetadata: {} }),
    word: "prompt_blocked",
  },
  { when: "finish reason SAFETY", reply: finished("SAFETY"), word: "blocked_safety" },
  { when: "finish reason PROHIBITED_CONTENT", reply: finished("PROHIBITED_CONTENT"), word: "blocked_safety" },
  { when: "finish reason RECITATION", reply: finished("RECITATION"), word: "blocked_recitation" },
  { when: "finish reason OTHER", reply: finished("OTHER"), word: "stopped" },
  { when: "a finish reason of tomorrow", reply: finished("TIRED"), word: "stopped" },
  { when: "MAX_TOKENS with cut JSON", reply: finished("MAX_TOKENS", '{"summary":"A'), word: "cut_off" },
  { when: "MAX_TOKENS without text", reply: finished("MAX_TOKENS"), word: "cut_off" },
  { when: "no text", reply: finished("STOP"), word: "empty_answer" },
  {
    when: "empty parts",
    reply: geminiJson({ candidates: [{ content: { parts: [] } }] }),
    word: "empty_answer",
  },
  { when: "no candidates", reply: geminiJson({ candidates: [] }), word: "empty_answer" },
  { when: "prose", reply: finished("STOP", "Here is my analysis."), word: "not_json" },
  { when: "JSON off the schema", reply: finished("STOP", '{"sentiment":"BULLISH"}'), word: "off_schema" },
  {
    when: "200 with a web page",
    reply: { kind: "answer", status: 200, body: "<html>" },
    word: "malformed_response",
  },
  { when: "200 with other JSON", reply: geminiJson({ hello: 1 }), word: "malformed_response" },
  { when: "200 without end", reply: huge, word: "answer_too_large" },
  { when: "a reset", reply: { kind: "reset" }, word: "connection_lost" },
  { when: "a close without an answer", reply: { kind: "close" }, word: "connection_lost" },
  { when: "a cut answer", reply: { kind: "cut", status: 200, body: "{......}" }, word: "connection_lost" },
  { when: "bytes that are not HTTP", reply: { kind: "raw", bytes: "?\r\n\r\n" }, word: "connection_lost" },
  { when: "silence", reply: { kind: "silent" }, word: "timed_out", how: "timeout" },
  {
    when: "half an answer, then silence",
    reply: { kind: "stall", status: 200, body: "{..}" },
    word: "timed_out",
    how: "timeout",
  },
  { when: "a caller who stops", reply: { kind: "silent" }, word: "cancelled", how: "cancel" },
  { when: "a caller whose time is up", reply: { kind: "silent" }, word: "timed_out", how: "deadline" },
  { when: "a refused connection", word: "not_sent", how: "refused" },
];

const TAVILY_ROWS: Row[] = [
  { when: "401", reply: tavilyError(401, "Unauthorized"), word: "key_refused" },
  { when: "403", reply: tavilyError(403, "Forbidden"), word: "key_refused" },
  { when: "404", reply: tavilyError(404, "Not Found"), word: "not_found" },
  { when: "429", reply: tavilyError(429, "Too many"), word: "rate_limited", waitMs: DEFAULT_WAIT_MS },
  {
    when: "429 with a Retry-After header",
    reply: tavilyError(429, "Too many", { "retry-after": "3" }),
    word: "rate_limited",
    waitMs: 3_000,
  },
  { when: "432", reply: tavilyError(432, "Plan limit"), word: "plan_limit" },
  { when: "433", reply: tavilyError(433, "Paygo limit"), word: "payg_limit" },
  { when: "400", reply: tavilyError(400, "Query is too long"), word: "bad_request" },
  { when: "422", reply: { kind: "answer", status: 422, body: '{"detail":"no"}' }, word: "bad_request" },
  { when: "500", reply: tavilyError(500, "Internal"), word: "provider_error" },
  { when: "600", reply: { kind: "answer", status: 600, body: "" }, word: "unexpected_status" },
  {
    when: "308",
    reply: { kind: "answer", status: 308, body: "", headers: { location: "/elsewhere" } },
    word: "redirected",
  },
  {
    when: "200 with a web page",
    reply: { kind: "answer", status: 200, body: "<html>" },
    word: "malformed_response",
  },
  { when: "200 without results", reply: tavilyJson({ images: [] }), word: "malformed_response" },
  {
    when: "200 with odd results",
    reply: tavilyJson({ images: [], results: "many" }),
    word: "malformed_response",
  },
  { when: "200 without end", reply: huge, word: "answer_too_large" },
  { when: "a reset", reply: { kind: "reset" }, word: "connection_lost" },
  { when: "a close without an answer", reply: { kind: "close" }, word: "connection_lost" },
  { when: "a cut answer", reply: { kind: "cut", status: 200, body: "{......}" }, word: "connection_lost" },
  { when: "silence", reply: { kind: "silent" }, word: "timed_out", how: "timeout" },
  { when: "a caller who stops", reply: { kind: "silent" }, word: "cancelled", how: "cancel" },
  { when: "a caller whose time is up", reply: { kind: "silent" }, word: "timed_out", how: "deadline" },
  { when: "a refused connection", word: "not_sent", how: "refused" },
];

/** Silence after which a caller gives up: long enough for a request to arrive first on a busy machine, ms. */
const SILENCE_MS = 500;

function signalFor(how: Row["how"]): AbortSignal {
  // Whoever aborts with a TimeoutError says that the time was up; just aborting says that nobody waits any more.
  if (how === "deadline") return AbortSignal.timeout(SILENCE_MS);
  if (how !== "cancel") return never;
  const controller = new AbortController();
  setTimeout(() => controller.abort(), SILENCE_MS);
  return controller.signal;
}
const timeoutFor = (how: Row["how"]) => how === "timeout" ? SILENCE_MS : 5_000;

describe.each(
  [
    { provider: "gemini", rows: GEMINI_ROWS, start: startFakeGemini },
    { provider: "tavily", rows: TAVILY_ROWS, start: startFakeTavily },
  ] as const,
)("$provider", async ({ provider, rows, start }) => {
  let reply: WireReply | null = null;
  const server = await start({ script: () => reply });
  afterAll(() => server.close());

  it.each(rows)("answers to $when with $word", async (row) => {
    reply = row.reply ?? null;
    const sentBefore = server.count;
    const options = {
      apiKey: KEY,
      baseUrl: row.how === "refused" ? refusing.url : server.url,
      timeoutMs: timeoutFor(row.how),
    };
    const signal = signalFor(row.how);
    const result = provider === "gemini"
      ? await createGeminiAnalyst({ ...options, model: "gemini-3.1-flash-lite" }).analyse(ARTICLE, signal)
      : await createTavilyResearcher({ ...options, creditPrice: micros(8_000) }).search("fees", signal);

    if (result.ok) throw new Error("Expected a failure");
    const { action, billing } =
      (FAILURES[provider] as Record<string, { action: string; billing: string }>)[row.word]!;
    expect(result).toMatchObject({ failure: row.word, action, billing });
    if (row.word === "quota_exhausted") expect(result.waitMs).toBeLessThan(25.1 * 3_600_000);
    else expect(result.waitMs).toBe(row.waitMs);
    expect(result.message).not.toContain(KEY);
    expect(result.message).not.toContain("127.0.0.1");
    expect(server.count - sentBefore).toBe(row.how === "refused" ? 0 : 1);
  });

  it("has a test for every row of its table", () => {
    // An open circuit sends nothing; breaker.test.ts has it.
    const tested = new Set([...rows.map(({ word }) => word), "circuit_open"]);
    expect(Object.keys(FAILURES[provider]).filter((word) => !tested.has(word))).toEqual([]);
  });
});

describe("the text of a failure", () => {
  it("hides a key that the provider repeats, before it cuts", () => {
    const detail = `${"x".repeat(150)} ${KEY} is wrong`;
    const { message } = describeFailure("gemini", { failure: "key_refused", detail }, KEY);
    expect(message).not.toContain(KEY.slice(0, 5));
  });

  it("stays on one line and short, whatever the provider says", () => {
    const detail = `a\r\n\u0000b\u2028${"🚀".repeat(500)}`;
    const { message } = describeFailure("gemini", { failure: "bad_request", detail }, KEY);
    for (const control of ["\r", "\n", "\u0000", "\u2028"]) expect(message).not.toContain(control);
    expect(message.length).toBeLessThan(260);
    expect(message.isWellFormed()).toBe(true);
  });
});

describe("the next day of Gemini's quotas", () => {
  it.each([
    ["an evening in California", "2026-07-01T05:00:00Z", "2026-07-01T07:03:00Z"],
    ["just after its midnight", "2026-07-01T07:00:01Z", "2026-07-02T07:03:00Z"],
    ["the day on which summer time ends there", "2026-11-01T12:00:00Z", "2026-11-02T08:03:00Z"],
  ])("begins at midnight Pacific time, seen from %s", (_when, now, next) => {
    const from = new Date(now);
    expect(new Date(from.getTime() + msToNextQuotaDay(from))).toEqual(new Date(next));
  });
});

describe("a Retry-After header", () => {
  const read = (fields: Record<string, string>) => readRetryAfter(new Headers(fields));

  it("is taken as seconds or as a date against the answer's own clock", () => {
    expect(read({ "retry-after": "90" })).toBe(90_000);
    const date = "Mon, 02 Nov 2026 10:00:00 GMT";
    expect(read({ "retry-after": "Mon, 02 Nov 2026 10:02:00 GMT", date })).toBe(120_000);
    expect(read({ "retry-after": "Mon, 02 Nov 2026 09:00:00 GMT", date })).toBe(0);
  });

  it("is ignored when it makes no sense", () => {
    expect(read({})).toBeUndefined();
    expect(read({ "retry-after": "-5" })).toBeUndefined();
    expect(read({ "retry-after": "tomorrow", date: "today" })).toBeUndefined();
  });
});

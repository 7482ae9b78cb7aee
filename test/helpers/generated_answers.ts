/** Answers that no provider should give, for fast-check: valid, cut, off-schema, blocked, wrong types, huge, not HTTP. */
import fc from "fast-check";
import { geminiAnswer, geminiJson } from "../fakes/gemini.ts";
import { asWritten, writePlausibleAnalysis } from "../fakes/plausible_analysis.ts";
import type { WireReply } from "../fakes/wire_server.ts";

export const ODD_ARTICLE = {
  id: 1,
  title: "Fees",
  body: "Miners saw fees rise on Monday. Nobody in the valley knows why they did.",
  source: "test",
  url: null,
  publishedAt: null,
};
const VALID = JSON.parse(asWritten(writePlausibleAnalysis(ODD_ARTICLE.title, ODD_ARTICLE.body)));

const count = fc.oneof(
  fc.integer({ min: 1, max: 1000 }),
  fc.constantFrom(0, -1, 0.5, 1e12, 2 ** 60, "12", null, true),
);
const usage = fc.oneof(
  fc.constant(null),
  fc.record({
    promptTokenCount: count,
    candidatesTokenCount: count,
    thoughtsTokenCount: count,
    cachedContentTokenCount: count,
    totalTokenCount: count,
  }, { requiredKeys: [] }),
);
/** A valid analysis with one field replaced by anything or left out. */
const damaged = fc.tuple(fc.constantFrom(...Object.keys(VALID)), fc.jsonValue(), fc.boolean()).map(
  ([field, value, omit]) => {
    const copy: Record<string, unknown> = { ...VALID, [field]: value };
    if (omit) delete copy[field];
    return JSON.stringify(copy);
  },
);
const cut = fc.nat(JSON.stringify(VALID).length).map((end) => JSON.stringify(VALID).slice(0, end));
const wordy = fc.integer({ min: 1, max: 20_000 }).map((size) =>
  JSON.stringify({
    ...VALID,
    summary: "é ".repeat(size),
    topics: Array(size % 50).fill("t".repeat(size % 300)),
  })
);
const text = fc.oneof(
  fc.constant(JSON.stringify(VALID)),
  damaged,
  cut,
  wordy,
  fc.json(),
  fc.string({ unit: "binary" }),
);
const finishReason = fc.oneof(
  { weight: 4, arbitrary: fc.constant("STOP") },
  { weight: 1, arbitrary: fc.constantFrom("MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "SPII", "", "?") },
);
export const anyReply: fc.Arbitrary<WireReply> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ text, finishReason, usage }).map(geminiAnswer) },
  { weight: 1, arbitrary: fc.jsonValue().map(geminiJson) },
  {
    weight: 1,
    arbitrary: fc.record({ candidates: fc.jsonValue(), promptFeedback: fc.jsonValue() }, { requiredKeys: [] })
      .map(geminiJson),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("answer" as const),
      status: fc.oneof(fc.integer({ min: 200, max: 599 }), fc.constantFrom(400, 429, 503)),
      body: fc.oneof(
        fc.string({ unit: "binary" }),
        fc.json(),
        fc.jsonValue().map((error) => JSON.stringify({ error })),
        fc.jsonValue().map((details) => JSON.stringify({ error: { message: "m", status: "s", details } })),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<WireReply>(
      { kind: "reset" },
      { kind: "close" },
      { kind: "raw", bytes: "HTTP/1.1 OK\r\n\r\n" },
      { kind: "cut", status: 200, body: JSON.stringify(VALID) },
    ),
  },
);

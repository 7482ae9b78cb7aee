/** Made-up data, the same on every run, that looks like a working desk's. */
import type { SessionStatus } from "../../lib/batches/types.ts";
import type { Sentiment } from "../../lib/charts/sentiment_over_time.ts";
import type { DaySpend } from "../../lib/charts/spend_by_day.ts";
import { micros } from "../../lib/money.ts";

/** Numbers from 0 to 1 that only look random (mulberry32). */
export function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const START = Date.UTC(2026, 9, 12, 21, 40);

export function dayAfter(count: number): string {
  return new Date(START + count * 86_400_000).toISOString().slice(0, 10);
}

export function minuteAfter(count: number): Date {
  return new Date(START + count * 60_000);
}

export function sampleDays(count: number): DaySpend[] {
  const random = makeRandom(1);
  return Array.from({ length: count }, (_, index) =>
    index % 9 === 4 ? [] : [
      { day: dayAfter(index), use: "analysis", spent: micros(Math.round(90_000 + random() * 160_000)) },
      { day: dayAfter(index), use: "search", spent: micros(Math.round(random() * 90_000)) },
      { day: dayAfter(index), use: "validation", spent: micros(Math.round(random() * 30_000)) },
    ]).flat();
}

export function sampleSessions(count: number) {
  const random = makeRandom(2);
  const outcomes: SessionStatus[] = [
    "COMPLETED",
    "COMPLETED",
    "COMPLETED",
    "PARTIAL",
    "COMPLETED",
    "FAILED",
    "CANCELLED",
  ];
  return Array.from({ length: count }, (_, index) => {
    const budget = index % 5 === 3 ? 500_000 : 300_000;
    const status = index === count - 1
      ? "PROCESSING"
      : outcomes[Math.floor(random() * outcomes.length)] as SessionStatus;
    const part = status === "FAILED" ? 0.1 : status === "PARTIAL" ? 1 : 0.4 + random() * 0.5;
    return { number: index + 1, status, budget: micros(budget), spent: micros(Math.round(budget * part)) };
  });
}

export function sampleBurn() {
  const random = makeRandom(3);
  let spent = 0;
  let analyzed = 0;
  const minutes = Array.from({ length: 75 }, (_, index) => index).filter((index) => index < 30 || index > 44);
  return minutes.map((minute) => {
    analyzed = Math.min(208, analyzed + Math.floor(random() * 7));
    spent += Math.round(random() * 8500);
    return { at: minuteAfter(minute), spent: micros(spent), analyzed };
  });
}

export function sampleCosts(count: number) {
  const random = makeRandom(4);
  return Array.from(
    { length: count },
    () => micros(Math.round(700 + (random() + random() + random()) * 500 + random() ** 8 * 2500)),
  );
}

export function sampleCalls(count: number, above: number) {
  const random = makeRandom(5);
  return Array.from({ length: count }, (_, index) => {
    const hold = 4000 + Math.round(random() * 3000);
    const share = index < above ? 1.02 + random() : 0.15 + (random() + random()) * 0.3;
    return { hold: micros(hold), bill: micros(Math.round(hold * share)) };
  });
}

export function sampleThroughput(minutes: number) {
  const random = makeRandom(6);
  return Array.from({ length: minutes }, (_, index) => ({
    at: minuteAfter(index),
    analyzed: index > 20 && index < 27 ? 0 : Math.floor(3 + random() * 9),
    failed: random() < 0.12 ? 1 : 0,
    inFlight: index > 20 && index < 27 ? 0 : Math.min(16, 4 + index) - Math.floor(random() * 4),
  }));
}

export function sampleSentiments(days: number) {
  const random = makeRandom(7);
  const moods: Sentiment[] = ["POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED"];
  return Array.from(
    { length: days },
    (_, index) =>
      moods.map((sentiment) => ({ day: dayAfter(index), sentiment, articles: Math.floor(random() * 9) })),
  ).flat();
}

export function sampleScores(count: number, days: number) {
  const random = makeRandom(8);
  return Array.from({ length: count }, () => {
    const day = random() * days;
    const impact = Math.min(1, Math.max(0, 0.4 + 0.2 * Math.sin(day / 9) + (random() + random() - 1) * 0.35));
    return { at: minuteAfter(Math.floor(day * 1440)), impact };
  });
}

export const SAMPLE_MODELS = [
  { model: "gemini-3.5-flash-lite", cost: micros(214_300), used: true },
  { model: "gemini-3.1-flash-lite", cost: micros(158_100) },
  { model: "gemini-3.8-flash", cost: micros(420_900) },
  { model: "gemini-3.5-flash-lite, batch", cost: micros(107_150) },
  { model: "gemini-3.8-flash (from 2027-01-01)", cost: micros(841_800) },
  { model: "claude-haiku-4-5", cost: micros(903_000) },
  { model: "gpt-5-mini", cost: micros(381_000) },
];

export const SAMPLE_TOPICS = [
  ["Lightning Network", 14, 31],
  ["mining difficulty", 9, 21],
  ["ETF inflows", 22, 30],
  ["self-custody", 5, 12],
  ["covenants (OP_CTV)", 2, 8],
  ["stablecoin regulation in the European Union", 11, 14],
  ["Nostr", 3, 5],
  ["mempool fees", 25, 9],
  ["Ordinals and inscriptions", 19, 6],
  ["exchange hacks", 12, 4],
  ["halving", 8, 3],
  ["sidechains", 6, 5],
].map(([topic, before, now]) => ({ topic: String(topic), before: Number(before), now: Number(now) }));

/** Charts of nothing, of one value, and of as much as there may be. */
import {
  type Chart,
  costPerArticle,
  holdsAgainstBills,
  impactOverTime,
  modelCosts,
  sentimentOverTime,
  sessionBurn,
  spendByDay,
  spendBySession,
  throughput,
  topicTrends,
} from "../../lib/charts/charts.ts";
import { micros } from "../../lib/money.ts";
import {
  dayAfter,
  minuteAfter,
  sampleBurn,
  sampleCalls,
  sampleCosts,
  sampleDays,
  sampleScores,
  sampleSentiments,
  sampleSessions,
  sampleThroughput,
} from "./samples.ts";

const spans = { before: "before", now: "now" };
const budget = micros(300_000);

/** Nothing at all. */
export const EMPTY: Record<string, Chart> = {
  spendByDay: spendByDay({ rows: [] }),
  spendBySession: spendBySession({ sessions: [] }),
  sessionBurn: sessionBurn({ readings: [], budget }),
  costPerArticle: costPerArticle({ costs: [] }),
  throughput: throughput({ readings: [] }),
  holdsAgainstBills: holdsAgainstBills({ calls: [] }),
  modelCosts: modelCosts({ rows: [] }),
  sentimentOverTime: sentimentOverTime({ rows: [] }),
  impactOverTime: impactOverTime({ scores: [] }),
  topicTrends: topicTrends({ rows: [], ...spans }),
};

/** One value, of zero where it can be. */
export const ONE: Record<string, Chart> = {
  spendByDay: spendByDay({ rows: [{ day: dayAfter(0), use: "analysis", spent: micros(1) }] }),
  spendBySession: spendBySession({
    sessions: [{ number: 1, status: "PROCESSING", spent: micros(0), budget }],
  }),
  sessionBurn: sessionBurn({ readings: [{ at: minuteAfter(0), spent: micros(0), analyzed: 0 }], budget }),
  costPerArticle: costPerArticle({ costs: [micros(1300)] }),
  costOfNothing: costPerArticle({ costs: [micros(0)], expected: micros(0) }),
  throughput: throughput({ readings: [{ at: minuteAfter(0), analyzed: 0, failed: 1, inFlight: 0 }] }),
  holdsAgainstBills: holdsAgainstBills({ calls: [{ hold: micros(1), bill: micros(0) }] }),
  modelCosts: modelCosts({ rows: [{ model: "m", cost: micros(0), used: true }] }),
  sentimentOverTime: sentimentOverTime({ rows: [{ day: dayAfter(0), sentiment: "MIXED", articles: 1 }] }),
  impactOverTime: impactOverTime({ scores: [{ at: minuteAfter(0), impact: 1 }] }),
  topicTrends: topicTrends({ rows: [{ topic: "a", before: 1, now: 0 }], ...spans }),
};

/** As much as there may be, and texts as long as they come. */
export const BUSY: Record<string, Chart> = {
  spendByDay: spendByDay({ rows: sampleDays(400), dayCap: micros(300_000) }),
  spendByModel: spendByDay({
    rows: sampleDays(90).map((row, index) => ({
      ...row,
      use: `a-model-with-a-rather-long-name-${index % 8}`,
    })),
    dayCap: micros(200_000),
  }),
  spendBySession: spendBySession({ sessions: sampleSessions(1000) }),
  sessionBurn: sessionBurn({
    readings: sampleBurn(),
    budget: micros(400_000),
    total: 12_345,
    thresholds: [70, 80, 90, 95].map((percent) => ({ label: "threshold", percent })),
    events: Array.from(
      { length: 12 },
      (_, index) => ({ at: minuteAfter(index * 6), label: `event ${index}` }),
    ),
  }),
  costPerArticle: costPerArticle({ costs: [...sampleCosts(5000), micros(500_000)], expected: micros(1500) }),
  throughput: throughput({ readings: sampleThroughput(600) }),
  holdsAgainstBills: holdsAgainstBills({ calls: sampleCalls(5000, 2500) }),
  modelCosts: modelCosts({
    rows: Array.from({ length: 40 }, (_, index) => ({
      model: `a-model-with-a-rather-long-name-${index}`,
      cost: micros(12_345 * (index + 1) ** 2),
      used: index === 20,
    })),
  }),
  sentimentOverTime: sentimentOverTime({ rows: sampleSentiments(400) }),
  impactOverTime: impactOverTime({ scores: sampleScores(5000, 400) }),
  topicTrends: topicTrends({
    rows: Array.from({ length: 60 }, (_, index) => ({
      topic: `a topic with a rather long name, number ${index}`,
      before: 30_000,
      now: 1000 * index,
    })),
    ...spans,
  }),
};

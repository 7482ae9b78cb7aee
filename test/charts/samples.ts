/** Charts of a working desk's data. */
import { costPerArticle } from "../../lib/charts/cost_per_article.ts";
import { holdsAgainstBills } from "../../lib/charts/holds_against_bills.ts";
import { impactOverTime } from "../../lib/charts/impact_over_time.ts";
import { modelCosts } from "../../lib/charts/model_costs.ts";
import { sentimentOverTime } from "../../lib/charts/sentiment_over_time.ts";
import { sessionBurn } from "../../lib/charts/session_burn.ts";
import { spendByDay } from "../../lib/charts/spend_by_day.ts";
import { spendBySession } from "../../lib/charts/spend_by_session.ts";
import { throughput } from "../../lib/charts/throughput.ts";
import { topicTrends } from "../../lib/charts/topic_trends.ts";
import type { Chart } from "../../lib/charts/types.ts";
import { micros } from "../../lib/money.ts";
import {
  minuteAfter,
  SAMPLE_MODELS,
  SAMPLE_TOPICS,
  sampleBurn,
  sampleCalls,
  sampleCosts,
  sampleDays,
  sampleScores,
  sampleSentiments,
  sampleSessions,
  sampleThroughput,
} from "./sample_data.ts";

export * from "./sample_data.ts";

/** One of each chart, as the screens show it. */
export const SAMPLES: Record<string, () => Chart> = {
  spendByDay: () => spendByDay({ rows: sampleDays(30), dayCap: micros(300_000) }),
  spendBySession: () => spendBySession({ sessions: sampleSessions(24) }),
  sessionBurn: () =>
    sessionBurn({
      readings: sampleBurn(),
      budget: micros(300_000),
      total: 208,
      events: [{ at: minuteAfter(29), label: "paused" }, { at: minuteAfter(45), label: "resumed" }],
    }),
  costPerArticle: () => costPerArticle({ costs: sampleCosts(400), expected: micros(1300) }),
  throughput: () => throughput({ readings: sampleThroughput(48) }),
  holdsAgainstBills: () => holdsAgainstBills({ calls: sampleCalls(400, 5) }),
  modelCosts: () => modelCosts({ rows: SAMPLE_MODELS, work: "208 articles of session 12" }),
  sentimentOverTime: () => sentimentOverTime({ rows: sampleSentiments(28) }),
  impactOverTime: () => impactOverTime({ scores: sampleScores(300, 60) }),
  topicTrends: () =>
    topicTrends({ rows: SAMPLE_TOPICS, before: "the 30 days before", now: "the last 30 days" }),
};

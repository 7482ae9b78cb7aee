/**
 * Every chart of the desk. A chart function is pure: data in, `Chart` out; `renderSvg` and `renderPng` draw it.
 * Importing this loads no drawing library; the first chart that is rendered does.
 *
 *     const chart = spendByDay({ rows, dayCap });
 *     await renderSvg(chart, { nonce });          // web page, notebook
 *     await renderPng(chart, { theme: "dark" });  // chat, with chart.description as the caption
 */
export { costPerArticle, type CostPerArticleInput } from "./cost_per_article.ts";
export { type HeldCall, holdsAgainstBills, type HoldsAgainstBillsInput } from "./holds_against_bills.ts";
export { impactOverTime, type ImpactOverTimeInput, type ImpactScore } from "./impact_over_time.ts";
export { type ModelCost, modelCosts, type ModelCostsInput } from "./model_costs.ts";
export { themeCss } from "./palette.ts";
export { type PngOptions, renderPng } from "./render_png.ts";
export { renderSvg, type SvgOptions } from "./render_svg.ts";
export {
  type Sentiment,
  type SentimentCount,
  sentimentOverTime,
  type SentimentOverTimeInput,
} from "./sentiment_over_time.ts";
export { type BurnReading, sessionBurn, type SessionBurnInput, type Threshold } from "./session_burn.ts";
export { type DaySpend, spendByDay, type SpendByDayInput } from "./spend_by_day.ts";
export { type SessionSpend, spendBySession, type SpendBySessionInput } from "./spend_by_session.ts";
export { type ThroughputReading } from "./sum_by_step.ts";
export { throughput, type ThroughputInput } from "./throughput.ts";
export { type TopicTrend, topicTrends, type TopicTrendsInput } from "./topic_trends.ts";
export type { Chart } from "./types.ts";

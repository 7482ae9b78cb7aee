import { describe, expect, it } from "vitest";
import { impactOverTime } from "../../lib/charts/impact_over_time.ts";
import { modelCosts } from "../../lib/charts/model_costs.ts";
import { SERIES } from "../../lib/charts/palette.ts";
import { sentimentOverTime } from "../../lib/charts/sentiment_over_time.ts";
import { topicTrends } from "../../lib/charts/topic_trends.ts";
import { micros } from "../../lib/money.ts";
import { drawChart, sumHeights } from "./read_svg.ts";
import {
  dayAfter,
  minuteAfter,
  SAMPLE_MODELS,
  SAMPLE_TOPICS,
  sampleScores,
  sampleSentiments,
} from "./samples.ts";

const spans = { before: "the 30 days before", now: "the last 30 days" };

describe("model costs", () => {
  it("draws bars as long as the costs, cheapest first, with the figures at their ends", async () => {
    const { bars, texts } = await drawChart(modelCosts({ rows: SAMPLE_MODELS }));
    const costs = SAMPLE_MODELS.map(({ cost }) => cost).sort((a, b) => a - b);
    expect(bars).toHaveLength(costs.length);
    const pixels = (bars[0]?.width ?? 0) / (costs[0] ?? 1);
    for (const [index, bar] of bars.entries()) expect(bar.width / (costs[index] ?? 1)).toBeCloseTo(pixels, 4);
    expect(texts).toEqual(expect.arrayContaining(["$0.2143 · used", "$0.1071 · −50 %", "US dollars"]));
  });

  it("keeps the model in use among the rows whatever it costs, and says how many are left out", async () => {
    const rows = Array.from({ length: 40 }, (_, index) => ({
      model: `model-${index}`,
      cost: micros(1000 * (index + 1)),
      used: index === 35,
    }));
    const { bars, texts } = await drawChart(modelCosts({ rows }));
    expect(bars).toHaveLength(20);
    expect(bars.filter(({ fill }) => fill === SERIES.orange.light)).toHaveLength(1);
    expect(texts).toEqual(expect.arrayContaining(["model-35", "20 dearer models not shown"]));
  });

  it("draws models of the same name as rows of their own", async () => {
    const rows = [{ model: "same", cost: micros(10) }, { model: "same", cost: micros(20) }];
    const { bars } = await drawChart(modelCosts({ rows }));
    expect(new Set(bars.map(({ y }) => y)).size).toBe(2);
  });
});

describe("topic trends", () => {
  it("draws rising topics right and falling ones left, as long as their change", async () => {
    const { bars, texts } = await drawChart(topicTrends({ rows: SAMPLE_TOPICS, ...spans }));
    const rising = bars.filter(({ fill }) => fill === SERIES.teal.light);
    const falling = bars.filter(({ fill }) => fill === SERIES.orange.light);
    const changes = SAMPLE_TOPICS.map(({ before, now }) => now - before);
    expect(rising).toHaveLength(changes.filter((change) => change > 0).length);
    expect(falling).toHaveLength(changes.filter((change) => change < 0).length);
    const zero = rising[0]?.x ?? 0;
    for (const bar of rising) expect(bar.x).toBeCloseTo(zero, 1);
    for (const bar of falling) expect(bar.x + bar.width).toBeCloseTo(zero, 1);
    expect((rising[0]?.width ?? 0) / 17).toBeCloseTo((falling.at(-1)?.width ?? 0) / 16, 1);
    expect(texts).toEqual(expect.arrayContaining(["Lightning Network", "+17 (14 → 31)", "−16 (25 → 9)"]));
    expect(texts).toContain("change in articles");
  });

  it("shows the strongest eight in each direction", async () => {
    const rows = Array.from({ length: 60 }, (_, index) => ({
      topic: `topic ${index}`,
      before: 30,
      now: index < 30 ? index : index + 1,
    }));
    const { bars, texts } = await drawChart(topicTrends({ rows, ...spans }));
    expect(bars).toHaveLength(16);
    expect(texts).toEqual(expect.arrayContaining(["topic 59", "topic 0"]));
    expect(texts.some((text) => text.includes("44 smaller changes not shown"))).toBe(true);
  });

  it("says so when nothing changed", async () => {
    const { texts } = await drawChart(topicTrends({ rows: [{ topic: "a", before: 3, now: 3 }], ...spans }));
    expect(texts.join(" ")).toContain("No data yet: every topic is as frequent as it was before.");
  });
});

describe("sentiment over time", () => {
  it("fills every day's bar to 100 %", async () => {
    const { bars, texts } = await drawChart(sentimentOverTime({ rows: sampleSentiments(14) }));
    const shares = bars.filter(({ title }) => title.includes(" of "));
    const columns = [...Map.groupBy(shares, ({ x }) => x).values()].map(sumHeights);
    expect(columns).toHaveLength(14);
    for (const height of columns) expect(height).toBeCloseTo(columns[0] ?? 0, 1);
    expect(texts).toEqual(expect.arrayContaining(["100 %", "positive", "negative", "neutral", "mixed"]));
  });

  it("shows below how many articles the shares are of", async () => {
    const rows = [
      { day: dayAfter(0), sentiment: "POSITIVE", articles: 30 },
      { day: dayAfter(1), sentiment: "POSITIVE", articles: 10 },
    ] as const;
    const { bars } = await drawChart(sentimentOverTime({ rows }));
    const counts = bars.filter(({ title }) => !title.includes(" of "));
    expect((counts[0]?.height ?? 0) / (counts[1]?.height ?? 1)).toBeCloseTo(3, 2);
  });

  it("takes weeks when told", async () => {
    const { texts } = await drawChart(sentimentOverTime({ rows: sampleSentiments(14), by: "week" }));
    expect(texts).toContain("articles per week");
  });
});

describe("impact over time", () => {
  it("puts high scores high and shows equal ones as a larger dot", async () => {
    const scores = [
      { at: minuteAfter(0), impact: 0.9 },
      { at: minuteAfter(1440), impact: 0.1 },
      { at: minuteAfter(1441), impact: 0.1 },
    ];
    const { root } = await drawChart(impactOverTime({ scores }));
    const dots = [...root.querySelectorAll("circle")].filter((dot) => dot.querySelector("title"));
    expect(dots).toHaveLength(2);
    const [large, small] = dots.map((dot) => ({
      y: Number(dot.getAttribute("cy")),
      r: Number(dot.getAttribute("r")),
    }));
    expect(large?.r).toBeGreaterThan(small?.r ?? 9);
    expect(large?.y).toBeGreaterThan(small?.y ?? 999);
  });

  it("stays small for five thousand articles in four hundred days", async () => {
    const { svg, texts } = await drawChart(impactOverTime({ scores: sampleScores(5000, 400) }));
    expect(svg.length).toBeLessThan(120_000);
    expect(texts).toContain("mean of the week");
    expect(texts).toContain("impact score, 0 to 1");
  });
});

import { describe, expect, it } from "vitest";
import { binValues, median } from "../../lib/charts/bins.ts";
import { costPerArticle } from "../../lib/charts/cost_per_article.ts";
import { holdsAgainstBills } from "../../lib/charts/holds_against_bills.ts";
import { SERIES } from "../../lib/charts/palette.ts";
import { micros } from "../../lib/money.ts";
import { type Bar, drawChart, sumHeights } from "./read_svg.ts";
import { sampleCalls, sampleCosts } from "./samples.ts";

const countOf = ({ title }: Bar) => Number(/([\d,]+) \w+$/.exec(title)?.[1]?.replace(",", ""));

describe("cost per article", () => {
  it("counts every article once, in bars as high as their counts", async () => {
    const { bars } = await drawChart(costPerArticle({ costs: sampleCosts(400) }));
    expect(bars.reduce((sum, bar) => sum + countOf(bar), 0)).toBe(400);
    const pixels = sumHeights(bars) / 400;
    for (const bar of bars) expect(bar.height / countOf(bar)).toBeCloseTo(pixels, 1);
  });

  it("marks the mean and what was expected", async () => {
    const { texts, description } = await drawChart(
      costPerArticle({ costs: [1000, 2000, 3000].map(micros), expected: micros(1300) }),
    );
    expect(texts).toEqual(expect.arrayContaining(["mean $0.0020", "expected $0.0013"]));
    expect(texts).toEqual(expect.arrayContaining(["US dollars per article", "articles"]));
    expect(description).toBe("3 articles, mean $0.0020, median $0.0020, most $0.0030, expected $0.0013.");
  });

  it("puts outliers into one grey bar at the end instead of flattening the rest", async () => {
    const costs = [...sampleCosts(300), micros(90_000), micros(120_000)];
    const { bars, texts } = await drawChart(costPerArticle({ costs }));
    const grey = bars.filter(({ fill }) => fill === SERIES.grey.light);
    expect(grey).toHaveLength(1);
    expect(bars.length).toBeGreaterThan(8);
    expect(texts.some((text) => text.startsWith("Grey: "))).toBe(true);
    expect(bars.reduce((sum, bar) => sum + countOf(bar), 0)).toBe(302);
  });

  it("tells an expectation that is far off in words only", async () => {
    const { texts } = await drawChart(costPerArticle({ costs: sampleCosts(50), expected: micros(900_000) }));
    expect(texts.some((text) => text.includes("expected $0.90"))).toBe(true);
    expect(texts).not.toContain("expected $0.90");
  });
});

describe("holds against bills", () => {
  it("puts a bill of exactly the hold within it, and one micro-dollar more above", async () => {
    const calls = [
      { hold: micros(1_000_000), bill: micros(1_000_000) },
      { hold: micros(1_000_000), bill: micros(1_000_001) },
    ];
    const { bars, description } = await drawChart(holdsAgainstBills({ calls }));
    expect(bars.map(({ fill }) => fill)).toEqual([SERIES.blue.light, SERIES.pink.light]);
    expect(bars[0]?.title).toBe("95 % to 100 %: 1 call");
    expect(description).toContain("1 above their holds");
  });

  it("counts every call that had a hold", async () => {
    const calls = [...sampleCalls(200, 5), { hold: micros(0), bill: micros(0) }];
    const { bars, texts } = await drawChart(holdsAgainstBills({ calls }));
    expect(bars.reduce((sum, bar) => sum + countOf(bar), 0)).toBe(200);
    expect(texts).toEqual(expect.arrayContaining(["bill in % of the hold", "calls", "hold", "100 %"]));
  });
});

describe("bins", () => {
  it("hold each value once, between round edges", () => {
    const values = Array.from({ length: 997 }, (_, index) => (index * 7919) % 5003);
    const bins = binValues(values);
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(997);
    for (const { from, to, count } of bins) {
      expect(values.filter((value) => value >= from && value < to)).toHaveLength(count);
    }
  });

  it("work for one value, for equal values and for zero", () => {
    for (const values of [[7], [1300, 1300], [0], [0, 0, 1]]) {
      expect(binValues(values).reduce((sum, { count }) => sum + count, 0), String(values)).toBe(
        values.length,
      );
    }
  });

  it("take the lower middle value as the median", () => {
    expect([median([3]), median([1, 9]), median([5, 1, 3])]).toEqual([3, 1, 3]);
  });
});

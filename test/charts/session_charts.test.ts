import { describe, expect, it } from "vitest";
import { sessionBurn } from "../../lib/charts/session_burn.ts";
import { throughput } from "../../lib/charts/throughput.ts";
import { micros } from "../../lib/money.ts";
import { drawChart, sumHeights } from "./read_svg.ts";
import { minuteAfter, sampleBurn, sampleThroughput } from "./samples.ts";
import { SERIES } from "../../lib/charts/palette.ts";

const budget = micros(300_000);

describe("session burn", () => {
  it("shows the budget, both thresholds and the articles of the session by name", async () => {
    const { texts } = await drawChart(sessionBurn({ readings: sampleBurn(), budget, total: 208 }));
    for (const text of ["budget $0.30", "warn 67 %", "critical 83 %", "all 208"]) {
      expect(texts).toContain(text);
    }
    for (const text of ["US dollars spent", "articles analysed", "time, UTC"]) expect(texts).toContain(text);
  });

  it("draws money and articles in panels of their own, below each other", async () => {
    const { svg } = await drawChart(sessionBurn({ readings: sampleBurn(), budget }));
    expect(svg.indexOf(">US dollars spent<")).toBeLessThan(svg.indexOf(">articles analysed<"));
    expect(svg.match(/data-mark="line"/g)).toHaveLength(2);
  });

  it("draws what was billed above holds apart: what counts against the budget stays under it", async () => {
    const readings = [
      { at: minuteAfter(0), spent: micros(0), overrun: micros(0), analyzed: 0 },
      { at: minuteAfter(1), spent: micros(290_000), overrun: micros(60_000), analyzed: 5 },
    ];
    const { svg, texts, description } = await drawChart(sessionBurn({ readings, budget }));
    expect(description).toBe("Spent $0.29 of $0.30 (96 %), $0.06 billed above holds, 5 articles analysed.");
    expect(svg.match(/data-mark="line"/g)).toHaveLength(3);
    expect(texts).toEqual(expect.arrayContaining(["spent", "and billed above holds"]));
  });

  it("breaks the lines at a gap and bridges it with dashes", async () => {
    const { root, texts } = await drawChart(sessionBurn({ readings: sampleBurn(), budget }));
    expect([...root.querySelectorAll('g[data-mark="line"] > path')]).toHaveLength(4);
    expect([...root.querySelectorAll('g[data-mark="link"] > path')]).toHaveLength(2);
    expect(texts).toContain("gap in the readings");
  });

  it("has no gap where readings come steadily", async () => {
    const readings = sampleBurn().slice(0, 30);
    const { root, texts } = await drawChart(sessionBurn({ readings, budget }));
    expect([...root.querySelectorAll('g[data-mark="line"] > path')]).toHaveLength(2);
    expect(texts).not.toContain("gap in the readings");
  });

  it("steps: the line never falls and never runs slanted", async () => {
    const { root } = await drawChart(sessionBurn({ readings: sampleBurn().slice(0, 30), budget }));
    const path = root.querySelector('g[data-mark="line"] > path')?.getAttribute("d") ?? "";
    const points = path.slice(1).split("L").map((point) => point.split(",").map(Number) as [number, number]);
    expect(points.length).toBeGreaterThan(30);
    for (const [index, [x, y]] of points.entries()) {
      const [beforeX, beforeY] = points[index - 1] ?? [x, y];
      expect(y).toBeLessThanOrEqual(beforeY);
      expect(x === beforeX || y === beforeY).toBe(true);
    }
  });

  it("writes events beside their rules", async () => {
    const events = [{ at: minuteAfter(29), label: "paused" }, { at: minuteAfter(45), label: "resumed" }];
    const { texts } = await drawChart(sessionBurn({ readings: sampleBurn(), budget, events }));
    expect(texts).toEqual(expect.arrayContaining(["paused", "resumed"]));
  });

  it("takes readings in any order and thresholds as given", async () => {
    const readings = sampleBurn().reverse();
    const { texts, description } = await drawChart(
      sessionBurn({ readings, budget, thresholds: [{ label: "half", percent: 50 }], total: 208 }),
    );
    expect(texts).toContain("half 50 %");
    expect(texts).not.toContain("warn 67 %");
    expect(description).toBe("Spent $0.2645 of $0.30 (88 %), 205 of 208 articles analysed.");
  });

  it("thins out twenty thousand readings and keeps the last one", async () => {
    const readings = Array.from({ length: 20_000 }, (_, index) => ({
      at: minuteAfter(index / 60),
      spent: micros(index * 15),
      analyzed: index,
    }));
    const { svg } = await drawChart(sessionBurn({ readings, budget }));
    expect(svg.length).toBeLessThan(150_000);
    expect(svg).toContain("19,999 articles");
  });

  it("shows a single reading as a dot", async () => {
    const reading = { at: minuteAfter(0), spent: micros(1200), analyzed: 1 };
    const { root } = await drawChart(sessionBurn({ readings: [reading], budget }));
    expect([...root.querySelectorAll('g[data-mark="dot"] > circle')]).toHaveLength(2);
  });
});

describe("throughput", () => {
  it("stacks failures on what was analysed and crosses them", async () => {
    const readings = sampleThroughput(48);
    const { bars, root } = await drawChart(throughput({ readings }));
    const analyzed = readings.reduce((sum, reading) => sum + reading.analyzed, 0);
    const failed = readings.reduce((sum, reading) => sum + reading.failed, 0);
    const heightOf = (color: "blue" | "pink") =>
      sumHeights(bars.filter(({ fill }) => fill === SERIES[color].light));
    expect(heightOf("pink") / heightOf("blue")).toBeCloseTo(failed / analyzed, 3);
    const crosses = [...root.querySelectorAll('g[data-mark="dot"] > path')];
    expect(crosses).toHaveLength(readings.filter((reading) => reading.failed > 0).length);
  });

  it("names both panels and leaves out the lower one without its readings", async () => {
    const readings = sampleThroughput(20);
    const both = await drawChart(throughput({ readings }));
    expect(both.texts).toEqual(
      expect.arrayContaining(["articles per minute", "articles in flight", "time, UTC"]),
    );
    const one = await drawChart(throughput({ readings: readings.map(({ inFlight: _, ...rest }) => rest) }));
    expect(one.texts).not.toContain("articles in flight");
    expect(one.texts).toContain("time, UTC");
  });

  it("gives the pace per minute whatever the span of a bar", async () => {
    // 208 articles in 10.4 seconds.
    const readings = Array.from({ length: 208 }, (_, index) => ({
      at: minuteAfter(index / 1200),
      analyzed: 1,
      failed: 0,
    }));
    const { texts, bars } = await drawChart(throughput({ readings }));
    expect(texts).toContain("1,200");
    expect(texts.some((text) => text.includes("the pace over 1 second"))).toBe(true);
    expect(bars[0]?.title).toBe("21:40:00: 20 analysed, 0 failed");
  });

  it("keeps to sixty bars for a night of minutes", async () => {
    const { bars } = await drawChart(throughput({ readings: sampleThroughput(600) }));
    expect(new Set(bars.map(({ x }) => x)).size).toBeLessThanOrEqual(60);
  });
});

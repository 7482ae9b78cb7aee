import { describe, expect, it } from "vitest";
import { SERIES } from "../../lib/charts/palette.ts";
import { spendByDay } from "../../lib/charts/spend_by_day.ts";
import { spendBySession } from "../../lib/charts/spend_by_session.ts";
import { micros } from "../../lib/money.ts";
import { type Bar, drawChart, sumHeights } from "./read_svg.ts";
import { sampleDays, sampleSessions } from "./samples.ts";

const ofColor = (bars: Bar[], color: keyof typeof SERIES) =>
  bars.filter(({ fill }) => fill === SERIES[color].light);

describe("spend by day", () => {
  it("draws a bar for each day and use, as high as what was spent", async () => {
    const rows = sampleDays(12);
    const { bars } = await drawChart(spendByDay({ rows }));
    expect(bars).toHaveLength(rows.filter(({ spent }) => spent > 0).length);
    const total = (use?: string) =>
      rows.reduce((sum, row) => use === undefined || row.use === use ? sum + row.spent : sum, 0);
    const pixels = sumHeights(bars) / total();
    expect(sumHeights(ofColor(bars, "blue")) / total("analysis")).toBeCloseTo(pixels, 6);
    expect(sumHeights(ofColor(bars, "orange")) / total("search")).toBeCloseTo(pixels, 6);
    expect(sumHeights(ofColor(bars, "teal")) / total("validation")).toBeCloseTo(pixels, 6);
  });

  it("agrees with its axis: a bar of $0.40 ends at the line of $0.40", async () => {
    const { bars, root, texts } = await drawChart(spendByDay({
      rows: [{ day: "2026-11-01", use: "analysis", spent: micros(400_000) }],
    }));
    const lines = [...root.querySelectorAll('g[data-mark="y-grid"] > line')].map((line) =>
      Number(line.getAttribute("y1"))
    );
    expect(texts).toEqual(expect.arrayContaining(["$0", "$0.40"]));
    expect(bars[0]?.height).toBeCloseTo(Math.max(...lines) - Math.min(...lines), 1);
  });

  it("stands each bar on the one below it and none on another day's place", async () => {
    const { bars } = await drawChart(spendByDay({ rows: sampleDays(4) }));
    const columns = Map.groupBy(bars, ({ x }) => x);
    expect(columns.size).toBe(4);
    for (const column of columns.values()) {
      const sorted = column.sort((a, b) => b.y - a.y);
      for (const [index, bar] of sorted.entries()) {
        const below = sorted[index - 1];
        if (below) expect(bar.y + bar.height).toBeCloseTo(below.y, 1);
      }
    }
  });

  it("adds up rows of the same day and use", async () => {
    const row = { day: "2026-11-12", use: "analysis", spent: micros(1500) };
    const { bars } = await drawChart(spendByDay({ rows: [row, row] }));
    expect(bars).toHaveLength(1);
    expect(bars[0]?.title).toBe("12 Nov 2026 · analysis · $0.0030");
  });

  it("leaves the place of a day without spending empty", async () => {
    const spent = micros(1000);
    const { bars } = await drawChart(spendByDay({
      rows: [{ day: "2026-11-01", use: "analysis", spent }, { day: "2026-11-03", use: "analysis", spent }],
    }));
    const [first, second] = bars as [Bar, Bar];
    expect(bars).toHaveLength(2);
    expect(second.x - first.x).toBeGreaterThan(first.width * 2);
  });

  it("names its axes with their units and marks the day cap", async () => {
    const { texts, description } = await drawChart(
      spendByDay({ rows: sampleDays(8), dayCap: micros(300_000) }),
    );
    expect(texts).toContain("US dollars per day");
    expect(texts).toContain("UTC day");
    expect(texts).toContain("day cap $0.30");
    expect(texts).toContain("$0.20");
    expect(description).toMatch(
      /^\$\d+\.\d\d was spent from 12 Oct 2026 to 19 Oct 2026 \(UTC\), most of it on .*\$0\.30\.$/,
    );
  });

  it("says the cap in words where a line would flatten the bars", async () => {
    const { texts, bars } = await drawChart(spendByDay({ rows: sampleDays(8), dayCap: micros(50_000_000) }));
    expect(texts.some((text) => text.endsWith("day cap $50.00, never reached"))).toBe(true);
    expect(Math.max(...bars.map(({ height }) => height))).toBeGreaterThan(80);
  });

  it("adds up to weeks when days would be too thin, and loses no money", async () => {
    const rows = sampleDays(400);
    const { bars, texts } = await drawChart(spendByDay({ rows }));
    expect(texts).toContain("US dollars per week");
    expect(Math.min(...bars.map(({ width }) => width))).toBeGreaterThan(5);
    const inTitles = bars.reduce((sum, { title }) => sum + Number(title.split("$")[1]), 0);
    const total = rows.reduce((sum, { spent }) => sum + spent, 0) / 1e6;
    // A title cuts below the cent or the hundredth of a cent.
    expect(Math.abs(inTitles - total)).toBeLessThan(bars.length * 0.01);
  });

  it("gives models beyond the fifth one shared colour", async () => {
    const rows = Array.from({ length: 9 }, (_, index) => ({
      day: "2026-11-12",
      use: `model-${index}`,
      spent: micros(1000 + index),
    }));
    const { bars, texts } = await drawChart(spendByDay({ rows }));
    expect(bars).toHaveLength(6);
    expect(texts).toContain("other");
    expect(ofColor(bars, "grey")[0]?.title).toContain("$0.0040");
  });

  it("refuses days that are no dates", () => {
    for (const day of ["2026-02-30", "12.11.2026", "", "2026-11-12T00:00:00Z"]) {
      const chart = spendByDay.bind(null, { rows: [{ day, use: "analysis", spent: micros(1) }] });
      expect(chart, day).toThrow(/date like 2026-11-30/);
    }
  });
});

describe("spend by session", () => {
  it("colours each session by how it ended, as high as it spent", async () => {
    const sessions = sampleSessions(24);
    const { bars } = await drawChart(spendBySession({ sessions }));
    expect(bars).toHaveLength(24);
    const spentOf = (status: string) =>
      sessions.reduce((sum, session) => session.status === status ? sum + session.spent : sum, 0);
    const pixels = sumHeights(bars) / sessions.reduce((sum, { spent }) => sum + spent, 0);
    for (
      const [status, color] of [["COMPLETED", "teal"], ["PARTIAL", "orange"], ["FAILED", "pink"]] as const
    ) {
      expect(sumHeights(ofColor(bars, color)) / spentOf(status), status).toBeCloseTo(pixels, 4);
    }
  });

  it("marks each session's budget where the bar of a session that used it up ends", async () => {
    const sessions = [
      { number: 7, status: "PARTIAL", spent: micros(300_000), budget: micros(300_000) },
      { number: 8, status: "COMPLETED", spent: micros(100_000), budget: micros(300_000) },
    ] as const;
    const { root, bars, texts } = await drawChart(spendBySession({ sessions }));
    const lines = [...root.querySelectorAll('g[data-mark="rule"] > line')]
      .filter((line) => line.parentElement?.getAttribute("stroke-width") === "2");
    expect(lines).toHaveLength(2);
    expect((bars[0]?.height ?? 0) / (bars[1]?.height ?? 1)).toBeCloseTo(3, 2);
    expect(texts).toEqual(expect.arrayContaining(["#7", "#8", "partial", "completed", "budget"]));
    expect(texts).toContain("US dollars per session");
  });

  it("adds up neighbours when there are a thousand", async () => {
    const { bars, texts, description } = await drawChart(spendBySession({ sessions: sampleSessions(1000) }));
    const columns = new Set(bars.map(({ x }) => x));
    expect(columns.size).toBeLessThan(110);
    expect(Math.min(...bars.map(({ width }) => width))).toBeGreaterThan(5);
    expect(texts.some((text) => /^Each bar adds up \d+ sessions$/.test(text))).toBe(true);
    expect(description).toContain("1,000 sessions");
  });
});

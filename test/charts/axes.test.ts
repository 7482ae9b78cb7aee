import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dayNumber, isoDay, layOutDays, nameDay } from "../../lib/charts/days.ts";
import { splitAtGaps, thinReadings } from "../../lib/charts/readings.ts";
import { nameStep, sumByStep } from "../../lib/charts/sum_by_step.ts";
import { plural, roundTicks, shortUsd, ticksBetween, usdTickFormat } from "../../lib/charts/ticks.ts";
import { micros } from "../../lib/money.ts";
import { dayAfter, minuteAfter } from "./samples.ts";

const dollars = (max: number, count = 4) => {
  const ticks = roundTicks(max, count);
  return ticks.map(usdTickFormat(ticks));
};

describe("ticks", () => {
  it("are round, begin at 0 and reach the largest value", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1e9, noNaN: true }),
        fc.integer({ min: 1, max: 12 }),
        (max, count) => {
          const ticks = roundTicks(max, count);
          expect(ticks[0]).toBe(0);
          expect(ticks.at(-1)).toBeGreaterThanOrEqual(max * 0.9999);
          expect(ticks.length).toBeLessThanOrEqual(count + 2);
        },
      ),
    );
  });

  it("of counts are whole numbers", () => {
    for (const max of [0, 1, 2, 3, 7, 12, 26, 94, 208]) {
      expect(roundTicks(max, 5, 1).every(Number.isInteger), String(max)).toBe(true);
    }
  });

  it("of money are readable from a thousandth of a cent to thousands", () => {
    expect(dollars(0.002)).toEqual(["$0", "$0.0005", "$0.0010", "$0.0015", "$0.0020"]);
    expect(dollars(0.4)).toEqual(["$0", "$0.10", "$0.20", "$0.30", "$0.40"]);
    expect(dollars(12)).toEqual(["$0", "$5", "$10", "$15"]);
    expect(dollars(4000)).toEqual(["$0", "$1,000", "$2,000", "$3,000", "$4,000"]);
    expect(dollars(40_000)).toEqual(["$0", "$10k", "$20k", "$30k", "$40k"]);
    expect(dollars(0.00004)).toEqual(["$0", "$0.00001", "$0.00002", "$0.00003", "$0.00004"]);
  });

  it("never say the same twice", () => {
    fc.assert(fc.property(fc.double({ min: 2e-6, max: 1e6, noNaN: true }), (max) => {
      const texts = dollars(max);
      expect(new Set(texts).size).toBe(texts.length);
    }));
  });

  it("between two ends stay within them", () => {
    expect(ticksBetween(0.0008, 0.0042, 4)).toEqual([0.001, 0.002, 0.003, 0.004]);
  });

  it("for labels drop only zeros in pairs beyond the cents", () => {
    expect([300_000, 214_300, 903_000, 1300, 37, 0, 12_000_000].map((value) => shortUsd(micros(value))))
      .toEqual(
        ["$0.30", "$0.2143", "$0.9030", "$0.0013", "$0.000037", "$0.00", "$12.00"],
      );
    expect([plural(1, "article"), plural(1200, "article")]).toEqual(["1 article", "1,200 articles"]);
  });
});

describe("days", () => {
  it("are laid out without holes in the finest period that fits", () => {
    const days = Array.from({ length: 400 }, (_, index) => dayAfter(index));
    expect(layOutDays(days, 500).period).toBe("day");
    expect(layOutDays(days, 90).period).toBe("week");
    expect(layOutDays(days, 40).period).toBe("month");
    expect(layOutDays(days, 3).period).toBe("year");
    expect(layOutDays(days, 500, "week").period).toBe("week");
    expect(layOutDays(["2026-01-01", "2026-01-31"], 100).labels).toHaveLength(31);
  });

  it("each have exactly one place, in order", () => {
    const dates = fc.array(fc.integer({ min: dayNumber("1999-01-01"), max: dayNumber("2040-01-01") }), {
      minLength: 1,
    });
    fc.assert(fc.property(dates, fc.integer({ min: 1, max: 400 }), (numbers, limit) => {
      const days = numbers.sort((a, b) => a - b).map(isoDay);
      const calendar = layOutDays(days, limit);
      const places = days.map(calendar.indexOf);
      expect(places[0]).toBe(0);
      expect(places.at(-1)).toBe(calendar.labels.length - 1);
      expect(places).toEqual([...places].sort((a, b) => a - b));
    }));
  });

  it("begin weeks on Monday", () => {
    const calendar = layOutDays(["2026-11-15", "2026-11-16"], 10, "week");
    expect(calendar.names).toEqual(["week of 9 Nov 2026", "week of 16 Nov 2026"]);
    expect(nameDay("2026-02-03")).toBe("3 Feb 2026");
  });
});

describe("readings", () => {
  const at = (minute: number) => ({ at: minuteAfter(minute) });

  it("are split where the silence is unusual, or longer than told", () => {
    const readings = [0, 1, 2, 3, 40, 41].map(at);
    expect(splitAtGaps(readings).runs.map((run) => run.length)).toEqual([4, 2]);
    expect(splitAtGaps(readings, 3_600_000).gaps).toEqual([]);
    expect(splitAtGaps(readings, 30_000).runs).toHaveLength(6);
    expect(splitAtGaps([])).toEqual({ runs: [], gaps: [] });
  });

  it("keep the first and the last when thinned", () => {
    const run = Array.from({ length: 5000 }, (_, index) => at(index));
    const thin = thinReadings(run, 300);
    expect(thin.length).toBeLessThanOrEqual(302);
    expect([thin[0], thin.at(-1)]).toEqual([run[0], run.at(-1)]);
  });

  it("that are sums themselves are added up in equal numbers", () => {
    const step = 17_000;
    const readings = Array.from({ length: 240 }, (_, index) => ({
      at: new Date(minuteAfter(0).getTime() + index * step),
      analyzed: 1,
      failed: 0,
    }));
    const { spans } = sumByStep(readings, 90, step);
    expect(spans).toHaveLength(60);
    expect(new Set(spans.map(({ analyzed }) => analyzed))).toEqual(new Set([4]));
    expect(sumByStep(readings.slice(0, 1), 90, step).spans).toHaveLength(1);
    expect([nameStep(68_000), nameStep(120_000), nameStep(5_400_000)]).toEqual([
      "68 seconds",
      "2 minutes",
      "90 minutes",
    ]);
  });

  it("are added up without losing one, in as few spans as told", () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1 }), (minutes) => {
      const { spans, step } = sumByStep(
        minutes.map((minute) => ({ ...at(minute), analyzed: 1, failed: 0 })),
        50,
      );
      expect(spans.reduce((sum, { analyzed }) => sum + analyzed, 0)).toBe(minutes.length);
      expect(spans.length).toBeLessThanOrEqual(50);
      expect(nameStep(step)).toMatch(/^\d+ (second|minute|hour|day)s?$/);
    }));
  });
});

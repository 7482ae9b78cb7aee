/** Categories of a stacked chart: their order, colours and legend. At most six have a colour; the rest is "other". */
import type { SeriesColor } from "./palette.ts";
import { nameText } from "./text.ts";
import type { Frame, LegendItem, Marks } from "./types.ts";

export interface Series {
  key: string;
  label: string;
  color: SeriesColor;
}

/** In the order of use. Grey is kept for "other". */
const FREE: readonly SeriesColor[] = ["blue", "orange", "teal", "pink", "violet"];

/**
 * The known series first and in their order, then the others by weight. What has no colour left shares the grey one.
 * @returns the series to draw, and for every key the series it belongs to.
 */
export function pickSeries(
  weights: ReadonlyMap<string, number>,
  known: readonly Series[],
): { series: Series[]; seriesOf: Map<string, Series> } {
  const series = known.filter(({ key }) => weights.has(key));
  const taken = new Set(series.map(({ color }) => color));
  const free = FREE.filter((color) => !taken.has(color));
  const others = [...weights.keys()].filter((key) => !series.some((one) => one.key === key))
    .sort((a, b) => (weights.get(b) ?? 0) - (weights.get(a) ?? 0) || (a < b ? -1 : 1));
  const seriesOf = new Map(series.map((one) => [one.key, one]));
  const rest: Series = { key: "other", label: "other", color: "grey" };
  for (const key of others) {
    const color = free.shift();
    const one = color === undefined ? rest : { key, label: nameText(key), color };
    if (!series.includes(one)) series.push(one);
    seriesOf.set(key, one);
  }
  return { series, seriesOf };
}

export function legendOf(frame: Frame, series: readonly Series[]): LegendItem[] {
  return series.map(({ label, color }) => ({ label, color: frame.paint[color], mark: "square" }));
}

/** A rectangle of a stack: place on the axis, from and to in the axis's unit, and what it says when pointed at. */
export interface StackedBar {
  slot: number;
  from: number;
  to: number;
  fill: string;
  title: string;
}

export interface Stack {
  bars: StackedBar[];
  /** The tallest pile, in the unit of the values. */
  max: number;
}

/**
 * Piles up values. They stay whole numbers (micro-dollars, articles) until `scale` turns them into axis values.
 * @param values for each place, the value of each series in drawing order.
 */
export function stackBars(
  frame: Frame,
  series: readonly Series[],
  values: readonly (readonly number[])[],
  scale: (value: number, slot: number) => number,
  describe: (slot: number, series: Series, value: number) => string,
): Stack {
  const bars: StackedBar[] = [];
  let max = 0;
  for (const [slot, row] of values.entries()) {
    let sum = 0;
    for (const [index, value] of row.entries()) {
      const one = series[index];
      if (one === undefined || value <= 0) continue;
      const from = scale(sum, slot);
      sum += value;
      bars.push({
        slot,
        from,
        to: scale(sum, slot),
        fill: frame.paint[one.color],
        title: describe(slot, one, value),
      });
    }
    max = Math.max(max, sum);
  }
  return { bars, max };
}

export function stackMarks(frame: Frame, bars: readonly StackedBar[], inset: number): Marks {
  return [
    frame.plot.rect(bars, {
      x1: ({ slot }: StackedBar) => slot - 0.5,
      x2: ({ slot }: StackedBar) => slot + 0.5,
      y1: "from",
      y2: "to",
      fill: "fill",
      title: "title",
      insetLeft: inset,
      insetRight: inset,
    }),
    frame.plot.ruleY([0], { stroke: frame.paint.muted }),
  ];
}

/** The impact scores of analysed articles over time, with the mean of each period as a line. */
import { dayOf, layOutDays } from "./days.ts";
import { slotAxis, slotLimit, slotLines, slotScale } from "./slots.ts";
import { plural } from "./ticks.ts";
import type { Chart, Drawing, Frame, Marks } from "./types.ts";
import { valueAxis } from "./value_axis.ts";

export interface ImpactScore {
  /** When the article was published or analysed. */
  at: Date;
  /** 0 to 1. */
  impact: number;
}

export interface ImpactOverTimeInput {
  scores: readonly ImpactScore[];
}

/** Dots of a twentieth: scores closer than this are one dot, larger for more of them. */
const ROWS = 20;

interface Dot {
  slot: number;
  impact: number;
  count: number;
  title: string;
}

export function impactOverTime({ scores }: ImpactOverTimeInput): Chart {
  const summary = scores.length === 0
    ? "No article has an impact score"
    : `${plural(scores.length, "article")}, mean impact ${
      mean(scores.map(({ impact }) => impact)).toFixed(2)
    }`;
  return {
    kind: "impact-over-time",
    title: "Impact over time",
    description: `${summary}.`,
    empty: scores.length === 0 ? "No data yet: no article has been analysed." : null,
    heightFor: (width) => width < 500 ? 400 : 400,
    draw: (frame) => draw(scores, frame, summary),
  };
}

function draw(scores: readonly ImpactScore[], frame: Frame, summary: string): Drawing {
  const calendar = layOutDays(scores.map(({ at }) => dayOf(at)), Math.floor(slotLimit(frame) * 0.7));
  const bySlot = new Map<number, number[]>();
  for (const { at, impact } of scores) {
    const slot = calendar.indexOf(dayOf(at));
    bySlot.set(slot, [...bySlot.get(slot) ?? [], impact]);
  }
  const means = [...bySlot].sort(([a], [b]) => a - b).map(([slot, impacts]) => ({
    slot,
    impact: mean(impacts),
  }));
  const axis = valueAxis(frame, 1, frame.height * 0.7, "share");
  const dots = gatherDots(bySlot, calendar.names);
  return {
    notes: [summary],
    legend: [
      { label: "articles, larger for more", color: frame.paint.blue, mark: "dot" },
      { label: `mean of the ${calendar.period}`, color: frame.paint.orange, mark: "line" },
    ],
    panels: [{
      share: 1,
      yLabel: "impact score, 0 to 1",
      xLabel: calendar.period === "day" ? "UTC day" : `UTC days, taken together by ${calendar.period}`,
      marginLeft: axis.marginLeft,
      xTickLines: slotLines(calendar.labels),
      options: {
        x: slotScale(calendar.labels.length),
        y: axis.scale,
        r: { type: "sqrt", domain: [0, Math.max(4, ...dots.map(({ count }) => count))], range: [0, 8] },
        marks: [...axis.marks, ...scoreMarks(frame, dots, means), ...slotAxis(frame, calendar.labels)],
      },
    }],
  };
}

function scoreMarks(
  frame: Frame,
  dots: readonly Dot[],
  means: readonly { slot: number; impact: number }[],
): Marks {
  const { plot, paint } = frame;
  return [
    plot.ruleY([0], { stroke: paint.muted }),
    plot.dot(dots, {
      x: "slot",
      y: "impact",
      r: "count",
      fill: paint.blue,
      fillOpacity: 0.55,
      title: "title",
    }),
    plot.line(means, { x: "slot", y: "impact", stroke: paint.surface, strokeWidth: 5 }),
    plot.line(means, { x: "slot", y: "impact", stroke: paint.orange, strokeWidth: 2.5 }),
    // A period alone has no line to stand on.
    plot.dot(means, { x: "slot", y: "impact", r: 3, fill: paint.orange }),
  ];
}

function gatherDots(bySlot: ReadonlyMap<number, readonly number[]>, names: readonly string[]): Dot[] {
  return [...bySlot].flatMap(([slot, impacts]) => {
    const counts = new Map<number, number>();
    for (const impact of impacts) {
      const row = Math.round(impact * ROWS);
      counts.set(row, (counts.get(row) ?? 0) + 1);
    }
    return [...counts].map(([row, count]) => ({
      slot,
      impact: row / ROWS,
      count,
      title: `${names[slot]}: ${plural(count, "article")} near ${row / ROWS}`,
    }));
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** One session over time: what it spent against its budget, and below how many articles it analysed. */
import type { Micros } from "../money.ts";
import { splitAtGaps, thinReadings } from "./readings.ts";
import { type Rule, ruleXMarks, ruleYMarks } from "./rules.ts";
import { stepMarks } from "./step_lines.ts";
import { nameText } from "./text.ts";
import { formatCount, plural, shortUsd, toUsd } from "./ticks.ts";
import { timeAxis, timeDomain } from "./time_axis.ts";
import type { Chart, Drawing, Frame } from "./types.ts";
import { valueAxis } from "./value_axis.ts";

/** Sums since the session's start, as they stood at a moment. */
export interface BurnReading {
  at: Date;
  /** Charged against the budget: never more than it. */
  spent: Micros;
  /** Billed above holds, outside the budget. */
  overrun?: Micros;
  analyzed: number;
}

/** A share of the budget at which somebody is told. */
export interface Threshold {
  label: string;
  percent: number;
}

export interface SessionBurnInput {
  readings: readonly BurnReading[];
  budget: Micros;
  /** Warn at 67 % and critical at 83 % unless told. */
  thresholds?: readonly Threshold[];
  /** Articles of the session. */
  total?: number;
  /** Pauses, resumes and the like. */
  events?: readonly { at: Date; label: string }[];
  /** A longer silence between readings is drawn as a gap; found from the readings unless told. */
  gapMs?: number;
}

export const THRESHOLDS: readonly Threshold[] = [
  { label: "warn", percent: 67 },
  { label: "critical", percent: 83 },
];

export function sessionBurn(input: SessionBurnInput): Chart {
  const last = [...input.readings].sort((a, b) => a.at.getTime() - b.at.getTime()).at(-1);
  const summary = last === undefined ? "" : summarize(input, last);
  return {
    kind: "session-burn",
    title: "Spent against the budget",
    description: summary === "" ? "Nothing has been read of this session." : `${summary}.`,
    empty: last === undefined ? "No data yet: the session has not started." : null,
    heightFor: () => 500,
    draw: (frame) => draw(input, frame, summary),
  };
}

function draw(input: SessionBurnInput, frame: Frame, summary: string): Drawing {
  const { readings, budget, total = 0, events = [] } = input;
  const { runs, gaps } = splitAtGaps(readings, input.gapMs);
  const thinned = runs.map((run) => thinReadings(run, frame.innerWidth));
  const x = timeAxis(frame, timeDomain([...readings, ...events].map(({ at }) => at)));
  const heights = [frame.height * 0.48, frame.height * 0.22] as const;
  const mostSpent = readings.reduce((most, reading) => Math.max(most, billed(reading)), 0);
  const above = readings.some(({ overrun = 0 }) => overrun > 0);
  const mostAnalyzed = readings.reduce((most, { analyzed }) => Math.max(most, analyzed), 0);
  const dollars = valueAxis(frame, toUsd(Math.max(budget, mostSpent)), heights[0], "usd");
  const articles = valueAxis(frame, Math.max(total, mostAnalyzed), heights[1], "count");
  const eventRules = events.map(({ at, label }): Rule => ({
    value: at.getTime(),
    label: nameText(label),
    color: "muted",
  }));
  const lines = (value: (reading: BurnReading) => number, color: string) =>
    stepMarks(frame, { runs: thinned, gaps }, value, color);
  // On the left, because sums that only grow leave the upper left corner free.
  const left = { at: x.domain[0], edge: "left" } as const;
  return {
    notes: [summary],
    legend: [
      ...above
        ? [
          { label: "spent", color: frame.paint.blue, mark: "line" as const },
          { label: "and billed above holds", color: frame.paint.pink, mark: "line" as const },
        ]
        : [],
      ...gaps.length > 0
        ? [{ label: "gap in the readings", color: frame.paint.muted, mark: "dashes" as const }]
        : [],
    ],
    panels: [
      {
        share: 2.4,
        yLabel: "US dollars spent",
        xLabel: null,
        marginLeft: dollars.marginLeft,
        xTickLines: 0,
        options: {
          x: x.scale,
          y: dollars.scale,
          marks: [
            ...dollars.marks,
            ...above ? lines((reading) => toUsd(billed(reading)), frame.paint.pink) : [],
            ...lines(({ spent }) => toUsd(spent), frame.paint.blue),
            ...ruleXMarks(frame, eventRules, x.domain, "bottom"),
            ...ruleYMarks(frame, budgetRules(input), { ...left, top: dollars.top, height: heights[0] }),
          ],
        },
      },
      {
        share: 1,
        yLabel: "articles analysed",
        xLabel: "time, UTC",
        marginLeft: articles.marginLeft,
        xTickLines: 2,
        options: {
          x: x.scale,
          y: articles.scale,
          marks: [
            ...articles.marks,
            ...lines(({ analyzed }) => analyzed, frame.paint.teal),
            ...ruleXMarks(frame, eventRules.map((rule) => ({ ...rule, label: "" })), x.domain, "bottom"),
            ...ruleYMarks(frame, totalRules(total), { ...left, top: articles.top, height: heights[1] }),
            ...x.marks,
          ],
        },
      },
    ],
  };
}

function billed({ spent, overrun = 0 as Micros }: BurnReading): Micros {
  return spent + overrun as Micros;
}

function budgetRules({ budget, thresholds = THRESHOLDS }: SessionBurnInput): Rule[] {
  return [
    ...thresholds.map(({ label, percent }, index): Rule => ({
      value: toUsd(budget) * percent / 100,
      label: `${nameText(label)} ${percent} %`,
      color: index === thresholds.length - 1 ? "pink" : "orange",
      dashed: true,
    })),
    { value: toUsd(budget), label: `budget ${shortUsd(budget)}`, color: "ink" },
  ];
}

function totalRules(total: number): Rule[] {
  return total > 0
    ? [{ value: total, label: `all ${formatCount(total)}`, color: "muted", dashed: true }]
    : [];
}

function summarize({ budget, total }: SessionBurnInput, last: BurnReading): string {
  const percent = budget > 0 ? ` (${Math.floor(last.spent * 100 / budget)} %)` : "";
  const articles = total
    ? `${formatCount(last.analyzed)} of ${plural(total, "article")}`
    : plural(last.analyzed, "article");
  const above = last.overrun ? `, ${shortUsd(last.overrun)} billed above holds` : "";
  return `Spent ${shortUsd(last.spent)} of ${shortUsd(budget)}${percent}${above}, ${articles} analysed`;
}

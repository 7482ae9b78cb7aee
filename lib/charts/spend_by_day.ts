/** What was spent on each UTC day, stacked by use. */
import { type Micros, micros } from "../money.ts";
import { type Calendar, dayNumber, isoDay, layOutDays, nameDay } from "./days.ts";
import { ruleYMarks } from "./rules.ts";
import { legendOf, pickSeries, type Series, stackBars, stackMarks } from "./series.ts";
import { slotAxis, slotInset, slotLimit, slotLines, slotScale } from "./slots.ts";
import { plural, shortUsd, sumMicros, toUsd } from "./ticks.ts";
import type { Chart, Drawing, Frame } from "./types.ts";
import { valueAxis } from "./value_axis.ts";

/** One line of the ledger's sums. Several of the same day and use are added up. */
export interface DaySpend {
  /** YYYY-MM-DD, UTC. */
  day: string;
  /** analysis, search, validation; or the model, for a chart by model. */
  use: string;
  spent: Micros;
}

export interface SpendByDayInput {
  rows: readonly DaySpend[];
  /** The most that one day may cost. */
  dayCap?: Micros | null;
  /** The first and last day to show, for days without spending at the edges. */
  from?: string;
  to?: string;
}

const USES: readonly Series[] = [
  { key: "analysis", label: "analysis", color: "blue" },
  { key: "search", label: "search", color: "orange" },
  { key: "validation", label: "validation", color: "teal" },
];

export function spendByDay(input: SpendByDayInput): Chart {
  const total = sumMicros(input.rows.map(({ spent }) => spent));
  return {
    kind: "spend-by-day",
    title: "Spend by day",
    description: describe(input, total),
    empty: total === 0 ? "No data yet: nothing was spent in this time." : null,
    heightFor: (width) => width < 500 ? 370 : 380,
    draw: (frame) => draw(input, frame),
  };
}

function draw(input: SpendByDayInput, frame: Frame): Drawing {
  const calendar = layOutDays(shownDays(input), slotLimit(frame));
  const { series, seriesOf } = pickSeries(sumByUse(input.rows), USES);
  const values = calendar.labels.map(() => series.map(() => 0));
  for (const { day, use, spent } of input.rows) {
    const row = values[calendar.indexOf(day)];
    const index = series.indexOf(seriesOf.get(use) as Series);
    if (row) row[index] = (row[index] ?? 0) + spent;
  }
  const { bars, max } = stackBars(
    frame,
    series,
    values,
    toUsd,
    (slot, { label }, spent) => `${calendar.names[slot]} · ${label} · ${shortUsd(micros(spent))}`,
  );
  const cap = placeCap(input, calendar, max);
  const height = frame.height * 0.7;
  const axis = valueAxis(frame, toUsd(Math.max(max, cap.line ?? 0)), height, "usd");
  const count = calendar.labels.length;
  return {
    notes: [[`Total ${shortUsd(sumMicros(input.rows.map(({ spent }) => spent)))}`, ...cap.notes].join(" · ")],
    legend: legendOf(frame, series),
    panels: [{
      share: 1,
      yLabel: `US dollars per ${calendar.period}`,
      xLabel: calendar.period === "day" ? "UTC day" : `UTC days, added up by ${calendar.period}`,
      marginLeft: axis.marginLeft,
      xTickLines: slotLines(calendar.labels),
      options: {
        x: slotScale(count),
        y: axis.scale,
        marks: [
          ...axis.marks,
          ...stackMarks(frame, bars, slotInset(frame, count)),
          ...ruleYMarks(
            frame,
            cap.line === null
              ? []
              : [{ value: toUsd(cap.line), label: cap.label, color: "pink", dashed: true }],
            { at: count - 0.5, edge: "right", top: axis.top, height },
          ),
          ...slotAxis(frame, calendar.labels),
        ],
      },
    }],
  };
}

/** The cap is a line where bars are days and it does not flatten them; it is told in words otherwise. */
function placeCap(
  { dayCap, rows }: SpendByDayInput,
  calendar: Calendar,
  max: number,
): { line: Micros | null; label: string; notes: string[] } {
  if (dayCap === undefined || dayCap === null) return { line: null, label: "", notes: [] };
  const byDay = sumByDay(rows);
  const reached = [...byDay.values()].filter((spent) => spent >= dayCap).length;
  const line = calendar.period === "day" && dayCap <= max * 4 ? dayCap : null;
  const label = `day cap ${shortUsd(dayCap)}`;
  const note = line === null && reached === 0
    ? `${label}, never reached`
    : `${label}, reached on ${plural(reached, "day")}`;
  return { line, label, notes: [note] };
}

function shownDays({ rows, from, to }: SpendByDayInput): string[] {
  return [...rows.map(({ day }) => day), ...(from ? [from] : []), ...(to ? [to] : [])];
}

function sumByUse(rows: readonly DaySpend[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { use, spent } of rows) if (spent > 0) sums.set(use, (sums.get(use) ?? 0) + spent);
  return sums;
}

function sumByDay(rows: readonly DaySpend[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { day, spent } of rows) sums.set(day, (sums.get(day) ?? 0) + spent);
  return sums;
}

function describe(input: SpendByDayInput, total: Micros): string {
  if (total === 0) return "Nothing was spent in this time.";
  const days = shownDays(input).map(dayNumber);
  const [first, last] = [days.reduce((a, b) => Math.min(a, b)), days.reduce((a, b) => Math.max(a, b))];
  const [day, spent] = [...sumByDay(input.rows)].reduce((most, one) => one[1] > most[1] ? one : most);
  const cap = input.dayCap ? ` The day cap is ${shortUsd(input.dayCap)}.` : "";
  if (first === last) return `${shortUsd(total)} was spent on ${nameDay(day)} (UTC).${cap}`;
  return `${shortUsd(total)} was spent from ${nameDay(isoDay(first))} to ${nameDay(isoDay(last))} (UTC), ` +
    `most of it on ${nameDay(day)} (${shortUsd(micros(spent))}).${cap}`;
}

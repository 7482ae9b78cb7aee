/** Which topics rise and which fall between two spans of time. */
import { heightForRows, isNarrow, namedRowsPanel } from "./named_rows.ts";
import { nameText } from "./text.ts";
import { formatCount, plural } from "./ticks.ts";
import type { Chart, Drawing, Frame } from "./types.ts";

export interface TopicTrend {
  topic: string;
  /** Articles on it in the earlier span. */
  before: number;
  /** Articles on it in the later span. */
  now: number;
}

export interface TopicTrendsInput {
  rows: readonly TopicTrend[];
  /** The spans in words, for example "the 30 days before" and "the last 30 days". */
  before: string;
  now: string;
}

/** Topics shown in each direction. */
const MOST_ROWS = 8;

export function topicTrends(input: TopicTrendsInput): Chart {
  const sorted = input.rows.filter(({ before, now }) => before !== now)
    .sort((a, b) => change(b) - change(a) || b.now - a.now || (a.topic < b.topic ? -1 : 1));
  const rising = sorted.filter((row) => change(row) > 0).slice(0, MOST_ROWS);
  const falling = sorted.filter((row) => change(row) < 0).slice(-MOST_ROWS);
  const shown = [...rising, ...falling];
  return {
    kind: "topic-trends",
    title: "Rising and falling topics",
    description: shown.length === 0 ? "No topic rises or falls." : `${summarize(rising, falling)}.`,
    empty: shown.length === 0
      ? input.rows.length === 0
        ? "No data yet: no analysed article names a topic."
        : "No data yet: every topic is as frequent as it was before."
      : null,
    heightFor: () => heightForRows(shown.length) + 24,
    draw: (frame) => draw(input, shown, sorted.length, frame),
  };
}

function draw(input: TopicTrendsInput, shown: readonly TopicTrend[], all: number, frame: Frame): Drawing {
  const rows = shown.map((row) => ({
    name: row.topic,
    value: change(row),
    figure: signed(change(row)) +
      (isNarrow(frame) ? "" : ` (${formatCount(row.before)} → ${formatCount(row.now)})`),
    color: frame.paint[change(row) > 0 ? "teal" : "orange"],
  }));
  const left = all - shown.length;
  return {
    notes: [
      `Articles in ${nameText(input.now)} against ${nameText(input.before)}` +
      (left > 0 ? ` · ${plural(left, "smaller change")} not shown` : ""),
    ],
    legend: [
      { label: "rising", color: frame.paint.teal, mark: "square" },
      { label: "falling", color: frame.paint.orange, mark: "square" },
    ],
    panels: [
      namedRowsPanel(frame, rows, { label: "change in articles", smallestStep: 1, formatFor: () => signed }),
    ],
  };
}

function change({ before, now }: TopicTrend): number {
  return now - before;
}

function signed(value: number): string {
  return value === 0 ? "0" : `${value < 0 ? "−" : "+"}${formatCount(Math.abs(value))}`;
}

function summarize(rising: readonly TopicTrend[], falling: readonly TopicTrend[]): string {
  const name = (row: TopicTrend) => `${nameText(row.topic)} (${signed(change(row))})`;
  const parts = [];
  if (rising[0]) parts.push(`${name(rising[0])} rises most`);
  const last = falling.at(-1);
  if (last) parts.push(`${name(last)} falls most`);
  return parts.join(", ");
}

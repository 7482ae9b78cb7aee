/** The mood of the analysed articles over time, as shares, with the number of articles they are shares of below. */
import { type Calendar, layOutDays } from "./days.ts";
import { legendOf, pickSeries, type Series, stackBars, stackMarks } from "./series.ts";
import { slotAxis, slotInset, slotLimit, slotLines, slotScale } from "./slots.ts";
import { formatCount, plural } from "./ticks.ts";
import type { Chart, Drawing, Frame } from "./types.ts";
import { valueAxis } from "./value_axis.ts";

export type Sentiment = "POSITIVE" | "NEGATIVE" | "NEUTRAL" | "MIXED";

export interface SentimentCount {
  /** YYYY-MM-DD, UTC. */
  day: string;
  sentiment: Sentiment;
  articles: number;
}

export interface SentimentOverTimeInput {
  rows: readonly SentimentCount[];
  /** The finest bars; days unless told. Coarser ones are taken where these would be too many. */
  by?: "day" | "week";
}

const SENTIMENTS: readonly Series[] = [
  { key: "POSITIVE", label: "positive", color: "teal" },
  { key: "MIXED", label: "mixed", color: "blue" },
  { key: "NEUTRAL", label: "neutral", color: "grey" },
  { key: "NEGATIVE", label: "negative", color: "orange" },
];

export function sentimentOverTime(input: SentimentOverTimeInput): Chart {
  const counted = input.rows.filter(({ articles }) => articles > 0);
  const summary = counted.length === 0 ? "" : summarize(counted);
  return {
    kind: "sentiment-over-time",
    title: "Sentiment over time",
    description: summary === "" ? "No article has been analysed." : `${summary}.`,
    empty: summary === "" ? "No data yet: no article has been analysed." : null,
    heightFor: (width) => width < 500 ? 500 : 470,
    draw: (frame) =>
      draw(counted, layOutDays(counted.map(({ day }) => day), slotLimit(frame), input.by), frame, summary),
  };
}

function draw(rows: readonly SentimentCount[], calendar: Calendar, frame: Frame, summary: string): Drawing {
  const { series } = pickSeries(new Map(rows.map(({ sentiment }) => [sentiment, 1])), SENTIMENTS);
  const values = calendar.labels.map(() => series.map(() => 0));
  for (const { day, sentiment, articles } of rows) {
    const row = values[calendar.indexOf(day)];
    const index = series.findIndex(({ key }) => key === sentiment);
    if (row) row[index] = (row[index] ?? 0) + articles;
  }
  const totals = values.map((row) => row.reduce((sum, value) => sum + value, 0));
  const share = (value: number, slot: number) => value * 100 / (totals[slot] ?? 1);
  const { bars } = stackBars(
    frame,
    series,
    values,
    share,
    (slot, { label }, articles) =>
      `${calendar.names[slot]} · ${label} · ${formatCount(articles)} of ${
        plural(totals[slot] ?? 0, "article")
      }`,
  );
  const counts = stackBars(
    frame,
    [{ key: "articles", label: "articles", color: "violet" }],
    totals.map((n) => [n]),
    (count) => count,
    (slot, _, count) => `${calendar.names[slot]} · ${plural(count, "article")}`,
  );
  const percent = valueAxis(frame, 100, frame.height * 0.5, "percent");
  const articles = valueAxis(frame, counts.max, frame.height * 0.15, "count");
  const count = calendar.labels.length;
  const inset = slotInset(frame, count);
  return {
    notes: [summary],
    legend: legendOf(frame, series),
    panels: [
      {
        share: 3,
        yLabel: `share of the ${calendar.period}'s articles`,
        xLabel: null,
        marginLeft: percent.marginLeft,
        xTickLines: 0,
        options: {
          x: slotScale(count),
          y: percent.scale,
          marks: [...percent.marks, ...stackMarks(frame, bars, inset)],
        },
      },
      {
        share: 1,
        yLabel: `articles per ${calendar.period}`,
        xLabel: calendar.period === "day" ? "UTC day" : `UTC days, added up by ${calendar.period}`,
        marginLeft: articles.marginLeft,
        xTickLines: slotLines(calendar.labels),
        options: {
          x: slotScale(count),
          y: articles.scale,
          marks: [
            ...articles.marks,
            ...stackMarks(frame, counts.bars, inset),
            ...slotAxis(frame, calendar.labels),
          ],
        },
      },
    ],
  };
}

function summarize(rows: readonly SentimentCount[]): string {
  const total = rows.reduce((sum, { articles }) => sum + articles, 0);
  const shares = SENTIMENTS.map(({ key, label }) => {
    const count = rows.reduce((sum, row) => row.sentiment === key ? sum + row.articles : sum, 0);
    return `${Math.round(count * 100 / total)} % ${label}`;
  });
  return `${plural(total, "article")}: ${shares.join(", ")}`;
}

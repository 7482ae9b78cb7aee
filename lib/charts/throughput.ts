/** How fast a session analysed, what failed, and how many articles were in flight. */
import type { SeriesColor } from "./palette.ts";
import { slotLimit } from "./slots.ts";
import { nameStep, type Span, sumByStep, type ThroughputReading } from "./sum_by_step.ts";
import { formatCount, plural } from "./ticks.ts";
import { timeAxis } from "./time_axis.ts";
import type { Chart, Drawing, Frame, Marks, Panel } from "./types.ts";
import { valueAxis } from "./value_axis.ts";

export interface ThroughputInput {
  readings: readonly ThroughputReading[];
  /** Milliseconds that each reading sums up, where readings are sums over equal spans; `at` is a span's beginning. */
  stepMs?: number;
}

const MINUTE_MS = 60_000;

export function throughput({ readings, stepMs }: ThroughputInput): Chart {
  const analyzed = readings.reduce((sum, reading) => sum + reading.analyzed, 0);
  const failed = readings.reduce((sum, reading) => sum + reading.failed, 0);
  const nothing = analyzed + failed === 0;
  return {
    kind: "throughput",
    title: "Throughput",
    description: nothing
      ? "No article has been finished."
      : `${plural(analyzed, "article")} analysed, ${formatCount(failed)} failed.`,
    empty: nothing ? "No data yet: no article has been finished." : null,
    heightFor: (width) => width < 500 ? 480 : 480,
    draw: (frame) =>
      draw(
        sumByStep(readings, slotLimit(frame), stepMs),
        frame,
        `${plural(analyzed, "article")} analysed, ${formatCount(failed)} failed`,
      ),
  };
}

function draw({ spans, step }: { spans: Span[]; step: number }, frame: Frame, summary: string): Drawing {
  const known = spans.filter(({ inFlight }) => inFlight !== null);
  const x = timeAxis(frame, [spans[0]?.from ?? 0, spans.at(-1)?.to ?? 1]);
  const perMinute = (count: number) => count * MINUTE_MS / step;
  const most = spans.reduce((top, { analyzed, failed }) => Math.max(top, analyzed + failed), 0);
  const two = known.length > 0;
  const failed = spans.some((span) => span.failed > 0);
  // Air above the highest bar for its cross.
  const speed = valueAxis(
    frame,
    perMinute(most) * (failed ? 1.12 : 1),
    frame.height * (two ? 0.45 : 0.7),
    "count",
  );
  const upper: Panel = {
    share: two ? 2.2 : 1,
    yLabel: "articles per minute",
    xLabel: two ? null : "time, UTC",
    marginLeft: speed.marginLeft,
    xTickLines: two ? 0 : 2,
    options: {
      x: x.scale,
      y: speed.scale,
      marks: [...speed.marks, ...barMarks(frame, spans, perMinute), ...(two ? [] : x.marks)],
    },
  };
  const flight = valueAxis(
    frame,
    known.reduce((top, { inFlight }) => Math.max(top, inFlight ?? 0), 0),
    frame.height * 0.22,
    "count",
  );
  const lower: Panel = {
    share: 1,
    yLabel: "articles in flight",
    xLabel: "time, UTC",
    marginLeft: flight.marginLeft,
    xTickLines: 2,
    options: {
      x: x.scale,
      y: flight.scale,
      marks: [...flight.marks, ...flightMarks(frame, known), ...x.marks],
    },
  };
  return {
    notes: [step === MINUTE_MS ? summary : `${summary} · each bar is the pace over ${nameStep(step)}`],
    legend: [
      { label: "analysed", color: frame.paint.blue, mark: "square" },
      ...(failed ? [{ label: "failed", color: frame.paint.pink, mark: "cross" as const }] : []),
    ],
    panels: two ? [upper, lower] : [upper],
  };
}

function barMarks(frame: Frame, spans: readonly Span[], perMinute: (count: number) => number): Marks {
  const inset = frame.innerWidth / spans.length > 6
    ? Math.max(0.75, (frame.innerWidth / spans.length - 64) / 2)
    : 0;
  const part = (color: SeriesColor, from: (span: Span) => number, to: (span: Span) => number) =>
    frame.plot.rect(spans.filter((span) => to(span) > from(span)), {
      x1: "from",
      x2: "to",
      y1: (span: Span) => perMinute(from(span)),
      y2: (span: Span) => perMinute(to(span)),
      insetLeft: inset,
      insetRight: inset,
      fill: frame.paint[color],
      title: (span: Span) =>
        `${
          new Date(span.from).toISOString().slice(11, 19)
        }: ${span.analyzed} analysed, ${span.failed} failed`,
    });
  return [
    part("blue", () => 0, ({ analyzed }) => analyzed),
    part("pink", ({ analyzed }) => analyzed, ({ analyzed, failed }) => analyzed + failed),
    // A shape as well as a colour: one failure among many articles is a sliver.
    frame.plot.dot(spans.filter(({ failed }) => failed > 0), {
      x: ({ from, to }: Span) => (from + to) / 2,
      y: ({ analyzed, failed }: Span) => perMinute(analyzed + failed),
      symbol: "times",
      r: 5,
      dy: -9,
      stroke: frame.paint.pink,
      strokeWidth: 2.5,
    }),
    frame.plot.ruleY([0], { stroke: frame.paint.muted }),
  ];
}

function flightMarks(frame: Frame, spans: readonly Span[]): Marks {
  const last = spans.at(-1);
  // The last level holds until the end of its span.
  const points = last === undefined ? [] : [...spans, { ...last, from: last.to }];
  const channels = { x: "from", y: "inFlight", curve: "step-after" } as const;
  return [
    frame.plot.areaY(points, { ...channels, fill: frame.paint.teal, fillOpacity: 0.14 }),
    frame.plot.line(points, { ...channels, stroke: frame.paint.teal, strokeWidth: 2.5 }),
    frame.plot.ruleY([0], { stroke: frame.paint.muted }),
  ];
}

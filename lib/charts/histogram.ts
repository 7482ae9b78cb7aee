/** Draws bins on a linear axis, with vertical reference lines. */
import { labelledAxisX } from "./axis_x.ts";
import { FONT_SIZE, MARGIN_RIGHT } from "./layout.ts";
import type { Bin } from "./bins.ts";
import { type Rule, ruleXMarks } from "./rules.ts";
import { measureText } from "./text.ts";
import { plural, ticksBetween } from "./ticks.ts";
import type { Frame, Panel } from "./types.ts";
import { SMALLEST_STEP, type Unit, unitFormat, valueAxis } from "./value_axis.ts";

export interface Histogram {
  bins: readonly Bin[];
  domain: [number, number];
  unit: Unit;
  xLabel: string;
  /** What is counted, in the singular. */
  noun: string;
  rules: readonly Rule[];
  color: (bin: Bin) => string;
}

export function histogramPanel(frame: Frame, histogram: Histogram): Panel {
  const { bins, domain, unit, noun } = histogram;
  const most = bins.reduce((top, { count }) => Math.max(top, count), 0);
  // Air above the highest bar for the names of the lines.
  const y = valueAxis(frame, most * 1.15, frame.height * 0.7, "count");
  const x = placeTicks(frame, domain, unit);
  return {
    share: 1,
    yLabel: `${noun}s`,
    xLabel: histogram.xLabel,
    marginLeft: y.marginLeft,
    xTickLines: 1,
    options: {
      x: { type: "linear", domain, axis: null },
      y: y.scale,
      marks: [
        ...y.marks,
        frame.plot.rect(bins.filter(({ count }) => count > 0), {
          x1: "from",
          x2: "to",
          y1: () => 0,
          y2: "count",
          insetLeft: 0.75,
          insetRight: 0.75,
          fill: histogram.color,
          title: (bin: Bin) => describeBin(bin, x.format, noun),
        }),
        frame.plot.ruleY([0], { stroke: frame.paint.muted }),
        ...ruleXMarks(frame, histogram.rules, domain, "top"),
        labelledAxisX(frame, x.ticks, x.format),
      ],
    },
  };
}

function describeBin(
  { from, to, count, open }: Bin,
  format: (value: number) => string,
  noun: string,
): string {
  return `${open ? `${format(from)} and more` : `${format(from)} to ${format(to)}`}: ${plural(count, noun)}`;
}

/** As many ticks as fit beside each other; one whose label would run out of the picture is left out. */
function placeTicks(frame: Frame, domain: [number, number], unit: Unit) {
  const [from, to] = domain;
  const choose = (count: number) => {
    const ticks = ticksBetween(from, to, count, SMALLEST_STEP[unit]);
    const format = unitFormat(unit, ticks);
    return { ticks, format, widest: Math.max(...ticks.map((tick) => measureText(format(tick), FONT_SIZE))) };
  };
  const { ticks, format, widest } = choose(
    Math.max(2, Math.floor(frame.innerWidth / (choose(4).widest + 34))),
  );
  const room = MARGIN_RIGHT - widest / 2;
  const end = to + room * (to - from) / frame.innerWidth;
  return { ticks: ticks.filter((tick) => tick <= end), format };
}

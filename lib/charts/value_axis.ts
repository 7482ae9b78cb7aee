/** The vertical axis of amounts: round ticks from 0 with light grid lines, no axis line. */
import { FONT_SIZE } from "./layout.ts";
import { measureText } from "./text.ts";
import { formatCount, roundTicks, usdTickFormat } from "./ticks.ts";
import type { Frame, Marks, PlotOptions } from "./types.ts";

export interface ValueAxis {
  marks: Marks;
  scale: PlotOptions["y"];
  /** Pixels for the labels. */
  marginLeft: number;
  /** The scale's upper end. */
  top: number;
}

export type Unit = "usd" | "count" | "percent" | "share";

/** Money is counted in whole micro-dollars and articles in whole ones; finer ticks would promise more. */
export const SMALLEST_STEP: Record<Unit, number> = { usd: 0.000_001, count: 1, percent: 1, share: 0 };

/** @param height Pixels of the panel; it decides how many ticks there are. */
export function valueAxis(frame: Frame, max: number, height: number, unit: Unit): ValueAxis {
  const count = Math.max(2, Math.min(7, Math.floor(height / 42)));
  const rounded = unit === "percent"
    ? [0, 25, 50, 75, 100]
    : unit === "share"
    ? [0, 0.25, 0.5, 0.75, 1]
    : roundTicks(max, count, SMALLEST_STEP[unit]);
  const [last, step] = [rounded.at(-1) ?? 1, rounded[1] ?? 1];
  // A round end that is far above the largest value is wasted paper.
  const top = last - max > step * 0.3 && max > 0 ? max * 1.04 : last;
  const ticks = rounded.filter((tick) => tick <= top);
  const format = unitFormat(unit, ticks);
  return {
    scale: { type: "linear", domain: [0, top], axis: null },
    top,
    marginLeft: Math.max(...ticks.map((tick) => measureText(format(tick), FONT_SIZE))) + 12,
    marks: [
      frame.plot.gridY(ticks, { stroke: frame.paint.grid, strokeOpacity: 1 }),
      frame.plot.axisY(ticks, {
        label: null,
        tickSize: 0,
        tickPadding: 8,
        fill: frame.paint.muted,
        fontSize: FONT_SIZE,
        tickFormat: (tick: number) => format(tick),
      }),
    ],
  };
}

export function unitFormat(unit: Unit, ticks: readonly number[]): (value: number) => string {
  if (unit === "usd") return usdTickFormat(ticks);
  return unit === "percent" ? (value) => `${value} %` : formatCount;
}

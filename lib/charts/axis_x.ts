/** How every horizontal axis looks: muted labels under short ticks, no line. */
import { FONT_SIZE } from "./layout.ts";
import type { Frame, Marks } from "./types.ts";

/** @param format The label of a tick, from its value and its place among the ticks. */
export function labelledAxisX(
  frame: Frame,
  ticks: readonly number[],
  format: (tick: number, index: number) => string,
): Marks[number] {
  return frame.plot.axisX(ticks, {
    label: null,
    tickSize: 4,
    stroke: "none",
    fill: frame.paint.muted,
    color: frame.paint.muted,
    fontSize: FONT_SIZE,
    tickFormat: (tick: number, index: number) => format(tick, index),
  });
}

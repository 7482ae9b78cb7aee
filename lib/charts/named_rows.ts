/** Horizontal bars with a name left of each and its figure at the bar's end. Names are cut, never turned. */
import { FONT_SIZE, MARGIN_RIGHT, PADDING, WIDEST_MARGIN } from "./layout.ts";
import { measureSides, placeFigures } from "./figure_room.ts";
import { labelStyle } from "./rules.ts";
import { fitText, measureText } from "./text.ts";
import type { Frame, Panel } from "./types.ts";

export interface NamedRow {
  name: string;
  /** In the axis's unit; bars of negative values go left. */
  value: number;
  /** Stands at the bar's end. */
  figure: string;
  color: string;
  strong?: boolean;
}

export interface FigureAxis {
  label: string;
  /** 1 where only whole numbers make sense. */
  smallestStep: number;
  formatFor: (ticks: readonly number[]) => (value: number) => string;
}

/** Pixels of height for one row. */
export const ROW_HEIGHT = 30;
const BAR_INSET = 4;
/** Names and figures leave at least this much for the longest bars of both sides together. */
const SHORTEST_BARS = 40;
const SHORTEST_NAME = 40;
const NAME_GAP = 14;

/** Too narrow for figures of more than one number: they would leave no room for the bars. */
export function isNarrow(frame: Frame): boolean {
  return frame.innerWidth < 420;
}

export function namedRowsPanel(
  frame: Frame,
  rows: readonly NamedRow[],
  axis: FigureAxis,
): Panel {
  const full = frame.innerWidth + WIDEST_MARGIN;
  const sides = measureSides(rows);
  const room = full - sides.left.room - sides.right.room - SHORTEST_BARS;
  const width = Math.max(SHORTEST_NAME, Math.min(full * (isNarrow(frame) ? 0.46 : 0.36), room));
  const names = rows.map(({ name }) => fitText(name, width, FONT_SIZE) || "(no name)");
  const marginLeft = Math.max(...names.map((name) => measureText(name, FONT_SIZE))) + NAME_GAP;
  const { domain, ticks } = placeFigures(sides, full - marginLeft, axis.smallestStep);
  const format = axis.formatFor(ticks);
  const { plot, paint } = frame;
  return {
    share: 1,
    yLabel: null,
    xLabel: axis.label,
    marginLeft,
    xTickLines: 1,
    options: {
      x: { type: "linear", domain, axis: null },
      y: { type: "linear", domain: [rows.length - 0.5, -0.5], axis: null },
      marks: [
        plot.gridX(ticks, { stroke: paint.grid, strokeOpacity: 1 }),
        plot.rect(rows, {
          x1: () => 0,
          x2: "value",
          y1: (_: NamedRow, index: number) => index - 0.5,
          y2: (_: NamedRow, index: number) => index + 0.5,
          insetTop: BAR_INSET,
          insetBottom: BAR_INSET,
          fill: "color",
          title: ({ name, figure }: NamedRow, index: number) => `${names[index] ?? name}: ${figure}`,
        }),
        plot.ruleX([0], { stroke: paint.muted }),
        ...[true, false].flatMap((right) =>
          [false, true].map((strong) =>
            plot.text(rows.filter((row) => (row.value >= 0) === right && (row.strong ?? false) === strong), {
              x: "value",
              y: (row: NamedRow) => rows.indexOf(row),
              text: "figure",
              textAnchor: right ? "start" : "end",
              dx: right ? 6 : -6,
              fontWeight: strong ? 600 : undefined,
              ...labelStyle(frame, { color: "ink" }),
            })
          )
        ),
        plot.axisY(rows.map((_, index) => index), {
          label: null,
          tickSize: 0,
          tickPadding: 8,
          fill: paint.ink,
          fontSize: FONT_SIZE,
          tickFormat: (index: number) => names[index] ?? "",
        }),
        plot.axisX(ticks, {
          label: null,
          tickSize: 0,
          fill: paint.muted,
          fontSize: FONT_SIZE,
          tickFormat: (tick: number) => format(tick),
        }),
      ],
    },
  };
}

/** Pixels of height for a chart of this many rows, title and axis included. */
export function heightForRows(rows: number): number {
  return Math.max(220, Math.round(PADDING * 2 + 120 + MARGIN_RIGHT + rows * ROW_HEIGHT));
}

/** Room on a horizontal axis for the figures that stand beyond the ends of its bars, on both sides where there are bars. */
import { FONT_SIZE } from "./layout.ts";
import { measureText } from "./text.ts";
import { roundTicks } from "./ticks.ts";

export interface Figure {
  /** In the axis's unit; bars of negative values go left. */
  value: number;
  figure: string;
}

interface Side {
  /** The longest bar's value, without its sign. */
  most: number;
  /** Pixels for the widest figure. */
  room: number;
}

export interface Sides {
  left: Side;
  right: Side;
}

/** Between a bar's end and its figure, and behind the figure. */
const GAP = 16;
/** Pixels for a tick's label and the air around it. */
const TICK_WIDTH = 60;

export function measureSides(rows: readonly Figure[]): Sides {
  const measure = (own: readonly Figure[]): Side => ({
    most: own.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0),
    room: own.length === 0
      ? 0
      : GAP + own.reduce((room, { figure }) => Math.max(room, measureText(figure, FONT_SIZE)), 0),
  });
  return {
    left: measure(rows.filter(({ value }) => value < 0)),
    right: measure(rows.filter(({ value }) => value >= 0)),
  };
}

/** @param width Pixels of the axis. */
export function placeFigures(
  { left, right }: Sides,
  width: number,
  smallestStep: number,
): { domain: [number, number]; ticks: number[] } {
  const span = left.most + right.most || 1;
  const pixels = Math.max(1, width - left.room - right.room);
  const domain: [number, number] = [
    -(left.most + left.room * span / pixels),
    right.most + right.room * span / pixels,
  ];
  const apart = roundTicks(span, Math.max(1, Math.floor(pixels / TICK_WIDTH)), smallestStep)[1] ?? 1;
  // A step that only 0 is a multiple of says nothing; a finer one is taken where its labels still fit.
  const finer = roundTicks(Math.max(left.most, right.most), 2, smallestStep)[1] ?? 1;
  const step = finer < apart && finer * pixels / span >= TICK_WIDTH ? finer : apart;
  const ticks: number[] = [];
  for (let index = -Math.floor(left.most / step); index * step <= right.most * 1.0001; index++) {
    ticks.push(Number((index * step).toPrecision(12)));
  }
  return { domain, ticks };
}

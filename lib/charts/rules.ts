/** Reference lines with their names written on them, kept apart where two are close. */
import { FONT_SIZE } from "./layout.ts";
import type { SeriesColor } from "./palette.ts";
import { fitText, measureText } from "./text.ts";
import type { Frame, Marks } from "./types.ts";

export interface Rule {
  value: number;
  /** Empty for a line without a name. */
  label: string;
  color: SeriesColor | "ink" | "muted";
  dashed?: boolean;
}

const LABEL_HEIGHT = 18;
const LONGEST_LABEL = 180;
/** Rows that names of vertical lines may take; a name that fits in none is left out, its line stays. */
const LABEL_ROWS = 3;

export interface RuleYPlace {
  /** The axis's value at the edge where the names stand. */
  at: number;
  edge: "left" | "right";
  /** The vertical axis's upper end, and the pixels from 0 to there. */
  top: number;
  height: number;
}

/** Horizontal lines. A name stands above its line, or below it where there is no room. */
export function ruleYMarks(frame: Frame, rules: readonly Rule[], place: RuleYPlace): Marks {
  let above = -Infinity;
  const lines: Marks = [];
  const labels: Marks = [];
  for (const rule of [...rules].sort((a, b) => b.value - a.value)) {
    const y = place.height * (1 - rule.value / place.top);
    const fits = y - LABEL_HEIGHT >= Math.max(above, -4);
    const center = Math.max(fits ? y - 9 : y + 11, above + LABEL_HEIGHT / 2);
    above = center + LABEL_HEIGHT / 2;
    lines.push(frame.plot.ruleY([rule.value], lineStyle(frame, rule)));
    labels.push(frame.plot.text([rule.label], {
      x: place.at,
      y: rule.value,
      text: (label: string) => label,
      textAnchor: place.edge === "left" ? "start" : "end",
      lineAnchor: "middle",
      dx: place.edge === "left" ? 6 : 0,
      dy: center - y,
      ...labelStyle(frame, rule),
    }));
  }
  return [...lines, ...labels];
}

/** Vertical lines. A name stands beside its line, where it crosses no other one, in the first row that is free. */
export function ruleXMarks(
  frame: Frame,
  rules: readonly Rule[],
  domain: [number, number],
  edge: "top" | "bottom",
): Marks {
  const pixels = ({ value }: Rule) => frame.innerWidth * (value - domain[0]) / (domain[1] - domain[0]);
  const taken: { row: number; from: number; to: number }[] = [];
  const labels: Marks = [];
  for (const rule of [...rules].sort((a, b) => a.value - b.value)) {
    const label = fitText(rule.label, LONGEST_LABEL, FONT_SIZE);
    if (label === "") continue;
    const width = measureText(label, FONT_SIZE) + 12;
    const x = pixels(rule);
    const sides = [{ from: x, to: x + width }, { from: x - width, to: x }]
      .filter(({ from, to }) => from >= 0 && to <= frame.innerWidth + 20);
    const crossed = ({ from, to }: { from: number; to: number }) =>
      rules.filter((other) => other !== rule && pixels(other) > from && pixels(other) < to).length;
    const side = sides.sort((a, b) => crossed(a) - crossed(b))[0];
    // Wider than the plot: the notes above say the figure too.
    if (side === undefined) continue;
    const row = Array.from({ length: LABEL_ROWS }, (_, index) => index)
      .find((index) => taken.every((one) => one.row !== index || one.to <= side.from || one.from >= side.to));
    if (row === undefined) continue;
    taken.push({ row, ...side });
    const offset = 6 + row * LABEL_HEIGHT;
    labels.push(frame.plot.text([label], {
      x: rule.value,
      text: (text: string) => text,
      frameAnchor: edge,
      textAnchor: side.from === x ? "start" : "end",
      lineAnchor: edge,
      dx: side.from === x ? 6 : -6,
      dy: edge === "top" ? offset : -offset,
      ...labelStyle(frame, rule),
    }));
  }
  return [...rules.map((rule) => frame.plot.ruleX([rule.value], lineStyle(frame, rule))), ...labels];
}

function lineStyle(frame: Frame, { color, dashed }: Rule) {
  const strokeWidth = color === "muted" ? 1 : 1.75;
  return { stroke: frame.paint[color], strokeWidth, strokeDasharray: dashed ? "6,4" : undefined };
}

/** The halo in the background's colour keeps the letters apart from bars and lines behind them. */
export function labelStyle(frame: Frame, { color }: { color: Rule["color"] }) {
  return {
    fill: color === "muted" ? frame.paint.muted : frame.paint.ink,
    stroke: frame.paint.surface,
    strokeWidth: 5,
    fontSize: FONT_SIZE,
  };
}

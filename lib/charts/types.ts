/**
 * A chart is a value: what it says in words, and how to draw it for a given width and theme. Making one is pure and
 * loads nothing; only rendering brings in the drawing library.
 */
import type * as Plot from "@observablehq/plot";
import type { Paint } from "./palette.ts";

export type PlotLibrary = typeof Plot;
export type Marks = Plot.Markish[];
export type { PlotOptions } from "@observablehq/plot";

/** What a drawing is made for. */
export interface Frame {
  plot: PlotLibrary;
  paint: Paint;
  /** Pixels between the axes; the real width is never less. */
  innerWidth: number;
  /** Pixels that all panels share, captions and axes included. */
  height: number;
}

export interface LegendItem {
  label: string;
  color: string;
  mark: "square" | "line" | "dashes" | "dot" | "cross";
}

/** One plot of a chart. Panels stand below each other and share their left and right edges. */
export interface Panel {
  /** Share of the height in relation to the other panels. */
  share: number;
  /** What the vertical axis counts, with its unit; stands above the axis. Null for lists of names. */
  yLabel: string | null;
  /** What the horizontal axis counts; null where the panel below says it. */
  xLabel: string | null;
  /** Pixels that the labels left of the plot need. */
  marginLeft: number;
  /** Lines of text under each tick of the horizontal axis; 0 hides that axis. */
  xTickLines: 0 | 1 | 2;
  options: Plot.PlotOptions;
}

export interface Drawing {
  panels: Panel[];
  legend: LegendItem[];
  /** What a reader has to know about this drawing, for example that days were added up to weeks. */
  notes: string[];
}

export interface Chart {
  /** Machine name, for file names. */
  kind: string;
  title: string;
  /** The main figures in one sentence: for screen readers, captions and logs. */
  description: string;
  /** Why there is nothing to draw; null when there is something. */
  empty: string | null;
  /** Pixels of height that suit a drawing as wide as this. */
  heightFor(width: number): number;
  draw(frame: Frame): Drawing;
}

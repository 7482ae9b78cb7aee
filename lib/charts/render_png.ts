/** A chart as PNG, for chats, which show no SVG. */
import { rasterize } from "./rasterize.ts";
import { renderSvg } from "./render_svg.ts";
import type { Chart } from "./types.ts";

export interface PngOptions {
  /** Pixels that the chart is laid out for; 800 unless told. The picture is `scale` times as wide. */
  width?: number;
  height?: number;
  /** Picture pixels a chart pixel, 1 to 4; 2 unless told, which keeps texts sharp on phones. */
  scale?: number;
  theme?: "light" | "dark";
  title?: string;
}

/** Chats scale larger pictures down, and memory grows with the square. */
const LONGEST_SIDE = 4800;

/** @throws RangeError for sizes that nothing can be drawn on. */
export async function renderPng(chart: Chart, options: PngOptions = {}): Promise<Uint8Array> {
  const { scale = 2, theme = "light", width = 800, title } = options;
  const height = options.height ?? chart.heightFor(width);
  if (!(scale >= 1 && scale <= 4)) throw new RangeError(`A chart's scale must be 1 to 4, got ${scale}`);
  const longest = Math.max(width, height) * scale;
  if (longest > LONGEST_SIDE) {
    throw new RangeError(`A chart's picture must be at most ${LONGEST_SIDE} pixels long, got ${longest}`);
  }
  return await rasterize(await renderSvg(chart, { width, height, theme, title }), scale);
}

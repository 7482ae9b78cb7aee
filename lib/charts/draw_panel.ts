/** Runs the drawing library on one panel and returns its marks as SVG text, without a root element. */
import { CAPTION, FONT_SIZE, MARGIN_RIGHT, MARGIN_TOP, TICK_LINE, TICK_SPACE } from "./layout.ts";
import { serializeChildren, type SvgNode } from "./serialize_svg.ts";
import type { Panel, PlotLibrary, PlotOptions } from "./types.ts";

/** The drawing library and the document it draws in. */
export interface Canvas {
  plot: PlotLibrary;
  /** Its own: a global `document` would make other libraries take this process for a browser. */
  page: PlotOptions["document"];
}

let canvas: Promise<Canvas> | null = null;

/** Only the first drawing pays for the libraries, some 130 ms and 30 MB. */
export function openCanvas(): Promise<Canvas> {
  canvas ??= (async () => {
    const [plot, { DOMParser }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
    const page = new DOMParser().parseFromString("<!doctype html><html><body></body></html>", "text/html");
    return { plot, page };
  })();
  return canvas;
}

/** Pixels under the plot. */
export function marginBottom(panel: Panel): number {
  if (panel.xTickLines === 0) return 12;
  return TICK_SPACE + panel.xTickLines * TICK_LINE + (panel.xLabel === null ? 0 : CAPTION);
}

export function marginTop(panel: Panel): number {
  return panel.yLabel === null ? 8 : MARGIN_TOP;
}

export interface Box {
  width: number;
  height: number;
  marginLeft: number;
}

export function drawPanel({ plot, page }: Canvas, panel: Panel, box: Box, ink: string): string {
  const drawn = plot.plot({
    ...panel.options,
    ...box,
    document: page,
    marginTop: marginTop(panel),
    marginRight: MARGIN_RIGHT,
    marginBottom: marginBottom(panel),
    style: { fontSize: `${FONT_SIZE}px` },
  });
  return serializeChildren(drawn as unknown as SvgNode, ink);
}

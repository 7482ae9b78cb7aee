/**
 * A chart as SVG text, to stand inline in a page, in a notebook, or in a file of its own.
 *
 * Colours are presentation attributes, so a Content-Security-Policy without 'unsafe-inline' leaves them alone. An
 * "auto" chart writes them as custom properties with the light colour as fallback, and has one style block that sets
 * the properties for readers with a dark system. A policy lets that block pass by `nonce`; where it is refused the
 * chart is a light one. Nothing in the text has an id, so charts that share a page cannot disturb each other.
 */
import { composeChart } from "./compose_chart.ts";
import { FONT_FAMILY, FONT_SIZE, LARGEST_SIDE, SMALLEST_HEIGHT, SMALLEST_WIDTH } from "./layout.ts";
import { CHART_CLASS, paintFor, type Theme, themeCss } from "./palette.ts";
import { escapeXml } from "./serialize_svg.ts";
import { cleanText } from "./text.ts";
import type { Chart } from "./types.ts";

export interface SvgOptions {
  /** Pixels, 320 to 2400; 800 unless told. */
  width?: number;
  /** Pixels, 160 to 2400; what suits the chart unless told. */
  height?: number;
  /** "auto" unless told. */
  theme?: Theme;
  /** In place of the chart's own title. */
  title?: string;
  /** For the style block of an "auto" chart. */
  nonce?: string;
}

/** @throws RangeError for a width or height that nothing can be drawn on. */
export async function renderSvg(chart: Chart, options: SvgOptions = {}): Promise<string> {
  const { width = 800, theme = "auto", nonce, title = chart.title } = options;
  checkSize("width", width, SMALLEST_WIDTH);
  const height = options.height ?? chart.heightFor(width);
  checkSize("height", height, SMALLEST_HEIGHT);
  const paint = paintFor(theme);
  const body = await composeChart(chart, title, { width, height }, paint);
  const style = theme === "auto"
    ? `<style${nonce === undefined ? "" : ` nonce="${escapeXml(nonce)}"`}>${themeCss()}</style>`
    : "";
  return `<svg xmlns="http://www.w3.org/2000/svg" class="${CHART_CLASS}" role="img" width="${width}" ` +
    `height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT_FAMILY}" font-size="${FONT_SIZE}">` +
    `<title>${escapeXml(cleanText(title))}</title><desc>${escapeXml(chart.description)}</desc>${style}` +
    `<rect width="${width}" height="${height}" fill="${paint.surface}"/>${body}</svg>`;
}

function checkSize(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least || value > LARGEST_SIDE) {
    throw new RangeError(`A chart's ${name} must be ${least} to ${LARGEST_SIDE} whole pixels, got ${value}`);
  }
}

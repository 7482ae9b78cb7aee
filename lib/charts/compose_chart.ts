/** Puts the parts of a chart below each other: title, notes, legend, panels; or the reason why there is nothing. */
import { type Canvas, drawPanel, marginBottom, marginTop, openCanvas } from "./draw_panel.ts";
import { FONT_SIZE, LINE_HEIGHT, MARGIN_RIGHT, PADDING, TITLE_SIZE, WIDEST_MARGIN } from "./layout.ts";
import { type Block, drawLegend } from "./legend.ts";
import type { Paint } from "./palette.ts";
import { escapeXml } from "./serialize_svg.ts";
import { wrapText } from "./text.ts";
import type { Chart, Drawing, Panel } from "./types.ts";

export interface Size {
  width: number;
  height: number;
}

/** A panel keeps this many pixels however many lines stand above it; what does not fit is cut at the bottom. */
const LOWEST_PLOT = 40;
/** Between the legend and the panels. */
const AIR = 8;

export async function composeChart(chart: Chart, title: string, size: Size, paint: Paint): Promise<string> {
  const width = size.width - 2 * PADDING;
  // Bold letters are some 5 % wider than the measured ones.
  const head = textBlock(wrapText(title, width / 1.05, TITLE_SIZE, 2), {
    size: TITLE_SIZE,
    fill: paint.ink,
    weight: 600,
  });
  const height = size.height - 2 * PADDING - head.height;
  if (chart.empty !== null) return stack([head, drawEmpty(chart.empty, { width, height }, paint)]);

  const canvas = await openCanvas();
  const innerWidth = size.width - PADDING - WIDEST_MARGIN - MARGIN_RIGHT;
  const drawing = chart.draw({ plot: canvas.plot, paint, innerWidth, height });
  const lines = drawing.notes.flatMap((note) => wrapText(note, width, FONT_SIZE, 3));
  const notes = textBlock(lines, { size: FONT_SIZE, fill: paint.muted });
  const legend = drawLegend(drawing.legend, width, paint.ink);
  const left = height - notes.height - legend.height - AIR;
  const panels = drawPanels(canvas, drawing.panels, { width: size.width - PADDING, height: left }, paint);
  return stack([head, notes, legend, { svg: "", height: AIR }, panels]);
}

function drawPanels(canvas: Canvas, panels: Drawing["panels"], size: Size, paint: Paint): Block {
  const shares = panels.reduce((sum, { share }) => sum + share, 0);
  const edges = panels.reduce((sum, panel) => sum + marginTop(panel) + marginBottom(panel), 0);
  const plots = Math.max(LOWEST_PLOT * panels.length, size.height - edges);
  const marginLeft = Math.max(...panels.map((panel) => panel.marginLeft));
  let y = 0;
  let svg = "";
  for (const panel of panels) {
    const box = {
      width: size.width,
      height: plots * panel.share / shares + marginTop(panel) + marginBottom(panel),
      marginLeft,
    };
    svg += `<g transform="translate(0,${y.toFixed(1)})">${captions(panel, box, paint)}` +
      `<g text-anchor="middle" fill="${paint.ink}">${drawPanel(canvas, panel, box, paint.ink)}</g></g>`;
    y += box.height;
  }
  return { svg, height: y };
}

function captions({ yLabel, xLabel }: Panel, size: Size, paint: Paint): string {
  const text = (label: string | null, x: number, y: number, anchor: string) =>
    label === null
      ? ""
      : `<text x="${x}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${paint.muted}">${
        escapeXml(label)
      }</text>`;
  return text(yLabel, 0, FONT_SIZE, "start") +
    text(xLabel, size.width - MARGIN_RIGHT, size.height - 5, "end");
}

function drawEmpty(reason: string, { width, height }: Size, paint: Paint): Block {
  const lines = wrapText(reason, width - 40, FONT_SIZE, 4);
  const text = textBlock(lines, { size: FONT_SIZE, fill: paint.muted, anchor: "middle" });
  const svg = `<rect x="0.5" y="8.5" width="${width - 1}" height="${height - 9}" rx="6" fill="none" ` +
    `stroke="${paint.muted}" stroke-opacity="0.6" stroke-dasharray="4,4"/>` +
    `<g transform="translate(${width / 2},${(height - text.height) / 2})">${text.svg}</g>`;
  return { svg, height };
}

interface TextStyle {
  size: number;
  fill: string;
  weight?: number;
  anchor?: string;
}

function textBlock(
  lines: readonly string[],
  { size, fill, weight = 400, anchor = "start" }: TextStyle,
): Block {
  const line = Math.round(size * LINE_HEIGHT);
  const svg = lines.map((text, index) =>
    `<text y="${line * index + size}" font-size="${size}" font-weight="${weight}" fill="${fill}" ` +
    `text-anchor="${anchor}">${escapeXml(text)}</text>`
  ).join("");
  return { svg, height: lines.length === 0 ? 0 : line * lines.length + 4 };
}

function stack(blocks: readonly Block[]): string {
  let y = PADDING;
  return blocks.map(({ svg, height }) => {
    const placed = svg === "" ? "" : `<g transform="translate(${PADDING},${y.toFixed(1)})">${svg}</g>`;
    y += height;
    return placed;
  }).join("");
}

/** The row of colour keys under the title, wrapped to the chart's width. */
import { FONT_SIZE } from "./layout.ts";
import { escapeXml } from "./serialize_svg.ts";
import { fitText, measureText } from "./text.ts";
import type { LegendItem } from "./types.ts";

const KEY_WIDTH = 18;
const KEY_GAP = 7;
const ITEM_GAP = 18;
const ROW = 24;
const LONGEST_LABEL = 220;

export interface Block {
  svg: string;
  height: number;
}

export function drawLegend(items: readonly LegendItem[], width: number, ink: string): Block {
  let x = 0;
  let y = 0;
  let svg = "";
  for (const { label, color, mark } of items) {
    const text = fitText(label, Math.min(LONGEST_LABEL, width - KEY_WIDTH - KEY_GAP), FONT_SIZE);
    const itemWidth = KEY_WIDTH + KEY_GAP + measureText(text, FONT_SIZE);
    if (x > 0 && x + itemWidth > width) {
      x = 0;
      y += ROW;
    }
    svg += `<g transform="translate(${x.toFixed(1)},${y + ROW / 2})">${KEYS[mark](color)}` +
      `<text x="${KEY_WIDTH + KEY_GAP}" y="5" fill="${ink}">${escapeXml(text)}</text></g>`;
    x += itemWidth + ITEM_GAP;
  }
  return { svg, height: items.length === 0 ? 0 : y + ROW };
}

const KEYS: Record<LegendItem["mark"], (color: string) => string> = {
  square: (color) => `<rect x="3" y="-6" width="12" height="12" rx="2" fill="${color}"/>`,
  line: (color) => `<path d="M0,0H18" stroke="${color}" stroke-width="2.5" fill="none"/>`,
  dashes: (color) =>
    `<path d="M0,0H18" stroke="${color}" stroke-width="2" stroke-dasharray="5,3" fill="none"/>`,
  dot: (color) => `<circle cx="9" cy="0" r="5" fill="${color}"/>`,
  cross: (color) => `<path d="M4,-5L14,5M14,-5L4,5" stroke="${color}" stroke-width="2.5" fill="none"/>`,
};

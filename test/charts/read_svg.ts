/** Reads a drawn chart back: its bars, texts and lines, by position on the page. */
import { DOMParser } from "linkedom";
import { renderSvg, type SvgOptions } from "../../lib/charts/render_svg.ts";
import type { Chart } from "../../lib/charts/types.ts";
import { offsetOf } from "./text_boxes.ts";

export interface Element {
  localName: string;
  parentElement: Element | null;
  textContent: string;
  getAttribute(name: string): string | null;
  querySelector(selector: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
}

export interface Bar {
  /** Of the page; translations of the groups around it are added up. */
  x: number;
  y: number;
  width: number;
  height: number;
  fill: string;
  title: string;
}

export interface Drawn {
  svg: string;
  root: Element;
  bars: Bar[];
  /** Visible texts, tooltips and descriptions left out. */
  texts: string[];
  title: string;
  description: string;
}

/** Light, so that fills are plain colours, unless told. */
export async function drawChart(chart: Chart, options: SvgOptions = {}): Promise<Drawn> {
  return readSvg(await renderSvg(chart, { theme: "light", ...options }));
}

export function readSvg(svg: string): Drawn {
  const root = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement as unknown as Element;
  const bars = [...root.querySelectorAll('g[data-mark="rect"] > rect')].map(readBar);
  const texts = [...root.querySelectorAll("text")].map((text) => {
    const lines = [...text.querySelectorAll("tspan")].map((line) => line.textContent);
    return lines.length > 0 ? lines.join(" ") : text.textContent;
  });
  const own = (name: string) => root.querySelector(name)?.textContent ?? "";
  return { svg, root, bars, texts, title: own("title"), description: own("desc") };
}

function readBar(bar: Element): Bar {
  const number = (name: string) => Number(bar.getAttribute(name));
  const [dx, dy] = offsetOf(bar);
  return {
    x: number("x") + dx,
    y: number("y") + dy,
    width: number("width"),
    height: number("height"),
    fill: bar.getAttribute("fill") ?? bar.parentElement?.getAttribute("fill") ?? "",
    title: bar.querySelector("title")?.textContent ?? "",
  };
}

export function sumHeights(bars: readonly Bar[]): number {
  return bars.reduce((sum, { height }) => sum + height, 0);
}

/** Throws what is wrong with a text as XML; linkedom reads anything. */
export function checkXml(text: string): void {
  const open: string[] = [];
  const token = /<(\/?)([a-z]+)((?:\s+[a-zA-Z0-9:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  let last = 0;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    last = token.lastIndex;
    const [, closing, name = "", attributes = "", selfClosing, content = ""] = match;
    if (/&(?!(?:amp|lt|gt|quot|#39);)/.test(attributes + content)) throw new Error(`Bare & in ${match[0]}`);
    if (closing && open.pop() !== name) throw new Error(`</${name}> closes something else`);
    if (name && !closing && !selfClosing) open.push(name);
  }
  if (last !== text.length) throw new Error(`Not XML from ${text.slice(last, last + 80)}`);
  if (open.length > 0) throw new Error(`Not closed: ${open.join(", ")}`);
}

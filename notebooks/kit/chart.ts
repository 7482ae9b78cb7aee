/**
 * Charts as an output: the SVG, which is sharp and follows a dark system, and a PNG. The SVG stands in an `<img>`, because
 * viewers clean markup of notebooks that they do not trust yet, and nbconvert before 7.2.3 cleans every SVG to nothing
 * (jupyter/nbconvert #1849).
 */
import { Buffer } from "node:buffer";
import { type Chart, renderPng, renderSvg } from "../../lib/charts/charts.ts";
import { escapeXml } from "../../lib/charts/serialize_svg.ts";
import { DISPLAY, type Displayable } from "./displayable.ts";

export interface ChartOptions {
  /** In place of the chart's own. */
  title?: string;
  /** Pixels. */
  width?: number;
}

export function chart(drawn: Chart, { title = drawn.title, width = 800 }: ChartOptions = {}): Displayable {
  const height = drawn.heightFor(width);
  return {
    // The picture has two pixels for each of these.
    metadata: { "image/png": { width, height } },
    async [DISPLAY]() {
      const [svg, png] = await Promise.all([
        renderSvg(drawn, { theme: "auto", width, title }),
        renderPng(drawn, { theme: "light", width, title }),
      ]);
      const text = `${title}: ${drawn.description}`;
      const source = `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
      return {
        "text/plain": `[chart] ${text}`,
        "text/html": `<img alt="${escapeXml(text)}" src="${source}" width="${width}" height="${height}" ` +
          'style="max-width:100%;height:auto">',
        "image/png": Buffer.from(png).toString("base64"),
      };
    },
  };
}

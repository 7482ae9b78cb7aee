/** Run by a test in a process of its own: what charts cost before, at and after the first drawing, as JSON. */
import { renderPng, renderSvg } from "../../lib/charts/charts.ts";
import { SAMPLES } from "./samples.ts";

const chart = SAMPLES.spendByDay?.();
if (chart === undefined) throw new Error("No sample to draw");
const megabytes = () => Math.round(Deno.memoryUsage().rss / 1e5) / 10;
const measured: Record<string, number> = { rssImported: megabytes() };

async function measure(name: string, action: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await action();
  measured[name] = Math.round((performance.now() - start) * 10) / 10;
}

await measure("firstSvgMs", () => renderSvg(chart));
measured.rssAfterSvg = megabytes();
await measure("secondSvgMs", () => renderSvg(chart));
await measure("firstPngMs", () => renderPng(chart));
measured.rssAfterPng = megabytes();
await measure("secondPngMs", () => renderPng(chart));
for (let count = 0; count < 60; count++) await renderPng(chart);
measured.rssAfterSixty = megabytes();
const png = await renderPng(chart);
measured.bytes = png.length;
console.log(JSON.stringify(measured));

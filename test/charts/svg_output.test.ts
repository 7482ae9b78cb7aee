import { DOMParser } from "linkedom";
import { describe, expect, it } from "vitest";
import { themeCss } from "../../lib/charts/palette.ts";
import { renderSvg } from "../../lib/charts/render_svg.ts";
import { serializeChildren, type SvgNode } from "../../lib/charts/serialize_svg.ts";
import type { Chart } from "../../lib/charts/types.ts";
import { EMPTY, ONE } from "./edge_samples.ts";
import { checkXml, drawChart, readSvg } from "./read_svg.ts";
import { SAMPLES } from "./samples.ts";

const names = Object.keys(SAMPLES);
const sample = (name: string) => (SAMPLES[name] as () => Chart)();

describe("every chart as SVG", () => {
  it.each(names)("%s is well-formed and tells its title and main figures to screen readers", async (name) => {
    const chart = sample(name);
    const { svg, root, title, description } = await drawChart(chart);
    checkXml(svg);
    expect(root.getAttribute("role")).toBe("img");
    expect(title).toBe(chart.title);
    expect(description).toBe(chart.description);
    expect(description).toMatch(/\d.*\.$/);
  });

  it.each(names)("%s needs nothing that a strict Content-Security-Policy refuses", async (name) => {
    for (const theme of ["light", "dark"] as const) {
      const svg = await renderSvg(sample(name), { theme });
      expect(svg).not.toMatch(/\sstyle=|<style|<script|\son[a-z]+=|\bhref|url\(|<foreignObject|<image/i);
    }
    const auto = await renderSvg(sample(name), { nonce: "abc123" });
    expect(auto).not.toMatch(/\sstyle=|<script|\son[a-z]+=|\bhref|url\(/i);
    expect(auto.match(/<style[^>]*>/g)).toEqual(['<style nonce="abc123">']);
  });

  it.each(names)("%s has no ids and one shared class, so that many can stand on a page", async (name) => {
    const svg = await renderSvg(sample(name));
    expect(svg).not.toMatch(/\sid=/);
    expect(svg.match(/\sclass="[^"]*"/g)).toEqual([' class="nightdesk-chart"']);
    expect(svg).toContain(themeCss());
  });

  it.each(names)("%s is the same text every time", async (name) => {
    expect(await renderSvg(sample(name))).toBe(await renderSvg(sample(name)));
  });

  it.each(names)("%s writes no number that is none, and no warning of the library", async (name) => {
    const svg = await renderSvg(sample(name));
    expect(svg).not.toMatch(/NaN|undefined|Infinity|null|⚠/);
  });

  it.each(Object.keys(EMPTY))("%s says honestly that there is no data", async (name) => {
    const { texts, bars, svg, description } = await drawChart(EMPTY[name] as Chart);
    checkXml(svg);
    expect(texts.join(" ")).toContain("No data yet: ");
    expect(bars).toEqual([]);
    expect(description.length).toBeGreaterThan(10);
  });

  it.each(Object.keys(ONE))("%s works with one value, and that of zero", async (name) => {
    const { svg, texts } = await drawChart(ONE[name] as Chart);
    checkXml(svg);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(texts.length).toBeGreaterThan(4);
  });
});

describe("what the drawing library makes", () => {
  const parse = (svg: string) =>
    new DOMParser().parseFromString(svg, "image/svg+xml").documentElement as unknown as SvgNode;

  it("passes only known elements and attributes", () => {
    const drawn = parse(
      '<svg><style>a{}</style><script>b()</script><g class="c" id="d" style="e:f" onclick="g()" fill="currentColor">' +
        '<a href="h"><text>i</text></a><image href="j"/><rect x="1.23456" y="2" clip-path="url(#k)"/><text>l &amp; m</text></g></svg>',
    );
    expect(serializeChildren(drawn, "#123456")).toBe(
      '<g fill="#123456"><rect x="1.23" y="2"/><text>l &amp; m</text></g>',
    );
  });
});

describe("themes and sizes", () => {
  it("auto falls back to the light colours where its style block is refused", async () => {
    const chart = sample("spendByDay");
    const auto = await renderSvg(chart);
    const withoutStyle = auto.replace(/<style>.*<\/style>/, "");
    const resolved = withoutStyle.replace(/var\(--chart-[a-z]+, (#[0-9a-f]{6})\)/g, "$1");
    expect(resolved).toBe(await renderSvg(chart, { theme: "light" }));
    expect(auto).toContain("@media (prefers-color-scheme:dark)");
  });

  it("light and dark differ in colours only", async () => {
    const withoutColors = async (theme: "light" | "dark") =>
      (await renderSvg(sample("sentimentOverTime"), { theme })).replace(/#[0-9a-f]{6}/g, "");
    expect(await withoutColors("light")).toBe(await withoutColors("dark"));
  });

  it("takes width, height and title, and fills them", async () => {
    const { root, title, texts } = await drawChart(sample("costPerArticle"), {
      width: 640,
      height: 300,
      title: "What one costs",
    });
    expect([root.getAttribute("width"), root.getAttribute("height")]).toEqual(["640", "300"]);
    expect(root.getAttribute("viewBox")).toBe("0 0 640 300");
    expect(title).toBe("What one costs");
    expect(texts[0]).toBe("What one costs");
  });

  it("refuses sizes that nothing can be drawn on", async () => {
    const chart = sample("spendByDay");
    for (const width of [0, 319, 2401, 400.5, NaN, Infinity]) {
      await expect(renderSvg(chart, { width }), String(width)).rejects.toThrow(/width must be 320 to 2400/);
    }
    await expect(renderSvg(chart, { height: 20 })).rejects.toThrow(/height must be 160 to 2400.*got 20/);
  });

  it("escapes the nonce", async () => {
    const svg = await renderSvg(sample("modelCosts"), { nonce: '"><script>' });
    expect(svg).toContain('nonce="&quot;&gt;&lt;script&gt;"');
  });

  it("reads back what readSvg is given", () => {
    expect(() => checkXml("<g><text>a & b</text></g>")).toThrow(/Bare &/);
    expect(() => checkXml("<g><text></g>")).toThrow(/closes something else/);
    expect(readSvg('<svg><g data-mark="rect"><rect x="1"/></g></svg>').bars).toHaveLength(1);
  });
});

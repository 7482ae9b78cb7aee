import { describe, expect, it } from "vitest";
import { renderPng } from "../../lib/charts/render_png.ts";
import type { Chart } from "../../lib/charts/types.ts";
import { countInk, readPng } from "./read_png.ts";
import { SAMPLES } from "./samples.ts";

const MAGIC = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const sample = (name: string) => (SAMPLES[name] as () => Chart)();
const TITLE = { x: 16, y: 10, width: 500, height: 32 };

describe("every chart as PNG", () => {
  it.each(Object.keys(SAMPLES))(
    "%s is a picture of the size asked for, on an opaque ground, not blank",
    async (name) => {
      const chart = sample(name);
      const png = await renderPng(chart, { scale: 1, theme: "dark" });
      expect([...png.subarray(0, 8)]).toEqual(MAGIC);
      const picture = readPng(png);
      expect([picture.width, picture.height]).toEqual([800, chart.heightFor(800)]);
      expect(picture.at(1, 1)).toEqual([0x14, 0x17, 0x1c, 255]);
      const all = { x: 0, y: 0, width: picture.width, height: picture.height };
      expect(countInk(picture, all)).toBeGreaterThan(picture.width * picture.height * 0.01);
      expect(countInk(picture, TITLE)).toBeGreaterThan(200);
    },
  );

  it("is twice as large as the chart unless told, for sharp letters on phones", async () => {
    const picture = readPng(await renderPng(sample("modelCosts"), { width: 400, height: 300 }));
    expect([picture.width, picture.height]).toEqual([800, 600]);
  });

  it("refuses scales and sizes that would not fit a chat or the memory", async () => {
    const chart = sample("modelCosts");
    for (const scale of [0, 0.5, 5, NaN]) {
      await expect(renderPng(chart, { scale }), String(scale)).rejects.toThrow(/scale must be 1 to 4/);
    }
    await expect(renderPng(chart, { width: 2400, scale: 3 })).rejects.toThrow(
      /at most 4800 pixels long, got 7200/,
    );
  });

  it("draws several at once", async () => {
    const charts = [sample("spendByDay"), sample("spendByDay"), sample("topicTrends")];
    const [one, two] = await Promise.all(charts.map((chart) => renderPng(chart, { scale: 1 })));
    expect(two).toEqual(one);
  });
});

describe("letters in pictures", () => {
  const draw = async (title: string) => readPng(await renderPng(sample("modelCosts"), { scale: 1, title }));

  it("are really drawn: other words, other pixels", async () => {
    const [none, narrow, wide] = await Promise.all([draw(" "), draw("iiiiiiii"), draw("MMMMMMMM")]);
    expect(countInk(none, TITLE)).toBe(0);
    expect(countInk(narrow, TITLE)).toBeGreaterThan(50);
    expect(countInk(wide, TITLE)).toBeGreaterThan(countInk(narrow, TITLE) * 1.5);
  });

  it("are bold in the title", async () => {
    const chart = sample("modelCosts");
    const plain = {
      ...chart,
      title: " ",
      draw: (frame: Parameters<Chart["draw"]>[0]) => ({ ...chart.draw(frame), notes: ["Cost by model"] }),
    };
    const ink = countInk(await draw("Cost by model"), TITLE);
    const below = readPng(await renderPng(plain, { scale: 1 }));
    expect(ink).toBeGreaterThan(countInk(below, { x: 16, y: 38, width: 500, height: 24 }) * 1.4);
  });

  it("that no font here has become an ellipsis, not boxes", async () => {
    const [ellipsis, japanese, rocket] = await Promise.all([draw("…"), draw("ビットコイン"), draw("🚀")]);
    const ink = countInk(ellipsis, TITLE);
    expect(countInk(japanese, TITLE)).toBe(ink);
    expect(countInk(rocket, TITLE)).toBe(ink);
  });

  it("of Greek, Cyrillic and accented Latin, and the sign of Bitcoin, are drawn", async () => {
    for (const title of ["Αγορά", "Биткойн", "gęślą jaźń", "₿"]) {
      expect(countInk(await draw(title), TITLE), title).toBeGreaterThan(countInk(await draw("…"), TITLE) * 2);
    }
  });
});

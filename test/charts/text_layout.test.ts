import { describe, expect, it } from "vitest";
import { BUSY, EMPTY, ONE } from "./edge_samples.ts";
import { checkXml, drawChart } from "./read_svg.ts";
import { SAMPLES } from "./samples.ts";
import { findOverlaps, findTextBoxes } from "./text_boxes.ts";

/** Phones, columns of a page, and a wide screen. */
const WIDTHS = [320, 360, 400, 600, 800, 1600];

const charts = [
  ...Object.entries(SAMPLES).map(([name, make]) => [name, make()] as const),
  ...Object.entries(BUSY).map(([name, chart]) => [`${name} with much data`, chart] as const),
  ...Object.entries(ONE).map(([name, chart]) => [`${name} with one value`, chart] as const),
  ...Object.entries(EMPTY).map(([name, chart]) => [`${name} without data`, chart] as const),
];

describe.each(charts)("the texts of %s", (_, chart) => {
  it.each(WIDTHS)("are legible, inside the picture and apart at %i pixels", async (width) => {
    const { root, svg } = await drawChart(chart, { width });
    checkXml(svg);
    const sizes = [...root.querySelectorAll("[font-size]")].map((one) =>
      Number(one.getAttribute("font-size"))
    );
    expect(Math.min(14, ...sizes)).toBe(14);
    const boxes = findTextBoxes(root);
    const height = Number(root.getAttribute("height"));
    for (const { text, left, right, bottom } of boxes) {
      expect(left, text).toBeGreaterThanOrEqual(0);
      expect(right, text).toBeLessThanOrEqual(width);
      expect(bottom, text).toBeLessThanOrEqual(height);
    }
    expect(findOverlaps(boxes)).toEqual([]);
  });
});

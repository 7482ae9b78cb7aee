import { describe, expect, it } from "vitest";
import { COLORS, paintFor, SERIES } from "../../lib/charts/palette.ts";

type Rgb = [number, number, number];

/** Linear light, 0 to 1. */
function toLinear(hex: string): Rgb {
  return [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
}

/** WCAG 2 contrast ratio. */
function contrast(a: string, b: string): number {
  const light = (hex: string) => {
    const [red, green, blue] = toLinear(hex);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  return (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
}

/** Full colour blindness of each kind: Machado, Oliveira and Fernandes 2009. */
const SIGHT: Record<string, number[][]> = {
  full: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [
    -0.003882,
    -0.048116,
    1.051998,
  ]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [
    -0.01182,
    0.04294,
    0.968881,
  ]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [
    0.004733,
    0.691367,
    0.3039,
  ]],
};

/** Oklab, in which distances are about as large as they look. */
function seen(hex: string, sight: number[][]): Rgb {
  const linear = toLinear(hex);
  const [red, green, blue] = sight.map((row) =>
    Math.min(1, Math.max(0, row.reduce((sum, factor, index) => sum + factor * (linear[index] ?? 0), 0)))
  ) as Rgb;
  const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

describe.each(["light", "dark"] as const)("the %s colours", (theme) => {
  const surface = COLORS.surface[theme];

  it("stand out from the background: series at 3:1 or more, texts at 4.5:1", () => {
    for (const [name, tone] of Object.entries(SERIES)) {
      expect(contrast(tone[theme], surface), name).toBeGreaterThanOrEqual(3);
    }
    expect(contrast(COLORS.ink[theme], surface)).toBeGreaterThanOrEqual(7);
    expect(contrast(COLORS.muted[theme], surface)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(Object.entries(SIGHT))("can be told apart by people with %s sight", (_, sight) => {
    const tones = Object.entries(SERIES);
    for (const [index, [name, tone]] of tones.entries()) {
      for (const [other, otherTone] of tones.slice(0, index)) {
        const [a, b] = [seen(tone[theme], sight), seen(otherTone[theme], sight)];
        const distance = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
        expect(distance, `${name} and ${other}`).toBeGreaterThan(0.09);
      }
    }
  });
});

describe("paint", () => {
  it("names a custom property with the light tone behind it for auto", () => {
    expect(paintFor("auto").blue).toBe(`var(--chart-blue, ${SERIES.blue.light})`);
    expect(paintFor("dark").blue).toBe(SERIES.blue.dark);
  });
});

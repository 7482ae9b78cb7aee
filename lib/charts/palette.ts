/**
 * Colours. Every one stands out from its background at 3:1 or more (texts at 4.5:1), and any two series colours stay
 * apart for people who see no red, no green or no blue. The test of this file computes both.
 */
export type Theme = "light" | "dark" | "auto";

interface Tone {
  light: string;
  dark: string;
}

/** The colours that stand for data. Grey is for what counts least: "other", NEUTRAL, CANCELLED. */
export const SERIES = {
  blue: { light: "#3d79f4", dark: "#4a7be0" },
  orange: { light: "#d67800", dark: "#e8922c" },
  teal: { light: "#1b765d", dark: "#48d3a3" },
  pink: { light: "#74206a", dark: "#ad4680" },
  violet: { light: "#281543", dark: "#d6d0ff" },
  grey: { light: "#929292", dark: "#8b8f95" },
} as const satisfies Record<string, Tone>;

const GROUND = {
  surface: { light: "#ffffff", dark: "#14171c" },
  ink: { light: "#1b1f24", dark: "#e8ebef" },
  muted: { light: "#59616b", dark: "#a3abb5" },
  grid: { light: "#e3e6ea", dark: "#2b3038" },
} as const satisfies Record<string, Tone>;

export type SeriesColor = keyof typeof SERIES;
export type ColorName = SeriesColor | keyof typeof GROUND;
/** A colour's name to what an SVG attribute takes for it. */
export type Paint = Readonly<Record<ColorName, string>>;

export const COLORS: Record<ColorName, Tone> = { ...SERIES, ...GROUND };

/** The class of every chart's root element. Nothing in a chart has an id, so many can share a page. */
export const CHART_CLASS = "nightdesk-chart";

export function paintFor(theme: Theme): Paint {
  const paint: Partial<Record<ColorName, string>> = {};
  for (const [name, tone] of Object.entries(COLORS) as [ColorName, Tone][]) {
    // The light tone is the fallback, so an "auto" chart whose style block was refused is still right, in light.
    paint[name] = theme === "auto" ? `var(--chart-${name}, ${tone.light})` : tone[theme];
  }
  return paint as Paint;
}

/**
 * What makes an "auto" chart follow the reader's system. The same text in every chart, and without specificity, so a
 * page with its own switch overrides it with `.nightdesk-chart { --chart-ink: … }`.
 */
export function themeCss(): string {
  const dark = (Object.entries(COLORS) as [ColorName, Tone][])
    .map(([name, tone]) => `--chart-${name}:${tone.dark}`).join(";");
  return `:where(.${CHART_CLASS}){max-width:100%;height:auto}` +
    `@media (prefers-color-scheme:dark){:where(.${CHART_CLASS}){${dark}}}`;
}

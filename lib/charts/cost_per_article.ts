/** How the cost of an analysed article is distributed. */
import { type Micros, micros } from "../money.ts";
import { type Bin, binValues, median } from "./bins.ts";
import { histogramPanel } from "./histogram.ts";
import type { Rule } from "./rules.ts";
import { plural, shortUsd, sumMicros, toUsd } from "./ticks.ts";
import type { Chart, Drawing, Frame } from "./types.ts";

export interface CostPerArticleInput {
  /** One entry an analysed article: everything paid for it. */
  costs: readonly Micros[];
  /** What was expected when the session was planned. */
  expected?: Micros | null;
}

const FEWEST_BINS = 9;

export function costPerArticle(input: CostPerArticleInput): Chart {
  const summary = input.costs.length === 0 ? "" : summarize(input);
  return {
    kind: "cost-per-article",
    title: "Cost per article",
    description: summary === "" ? "No analysed article has a cost." : `${summary}.`,
    empty: summary === "" ? "No data yet: no article has been analysed." : null,
    heightFor: (width) => width < 500 ? 380 : 380,
    draw: (frame) => draw(input, frame, summary),
  };
}

function draw({ costs, expected }: CostPerArticleInput, frame: Frame, summary: string): Drawing {
  const inMicros = binValues(costs);
  const bins = inMicros.map((bin): Bin => ({ ...bin, from: toUsd(bin.from), to: toUsd(bin.to) }));
  const [first, last] = [bins[0] as Bin, bins.at(-1) as Bin];
  // A few bins alone would be as wide as the chart.
  const margin = Math.max(0, FEWEST_BINS - bins.length) / 2 * (last.to - last.from);
  // From 0 unless that would push the bars together at the right.
  const domain: [number, number] = [
    first.from < last.to * 0.6 ? 0 : Math.max(0, first.from - margin),
    last.to + margin,
  ];
  const rules: Rule[] = [{ value: toUsd(mean(costs)), label: `mean ${shortUsd(mean(costs))}`, color: "ink" }];
  const notes = [summary];
  if (expected !== undefined && expected !== null) {
    const usd = toUsd(expected);
    // An expectation far off would flatten the bars; then it is told in words only.
    if (usd >= domain[0] / 3 && usd <= domain[1] * 2) {
      domain[0] = Math.min(domain[0], usd * 0.9);
      domain[1] = Math.max(domain[1], usd * 1.1);
      rules.push({ value: usd, label: `expected ${shortUsd(expected)}`, color: "pink", dashed: true });
    }
  }
  if (last.open) {
    notes.push(
      `Grey: ${plural(last.count, "article")} at ${shortUsd(micros(inMicros.at(-1)?.from ?? 0))} and more`,
    );
  }
  return {
    notes,
    legend: [],
    panels: [histogramPanel(frame, {
      bins,
      domain,
      unit: "usd",
      xLabel: "US dollars per article",
      noun: "article",
      rules,
      color: ({ open }) => open ? frame.paint.grey : frame.paint.blue,
    })],
  };
}

function mean(costs: readonly Micros[]): Micros {
  return micros(Math.round(sumMicros(costs) / costs.length));
}

function summarize({ costs, expected }: CostPerArticleInput): string {
  const most = costs.reduce((a, b) => a > b ? a : b);
  const plan = expected === undefined || expected === null ? "" : `, expected ${shortUsd(expected)}`;
  return `${plural(costs.length, "article")}, mean ${shortUsd(mean(costs))}, ` +
    `median ${shortUsd(micros(median(costs)))}, most ${shortUsd(most)}${plan}`;
}

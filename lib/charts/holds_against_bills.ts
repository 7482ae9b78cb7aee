/** How much of each hold the provider billed: near 100 % the worst case is tight, above it was wrong. */
import type { Micros } from "../money.ts";
import { type Bin, median } from "./bins.ts";
import { histogramPanel } from "./histogram.ts";
import { formatCount, plural } from "./ticks.ts";
import type { Chart, Drawing, Frame } from "./types.ts";

export interface HeldCall {
  /** The most it could cost, reserved before it left. */
  hold: Micros;
  /** What it cost, the part above the hold included. */
  bill: Micros;
}

export interface HoldsAgainstBillsInput {
  /** Settled calls. Those without a hold have no ratio and are left out. */
  calls: readonly HeldCall[];
}

const WIDTH = 5;
const FULL = 100;

export function holdsAgainstBills(input: HoldsAgainstBillsInput): Chart {
  const ratios = input.calls.filter(({ hold }) => hold > 0).map(percentOf);
  const summary = ratios.length === 0 ? "" : summarize(ratios);
  return {
    kind: "holds-against-bills",
    title: "Bills as a share of their holds",
    description: summary === "" ? "No call has been settled." : `${summary}.`,
    empty: summary === "" ? "No data yet: no call with a hold has been settled." : null,
    heightFor: (width) => width < 500 ? 400 : 380,
    draw: (frame) => draw(ratios, frame, summary),
  };
}

function draw(ratios: readonly number[], frame: Frame, summary: string): Drawing {
  const bins = Array.from({ length: FULL / WIDTH + 1 }, (_, index): Bin => ({
    from: index * WIDTH,
    to: (index + 1) * WIDTH,
    count: 0,
    open: index * WIDTH === FULL,
  }));
  for (const ratio of ratios) {
    // A bill of exactly the hold is within it, so bins include their upper end.
    const bin = bins[Math.min(bins.length - 1, Math.max(0, Math.ceil(ratio / WIDTH) - 1))];
    if (bin) bin.count++;
  }
  const middle = Math.min(median(ratios), FULL + WIDTH);
  return {
    notes: [summary],
    legend: [
      { label: "within the hold", color: frame.paint.blue, mark: "square" },
      { label: "above the hold", color: frame.paint.pink, mark: "square" },
    ],
    panels: [histogramPanel(frame, {
      bins,
      domain: [0, FULL + 2 * WIDTH],
      unit: "percent",
      xLabel: "bill in % of the hold",
      noun: "call",
      rules: [
        { value: middle, label: `median ${Math.round(median(ratios))} %`, color: "ink" },
        { value: FULL, label: "hold", color: "muted", dashed: true },
      ],
      color: ({ open }) => open ? frame.paint.pink : frame.paint.blue,
    })],
  };
}

/** In tenths of a percent, rounded up, so that a bill one micro-dollar above its hold counts as above. */
function percentOf({ hold, bill }: HeldCall): number {
  return Math.ceil(bill * 1000 / hold) / 10;
}

function summarize(ratios: readonly number[]): string {
  const above = ratios.filter((ratio) => ratio > FULL).length;
  const over = above === 0 ? "none above its hold" : `${formatCount(above)} above their holds`;
  return `${plural(ratios.length, "call")}, median ${Math.round(median(ratios))} % of the hold, ${over}`;
}

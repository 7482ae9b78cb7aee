/** Histograms: equal bins of round width, and one open bin at the end so that a few outliers do not flatten the rest. */
import { roundTicks } from "./ticks.ts";

export interface Bin {
  from: number;
  to: number;
  count: number;
  /** Everything from `from` up, drawn as wide as the others. */
  open: boolean;
}

const BINS = 24;
/** Values beyond this many times the 98th percentile go into the open bin. */
const FAR = 2;

/** Bins over the values' own range. The values are whole numbers from 0 up, at least one. */
export function binValues(values: readonly number[]): Bin[] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] as number;
  const [least, most] = [at(0), at(1)];
  const far = at(0.98) > 0 && most > at(0.98) * FAR;
  const end = far ? at(0.98) : most;
  const step = end > least
    ? (roundTicks(end - least, BINS, 1)[1] as number)
    : Math.max(1, Math.round(least / 50));
  const first = Math.floor(least / step);
  const count = Math.max(1, Math.floor(end / step) - first + 1);
  const bins = Array.from({ length: count }, (_, index): Bin => ({
    from: (first + index) * step,
    to: (first + index + 1) * step,
    count: 0,
    open: false,
  }));
  if (far) bins.push({ from: (first + count) * step, to: (first + count + 1) * step, count: 0, open: true });
  for (const value of sorted) {
    const bin = bins[Math.min(bins.length - 1, Math.floor(value / step) - first)];
    if (bin) bin.count++;
  }
  return bins;
}

/** The middle value; of an even number of values the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] as number;
}

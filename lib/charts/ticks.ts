/** Round values for axes, and their texts. */
import { formatUsd, type Micros, micros } from "../money.ts";

/** Steps 1, 2, 2.5 or 5 times a power of ten: from 0 to the first one at or above `max`, about `count` of them. */
export function roundTicks(max: number, count: number, smallestStep = 0): number[] {
  if (!(max > 0)) return [0, Math.max(1, smallestStep)];
  const rough = max / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  // Whole numbers cannot be counted in steps of 2.5.
  const factors = power * 2.5 < smallestStep * 25 ? [1, 2, 5, 10] : [1, 2, 2.5, 5, 10];
  const step = Math.max(
    smallestStep,
    power * (factors.find((factor) => power * factor >= rough * 0.999) ?? 10),
  );
  const last = Math.ceil(max / step - 1e-9);
  // Multiplied, not added up, and cut to 12 digits: 0.1 + 0.2 would give a tick of 0.30000000000000004.
  return Array.from({ length: last + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** The round values between two ends, where an axis does not begin at 0. */
export function ticksBetween(from: number, to: number, count: number, smallestStep = 0): number[] {
  const step = roundTicks(to - from, count, smallestStep)[1] as number;
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from(
    { length: last - first + 1 },
    (_, index) => Number(((first + index) * step).toPrecision(12)),
  );
}

/** A tenth of a micro-dollar: the finest tick below a whole one. */
const MOST_DECIMALS = 7;

/** Texts for dollar ticks, all with the decimals that the finest step needs: $0.0005, $0.50, $12, $20k. */
export function usdTickFormat(ticks: readonly number[]): (usd: number) => string {
  const top = ticks.at(-1) ?? 0;
  const step = (ticks[1] ?? 1) - (ticks[0] ?? 0);
  if (top >= 10_000) return (usd) => usd === 0 ? "$0" : `$${(usd / 1000).toLocaleString("en-US")}k`;
  let decimals = 0;
  const isWhole = (value: number) => Math.abs(value - Math.round(value)) < 1e-8;
  while (decimals < MOST_DECIMALS && !isWhole(step * 10 ** decimals)) decimals++;
  if (decimals === 1) decimals = 2;
  return (usd) =>
    usd === 0
      ? "$0"
      : `$${
        usd.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
      }`;
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** Dollars for labels: like `formatUsd`, without 00 at the end beyond the cents. */
export function shortUsd(amount: Micros): string {
  return formatUsd(amount).replace(/(\.\d\d)(?:00)+$/, "$1");
}

/** For positions on a scale only; sums are made in micro-dollars before. */
export function toUsd(amount: number): number {
  return amount / 1_000_000;
}

/** Adds up money exactly. */
export function sumMicros(amounts: Iterable<Micros>): Micros {
  let sum = 0;
  for (const amount of amounts) sum += amount;
  return micros(sum);
}

/** "1 article", "2 articles". */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

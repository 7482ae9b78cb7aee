/** Adds up readings by equal spans of time. */
import { plural } from "./ticks.ts";
import { TIME_STEPS } from "./time_axis.ts";

/** What happened at a moment, or in the short span that begins with it: single articles or sums, as they are at hand. */
export interface ThroughputReading {
  at: Date;
  analyzed: number;
  failed: number;
  /** Articles being worked on at that moment, where it is known. */
  inFlight?: number;
}

/** One span; times in milliseconds since 1970. */
export interface Span {
  from: number;
  to: number;
  analyzed: number;
  failed: number;
  /** The most that were in flight; null where no reading tells. */
  inFlight: number | null;
}

const MINUTE_MS = 60_000;
/** More bars than this say less: they show the order in which single calls came back. */
const MOST_SPANS = 60;

/**
 * The finest span of which `limit` or fewer cover all readings, of which there must be one: a round one, or, where the
 * readings are sums over spans of their own length, a multiple of that, so that every bar gets equally many of them.
 */
export function sumByStep(
  readings: readonly ThroughputReading[],
  limit: number,
  ownStep?: number,
): { spans: Span[]; step: number } {
  const moments = readings.map(({ at }) => at.getTime());
  const from = moments.reduce((least, moment) => Math.min(least, moment), Infinity);
  const to = moments.reduce((most, moment) => Math.max(most, moment), -Infinity);
  const origin = ownStep === undefined ? 0 : from;
  const keyOf = (time: number, step: number) => Math.floor((time - origin) / step);
  const most = Math.min(limit, MOST_SPANS);
  const step = ownStep === undefined
    ? TIME_STEPS.find((one) => keyOf(to, one) - keyOf(from, one) < most) ?? TIME_STEPS.at(-1) ?? 1
    : ownStep * Math.ceil((to - from + ownStep) / ownStep / most);
  const first = keyOf(from, step);
  const spans = Array.from({ length: keyOf(to, step) - first + 1 }, (_, index): Span => ({
    from: origin + (first + index) * step,
    to: origin + (first + index + 1) * step,
    analyzed: 0,
    failed: 0,
    inFlight: null,
  }));
  for (const reading of readings) {
    const span = spans[keyOf(reading.at.getTime(), step) - first];
    if (span === undefined) continue;
    span.analyzed += reading.analyzed;
    span.failed += reading.failed;
    if (reading.inFlight !== undefined) span.inFlight = Math.max(span.inFlight ?? 0, reading.inFlight);
  }
  return { spans, step };
}

/** "10 seconds", "5 minutes", "2 hours", "7 days": the largest unit that makes it a whole number. */
export function nameStep(step: number): string {
  const units = [[1440 * MINUTE_MS, "day"], [60 * MINUTE_MS, "hour"], [MINUTE_MS, "minute"]] as const;
  const [size, name] = units.find(([one]) => step % one === 0) ?? [1000, "second"];
  return plural(step / size, name);
}

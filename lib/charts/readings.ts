/** Readings taken over time: where some are missing, and fewer of them where there are more than pixels. */

export interface Reading {
  at: Date;
}

export interface Gap<R extends Reading> {
  before: R;
  after: R;
}

/** Readings in unbroken runs, and the gaps between the runs. */
export interface Runs<R extends Reading> {
  runs: R[][];
  gaps: Gap<R>[];
}

/** Pauses shorter than this are no gap, however dense the other readings are. */
const SHORTEST_GAP_MS = 30_000;
/** A pause this many times the usual one is a gap. */
const UNUSUAL = 8;

/** @param gapMs A longer silence is a gap; without it, eight times the median silence, at least 30 seconds. */
export function splitAtGaps<R extends Reading>(readings: readonly R[], gapMs?: number): Runs<R> {
  const sorted = [...readings].sort((a, b) => a.at.getTime() - b.at.getTime());
  const silences = sorted.slice(1).map((one, index) => one.at.getTime() - (sorted[index] as R).at.getTime());
  const median = [...silences].sort((a, b) => a - b)[Math.floor(silences.length / 2)] ?? 0;
  const limit = gapMs ?? Math.max(SHORTEST_GAP_MS, median * UNUSUAL);
  const runs: R[][] = [];
  const gaps: Gap<R>[] = [];
  for (const [index, reading] of sorted.entries()) {
    const run = runs.at(-1);
    if (run !== undefined && (silences[index - 1] ?? 0) <= limit) {
      run.push(reading);
    } else {
      const before = run?.at(-1);
      if (before !== undefined) gaps.push({ before, after: reading });
      runs.push([reading]);
    }
  }
  return { runs, gaps };
}

/** Keeps the first reading, the last one, and the last one of each of `limit` equal spans between. */
export function thinReadings<R extends Reading>(run: readonly R[], limit: number): R[] {
  if (run.length <= limit) return [...run];
  const from = (run[0] as R).at.getTime();
  const span = (run.at(-1) as R).at.getTime() - from || 1;
  const kept = new Map<number, R>();
  for (const reading of run) kept.set(Math.floor((reading.at.getTime() - from) / span * limit), reading);
  return [run[0] as R, ...kept.values()];
}

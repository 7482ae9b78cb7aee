/**
 * What can go wrong with a request to a provider, drawn from a seed: the same article's nth request meets the same
 * fate in every run of a seed, however the requests of a run are mixed.
 */

export const TROUBLES = [
  "none",
  /** HTTP 500. */
  "failed",
  /** HTTP 503. */
  "overloaded",
  /** HTTP 429 that names a time. */
  "told_to_wait",
  /** HTTP 429 without one. */
  "turned_away",
  /** TCP reset before the first byte of the answer. */
  "reset",
  /** Plain close before the first byte. */
  "closed",
  /** The answer breaks off in its middle. */
  "cut",
  /** HTTP 200 with a text that is not what was asked for. */
  "garbage",
  /** HTTP 200 with a body that is no answer of this provider. */
  "nonsense",
  /** No answer at all. */
  "silent",
] as const;
export type Trouble = (typeof TROUBLES)[number];

/** How many of a thousand requests meet each; the rest are answered as they should be. */
export type TroubleMix = Partial<Record<Exclude<Trouble, "none">, number>>;

export const ROUGH: TroubleMix = {
  failed: 40,
  overloaded: 40,
  told_to_wait: 25,
  // Rare, because it keeps a whole process waiting for half a minute.
  turned_away: 3,
  reset: 35,
  closed: 15,
  cut: 30,
  garbage: 20,
  nonsense: 10,
  silent: 12,
};

/** A provider that did the work charges for it, also when its answer got lost on the way. */
export const UNBILLED: ReadonlySet<Trouble> = new Set<Trouble>([
  "failed",
  "overloaded",
  "told_to_wait",
  "turned_away",
]);

export interface Fate {
  trouble: Trouble;
  delayMs: number;
}

/** @param meanMs The mean of the delay, which is exponential: most answers are quick, a few take several times that. */
export function drawFate(random: () => number, mix: TroubleMix, meanMs: number): Fate {
  const delayMs = Math.round(Math.min(6 * meanMs, -Math.log(1 - random()) * meanMs));
  let left = random() * 1000;
  for (const trouble of TROUBLES) {
    if (trouble === "none") continue;
    left -= mix[trouble] ?? 0;
    if (left < 0) return { trouble, delayMs };
  }
  return { trouble: "none", delayMs };
}

/** Waiting times between the attempts of an article. */

/** No wait is longer than this, however many attempts there were. */
const LONGEST_MS = 10 * 60_000;

/**
 * Exponential backoff with jitter: a random time between half of and all of `baseMs * 2^(attempt - 1)`, so that
 * articles that failed together do not come back together.
 * @param attempt The attempt that failed, from 1.
 * @param random From 0 up to 1; a test gives its own.
 */
export function backoffMs(baseMs: number, attempt: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, baseMs * 2 ** Math.max(0, attempt - 1));
  return Math.round(full / 2 + random() * full / 2);
}

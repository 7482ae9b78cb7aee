/** Waits that double: 1, 2, 4, … times the first, none above the longest. */

/** @param times How often it was waited before, from 0. */
export function doublingMs(firstMs: number, longestMs: number, times: number): number {
  return Math.min(longestMs, firstMs * 2 ** times);
}

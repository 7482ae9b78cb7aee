/** How many things happened in the fullest stretch of time. */

/** @param times ms, in any order. */
export function countFullest(times: readonly number[], windowMs: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (const [last, time] of sorted.entries()) {
    while (sorted[first]! < time - windowMs) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

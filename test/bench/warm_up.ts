/** What every contender works off before it is measured, in the same process: compiled code, connections, plans. */

/** Articles a slot. */
const ROUNDS = 4;

/** @param concurrency Articles at once. */
export function countWarmUp(concurrency: number): number {
  return concurrency * ROUNDS;
}

/** How many places to reserve, from how fast they were used lately. */

/** A reservation is for about this long, so that nobody waits long behind another process's, ms. */
const CHUNK_MS = 200;
/** And for no longer than this, however long the way to the database is, ms. */
const LONGEST_CHUNK_MS = 1_000;
/** The way to the database and back counts as this long at least: a busy process is late with everything, ms. */
const SHORTEST_WAY_MS = 20;
/** How much later places are asked for after an answer that came too late for all of its own, the first time, ms. */
const FIRST_LATER_MS = 250;
/**
 * Places for requests that do not exist yet are reserved only when a reservation has room for so many: else they are
 * few and dear, and one that is not used is missed.
 */
const LEAST_AHEAD = 20;

/** The next requests that leave together do so within this; calls that take longer need not be so quick, ms. */
export const ROUND_MS = 600;

export class Demand {
  readonly #spacingMs: number;
  readonly #round: number;
  #wayMs = 0;
  #laterMs = 0;
  /** Places used since the last reservation, and between the two before it. */
  #used = 0;
  #usedBefore = 0;
  #reservedAt = 0;
  #since = 0;

  /**
   * @param round Requests that may leave together, because their answers came together: so many places are kept where
   * they are no more than a quarter of a reservation. When the first of them asked for places, the last had waited 10 to
   * 30 ms before they were there (calls of 500 ms, embedded database).
   */
  constructor(spacingMs: number, round = 0) {
    this.#spacingMs = spacingMs;
    this.#round = round;
  }

  used(): void {
    this.#used++;
  }

  /**
   * A reservation was made.
   * @param wayMs How long the answer took.
   * @param inTime Whether any of its places was still good when it was here.
   */
  reserved(now: number, wayMs: number, inTime: boolean): void {
    this.#wayMs = wayMs;
    // Little by little: one slow answer must not make everybody wait that long.
    this.#laterMs = inTime
      ? Math.floor(this.#laterMs / 2)
      : Math.min(wayMs, Math.max(FIRST_LATER_MS, this.#laterMs * 2));
    this.#usedBefore = this.#used;
    this.#used = 0;
    this.#since = this.#reservedAt;
    this.#reservedAt = now;
  }

  /** From when on places are of use, ms from now. */
  get laterMs(): number {
    return this.#laterMs;
  }

  /** How long before the last place opens the next ones should be reserved, ms. */
  get leadMs(): number {
    return Math.min(LONGEST_CHUNK_MS, 2 * Math.max(SHORTEST_WAY_MS, this.#wayMs));
  }

  /**
   * How many places to reserve now; 0: enough are left.
   * @param waiting Requests that wait for a place. @param left Places that are reserved and not used.
   * @param lasting Those of them that can be used `ROUND_MS` from now.
   */
  wanted(waiting: number, left: number, lasting: number, now: number): number {
    const chunkMs = Math.max(CHUNK_MS, this.leadMs);
    const most = Math.max(1, Math.floor(chunkMs / this.#spacingMs));
    const missing = Math.min(most, waiting - left);
    if (most < LEAST_AHEAD) return Math.max(0, missing);
    const round = 4 * this.#round <= most ? this.#round : 0;
    // What was reserved last and is not used yet is not reserved again: over a slow line it would lapse for ever.
    const kept = lasting >= round || (this.#used === 0 && this.#reservedAt > 0);
    const enough = left >= waiting + this.#expect(this.leadMs, now) && kept;
    if (enough) return 0;
    return Math.min(most, Math.max(missing, 2 * round, this.#expect(chunkMs, now)));
  }

  /** What will be used in the next `ms` as things go; twice of what was used lately at most. */
  #expect(ms: number, now: number): number {
    return Math.floor((this.#usedBefore + this.#used) * Math.min(2, ms / (now - this.#since)));
  }
}

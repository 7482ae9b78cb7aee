/**
 * While the database is away nobody can renew a claim, so all run out. Whoever holds one renews it as soon as he gets
 * through; taking it back before that would throw an answer away that was paid for, and buy it again.
 */
import { isConnectionLost } from "../database/connection_lost.ts";

/** Longer than a worker takes to renew its claims once the database is back (worker.ts), ms. */
const GRACE_MS = 15_000;

export class OutageGrace {
  #lostAt = -Infinity;

  /** @param graceMs A test is quicker. */
  constructor(readonly graceMs: number = GRACE_MS) {}

  /** Claims that ran out may be taken back: the database has been there for long enough, as far as was seen. */
  get over(): boolean {
    return performance.now() - this.#lostAt >= this.graceMs;
  }

  /** Does `work` and remembers whether the database was away. */
  async watch<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isConnectionLost(error)) this.#lostAt = performance.now();
      throw error;
    }
  }
}

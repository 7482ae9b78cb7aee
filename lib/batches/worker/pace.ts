/** How many articles to claim, from how long calls and claims take. */

/** Calls faster than this make it worth claiming ahead; slower ones hide a claim, and a claim ahead is money held. */
const CLAIM_AHEAD_BELOW_MS = 1_000;
const MOST_ROUNDS_AHEAD = 4;
/** Calls faster than this keep the process as busy as it can be; slower ones leave time to spread them. */
const BUSY_BELOW_MS = 50;
/** Articles that are then started a millisecond. */
const SPREAD_STARTS = 4;
/** Rounds that may be settling. With 4, slots stood empty for a third of the time while calls took no time. */
const MOST_ROUNDS_SETTLING = 8;

export class Pace {
  #meanCallMs = Infinity;
  #meanClaimMs = 0;

  constructor(readonly concurrency: number) {}

  callTook(ms: number): void {
    this.#meanCallMs = Number.isFinite(this.#meanCallMs) ? this.#meanCallMs * 0.9 + ms * 0.1 : ms;
  }

  claimTook(ms: number): void {
    this.#meanClaimMs = this.#meanClaimMs * 0.8 + ms * 0.2;
  }

  /**
   * How many articles to start a millisecond. What is sent together is answered together, and then sixteen answers and
   * sixteen requests wait for each other, round after round: of the ideal 0.950 with the starts spread over 4 ms,
   * 0.940 without (calls of 100 ms). Calls that take no time are not held up for that.
   */
  get startsPerMs(): number {
    return this.#meanCallMs < BUSY_BELOW_MS ? this.concurrency : SPREAD_STARTS;
  }

  /**
   * How many more claims are useful now.
   * @param holdings Every claim that is ours, from claim to commit.
   */
  wanted(underWay: number, ready: number, holdings: number): number {
    const { concurrency } = this;
    const ahead = Math.ceil(concurrency * this.#roundsAhead());
    const settlingBound = MOST_ROUNDS_SETTLING * concurrency + ahead;
    // The slots first: what is claimed ahead would only make them wait.
    if (underWay === 0 && ready === 0 && holdings === 0) return concurrency;
    const wanted = Math.min(concurrency + ahead - underWay - ready, settlingBound - holdings);
    // While some wait for a slot there is time until half a round is missing: one by one each would cost a statement.
    return ready > 0 && wanted < concurrency / 2 ? 0 : wanted;
  }

  /** As many as can be called while the next claim is on its way, and a full round; two in a process that is busy. */
  #roundsAhead(): number {
    if (this.#meanCallMs >= CLAIM_AHEAD_BELOW_MS) return 0;
    const least = this.#meanCallMs < BUSY_BELOW_MS ? 2 : 1;
    return Math.min(MOST_ROUNDS_AHEAD, least + this.#meanClaimMs / this.#meanCallMs);
  }
}

/** When the next request to the provider may leave: requests a minute, and "come back later" as told. */
import { RateLimiterMemory, RateLimiterQueue } from "rate-limiter-flexible";

/** Seconds in the minute of "requests a minute". */
const MINUTE = 60;
/** Waiting requests; the worker never has more than its concurrency, so this only guards against a defect. */
const LONGEST_QUEUE = 10_000;

export class CallGate {
  readonly #queue: RateLimiterQueue;
  #closedUntil = 0;

  /** @param rpm Requests a minute, spread over it: about a second's worth may leave at once. */
  constructor(rpm: number) {
    const points = Math.max(1, Math.round(rpm / MINUTE));
    const limiter = new RateLimiterMemory({ points, duration: MINUTE * points / rpm });
    this.#queue = new RateLimiterQueue(limiter, { maxQueueSize: LONGEST_QUEUE });
  }

  /** The provider asked everybody to stay away this long. A longer wait wins over a shorter one. */
  close(ms: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, performance.now() + ms);
  }

  /** ms until requests may leave again; 0 when they may now. */
  get closedMs(): number {
    return Math.max(0, this.#closedUntil - performance.now());
  }

  /** Resolves to true when one request may leave, to false when `signal` fired first: then none may. */
  async pass(signal: AbortSignal): Promise<boolean> {
    await this.#queue.removeTokens(1);
    while (this.closedMs > 0 && !signal.aborted) await sleep(this.closedMs, signal);
    return !signal.aborted;
  }
}

/** Resolves after `ms`, or as soon as `signal` fires. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

/** Waits that double while something is away, up to a limit, with jitter so that processes do not come back in step. */
import { sleep } from "../lib/sleep.ts";

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

export interface GrowingPause {
  /** How long the next wait is at most, ms. */
  readonly nextMs: number;
  /** Resolves after the wait, or as soon as `signal` fires. */
  wait(signal: AbortSignal): Promise<void>;
  /** It is back: the next wait is the first again. */
  reset(): void;
}

export function growingPause(firstMs = FIRST_MS): GrowingPause {
  let nextMs = firstMs;
  return {
    get nextMs() {
      return nextMs;
    },
    async wait(signal) {
      const ms = nextMs * (1 - Math.random() / 4);
      nextMs = Math.min(LONGEST_MS, nextMs * 2);
      await sleep(ms, signal);
    },
    reset() {
      nextMs = firstMs;
    },
  };
}

/** A wait that can be cut short. */
import { clearTimeout, setTimeout } from "node:timers";

/** Resolves after `ms`, or as soon as `signal` fires: who waits is told by the signal itself, not by an error. */
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

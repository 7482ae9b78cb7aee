/**
 * Work that can wait until a burst is over. Answers come in bursts (what was sent together is answered together), and
 * the next requests should leave before the answers are read: reading one takes 0.15 to 0.3 ms, and sixteen read at once
 * kept the sixteen next requests from leaving for 5 to 7 ms. `setImmediate` instead of a timer does not help: while
 * immediates follow each other Deno (2.9.6) looks at no socket, and a request needs its connection first.
 */
import { setTimeout } from "node:timers";

/** A burst is over when nothing came for this long, ms. */
const QUIET_MS = 2;
/** Nothing waits longer than this, ms: with calls that take no time there is always something. */
const LONGEST_MS = 10;

let waiting: (() => void)[] = [];
let firstAt = 0;
let lastAt = 0;

/** Resolves when there is time, in the order of asking. */
export function spareTime(): Promise<void> {
  return new Promise((resolve) => {
    lastAt = performance.now();
    waiting.push(resolve);
    if (waiting.length > 1) return;
    firstAt = lastAt;
    setTimeout(look, QUIET_MS);
  });
}

function look(): void {
  const now = performance.now();
  if (now - lastAt < QUIET_MS && now - firstAt < LONGEST_MS) {
    setTimeout(look, QUIET_MS);
    return;
  }
  const due = waiting;
  waiting = [];
  for (const resolve of due) resolve();
}

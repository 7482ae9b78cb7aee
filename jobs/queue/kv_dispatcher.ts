/**
 * The dispatcher over the Deno KV queue of this process: at least once, and again some 60 s after a crash. One process
 * does not hear another one's messages; work that other processes start is found by looking.
 */
import { messageOf } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { within } from "../../lib/within.ts";
import { deliver } from "./deliver.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** Deno KV starts every waiting message at once (500 were seen); this many handlers run, the others wait. */
const HANDLERS_AT_ONCE = 8;
/** Waits between the redeliveries of a message whose handler failed, ms. Five at most. */
const BACKOFF_MS = [100, 1_000, 5_000, 30_000];
/** The queue writes down how handlers ended after they have; closed before that, it delivers them again a minute later. ms */
const NOTE_MS = 100;
/** The longest delay that the queue takes, ms. */
const LONGEST_DELAY_MS = 30 * 24 * 3_600_000;

/** @param path The file of the queue; ":memory:" for one that ends with the process. */
export async function createKvDispatcher(path: string, log: Log): Promise<Dispatcher> {
  const kv = await Deno.openKv(path);
  const running = new Set<Promise<void>>();
  const slots = createSlots(HANDLERS_AT_ONCE);
  let stopped = false;
  let trouble: string | null = "delivers nothing yet";
  let stopping: Promise<void> | undefined;
  return {
    async enqueue(message, delayMs = 0) {
      await kv.enqueue(message, {
        delay: Math.min(Math.round(delayMs), LONGEST_DELAY_MS),
        backoffSchedule: BACKOFF_MS,
      });
    },
    listen(handlers) {
      trouble = null;
      const listening = kv.listenQueue(async (value: unknown) => {
        const handled = slots(async () => {
          // Not begun any more: the next process gets it.
          if (stopped || !await deliver(handlers, value, log)) throw askAgain();
        });
        running.add(handled);
        await handled.finally(() => running.delete(handled));
      });
      listening.catch((error: unknown) => {
        trouble = `the queue stopped: ${messageOf(error)}`;
        if (!stopped) {
          log("error", { error: messageOf(error) }, "the queue stopped; work is found by looking instead");
        }
      });
    },
    healthy: () => stopped ? "stopped" : trouble,
    stop(withinMs) {
      stopped = true;
      const stop = async () => {
        await within(withinMs, Promise.allSettled(running));
        await new Promise((resolve) => setTimeout(resolve, NOTE_MS));
        kv.close();
      };
      return stopping ??= stop();
    },
  };
}

/** Deno prints what a queue's handler throws with its stack, past the log and its scrubbing: so it holds nothing. */
function askAgain(): Error {
  const error = new Error("the log says why");
  error.stack = undefined;
  return error;
}

/** Lets `size` functions run at once; the others start in order. */
function createSlots(size: number): (work: () => Promise<void>) => Promise<void> {
  let free = size;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

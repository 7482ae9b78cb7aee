/**
 * The dispatcher over the Deno KV queue of this process: at least once, and again some 60 s after a crash. One process
 * does not hear another one's messages; work that other processes start is found by looking.
 */
import type { Log } from "../../lib/log.ts";
import { messageOf } from "../../lib/errors.ts";
import { type Dispatcher, type Handler, type Message, messageSchema, type QueueName } from "./dispatcher.ts";

/** Deno KV starts every waiting message at once (500 were seen); this many handlers run, the others wait. */
const HANDLERS_AT_ONCE = 8;
/** Waits between the redeliveries of a message whose handler failed, ms. Five at most. */
const BACKOFF_MS = [100, 1_000, 5_000, 30_000];
/** The longest delay that the queue takes, ms. */
const LONGEST_DELAY_MS = 30 * 24 * 3_600_000;

/** @param path The file of the queue; ":memory:" for one that ends with the process. */
export async function createKvDispatcher(path: string, log: Log): Promise<Dispatcher> {
  const kv = await Deno.openKv(path);
  const running = new Set<Promise<void>>();
  const slots = createSlots(HANDLERS_AT_ONCE);
  let stopped = false;
  return {
    async enqueue(message, delayMs = 0) {
      await kv.enqueue(message, {
        delay: Math.min(Math.round(delayMs), LONGEST_DELAY_MS),
        backoffSchedule: BACKOFF_MS,
      });
    },
    listen(handlers) {
      const listening = kv.listenQueue(async (value: unknown) => {
        const message = messageSchema.safeParse(value);
        if (!message.success) return logDropped(log, value);
        const handled = slots(async () => {
          // Not begun any more: the next process wakes for every live session anyway.
          if (!stopped) await deliver(handlers, message.data, log);
        });
        running.add(handled);
        await handled.finally(() => running.delete(handled));
      });
      listening.catch((error: unknown) => {
        if (!stopped) {
          log("error", { error: messageOf(error) }, "the queue stopped; work is found by looking instead");
        }
      });
    },
    async stop() {
      stopped = true;
      await Promise.allSettled(running);
      kv.close();
    },
  };
}

async function deliver(
  handlers: Partial<Record<QueueName, Handler>>,
  message: Message,
  log: Log,
): Promise<void> {
  const handler = handlers[message.queue];
  if (!handler) return log("warn", { ...message }, "no handler for this queue; message dropped");
  try {
    await handler(message);
  } catch (error) {
    log("warn", { ...message, error: messageOf(error) }, "a handler failed; the message comes again");
    throw askAgain();
  }
}

/** Deno prints what a queue's handler throws with its stack, past the log and its scrubbing: so it holds nothing. */
function askAgain(): Error {
  const error = new Error("the log says why");
  error.stack = undefined;
  return error;
}

function logDropped(log: Log, value: unknown): void {
  log("warn", { value: JSON.stringify(value)?.slice(0, 200) }, "not a message of ours; dropped");
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

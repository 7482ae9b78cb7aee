/** Identifies, estimates and creates a session, and sets a wake-up for the moment each batch is due. */
import type { Desk, SessionRequest } from "../lib/desk.ts";
import { messageOf } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { StartWish } from "../lib/batches/start_session.ts";
import type { Session } from "../lib/batches/types.ts";
import type { Dispatcher } from "./queue/dispatcher.ts";

export interface Waking {
  dispatcher: Pick<Dispatcher, "enqueue">;
  log: Log;
}

/** Throws only when there is no session: once it exists, nothing that follows may look like a failed start. */
export async function initiateBatchProcessing(
  { desk, ...waking }: Waking & { desk: Pick<Desk, "start"> },
  request: SessionRequest,
  actor: string,
  wish: StartWish = {},
): Promise<Session> {
  const session = await desk.start(request, actor, wish);
  await wakeWorkers(waking, session);
  return session;
}

/**
 * Wakes whoever does the work after a session was started or continued. A wake-up is only a hint: without it a sweep
 * finds the work a little later, so its failure fails nothing.
 */
export async function wakeWorkers({ dispatcher, log }: Waking, session: Session): Promise<void> {
  try {
    await wakeForBatches(dispatcher, session);
  } catch (error) {
    const fields = { session: session.number, error: messageOf(error) };
    log("warn", fields, "could not wake the worker; it looks by itself");
  }
}

/** One message a batch, delayed until it is due. Batches without one are found by looking all the same. */
export async function wakeForBatches(
  dispatcher: Pick<Dispatcher, "enqueue">,
  session: Session,
): Promise<void> {
  const { batchSize, batchDelayMs } = session.settings;
  const batches = Math.min(Math.ceil(session.total / batchSize), MOST_WAKE_UPS);
  const age = Date.now() - session.created_at.getTime();
  // At once, not one by one: they go into one statement where the queue is in the database.
  await Promise.all(Array.from({ length: batches }, (_, index) =>
    dispatcher.enqueue(
      { queue: "batch_processing", job: "batch_analyze_articles", session: session.number, batch: index + 1 },
      Math.max(0, index * batchDelayMs - age),
    )));
}

/** A session of 100,000 articles needs no 10,000 messages: a busy worker looks for itself. */
const MOST_WAKE_UPS = 100;

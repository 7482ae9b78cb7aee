/** Identifies, estimates and creates a session, and sets a wake-up for the moment each batch is due. */
import type { Desk, SessionRequest } from "../lib/desk.ts";
import type { Session } from "../lib/batches/types.ts";
import type { Dispatcher } from "./queue/dispatcher.ts";

export async function initiateBatchProcessing(
  desk: Desk,
  dispatcher: Dispatcher,
  request: SessionRequest,
  actor: string,
): Promise<Session> {
  const session = await desk.start(request, actor);
  await wakeForBatches(dispatcher, session);
  return session;
}

/** One message a batch, delayed until it is due. Batches without one are found by looking all the same. */
export async function wakeForBatches(dispatcher: Dispatcher, session: Session): Promise<void> {
  const { batchSize, batchDelayMs } = session.settings;
  const batches = Math.min(Math.ceil(session.total / batchSize), MOST_WAKE_UPS);
  const age = Date.now() - session.created_at.getTime();
  for (let batch = 1; batch <= batches; batch++) {
    const delay = Math.max(0, (batch - 1) * batchDelayMs - age);
    await dispatcher.enqueue(
      { queue: "batch_processing", job: "batch_analyze_articles", session: session.number, batch },
      delay,
    );
  }
}

/** A session of 100,000 articles needs no 10,000 messages: a busy worker looks for itself. */
const MOST_WAKE_UPS = 100;

/** What a service does first: wakes for every session that is live, and takes in the feeds unless that was just done. */
import { isLive } from "../lib/batches/types.ts";
import { readClock } from "../lib/crons/cron_rows.ts";
import { wakeWorkers } from "./initiate_batch_processing.ts";
import type { JobContext } from "./job.ts";

/** Newer readings need no other one: several services that start, or one that starts again and again, ask once. ms */
const JUST_READ_MS = 5 * 60_000;

export async function takeUpWork({ db, desk, dispatcher, log }: JobContext): Promise<void> {
  for (const session of await desk.sessions(50)) {
    if (isLive(session.status)) await wakeWorkers({ dispatcher, log }, session);
  }
  const since = (await readClock(db)).getTime() - JUST_READ_MS;
  const feeds = await desk.feeds();
  if (feeds.some(({ last_run_at }) => last_run_at === null || last_run_at.getTime() < since)) {
    await dispatcher.enqueue({ queue: "newsletter", job: "ingest_feeds" });
  }
}

/** Takes back what workers that are gone left behind, and ends sessions that are finished. */
import type { Desk } from "../lib/desk.ts";
import type { Log } from "../lib/log.ts";

export async function cleanupStalledBatches(desk: Desk, actor: string, log: Log): Promise<void> {
  const report = await desk.cleanup(actor);
  const touched = report.requeued + report.failed + report.finished + report.ended.length;
  if (touched > 0) log("info", { ...report }, "cleaned up stalled batches");
}

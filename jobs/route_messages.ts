/** Which job a queue message starts. */
import type { Worker } from "../lib/batches/worker/worker.ts";
import { batchAnalyzeArticles } from "./batch_analyze_articles.ts";
import { cleanupStalledBatches } from "./cleanup_stalled_batches.ts";
import { ingestFeeds } from "./ingest_feeds.ts";
import type { JobContext } from "./job.ts";
import type { Handler, QueueName } from "./queue/dispatcher.ts";
import { recoverFailedBatchArticles } from "./recover_failed_batch_articles.ts";

/**
 * One handler for every queue: the job's name decides. A job may come by any queue.
 * @param ending Aborted when the process ends.
 */
export function routeMessages(
  context: JobContext,
  worker: Pick<Worker, "wake">,
  ending: AbortSignal,
): Record<QueueName, Handler> {
  const handle: Handler = async (message) => {
    context.log("debug", { ...message }, "message");
    const run = { actor: message.actor ?? context.runner, slot: null, signal: ending };
    switch (message.job) {
      case "batch_analyze_articles":
        return await batchAnalyzeArticles(worker);
      case "cleanup_stalled_batches":
        await cleanupStalledBatches(context, run);
        return;
      case "recover_failed_batch_articles": {
        const { session = null, days, asked_at } = message;
        const askedAt = asked_at === undefined ? new Date() : new Date(asked_at);
        await recoverFailedBatchArticles(context, { actor: run.actor, session, days, askedAt });
        return;
      }
      case "ingest_feeds":
        await ingestFeeds(context, run);
        return;
    }
  };
  return { batch_processing: handle, newsletter: handle, publishing: handle };
}

/** Which job a queue message starts. */
import type { Desk } from "../lib/desk.ts";
import type { Config } from "../lib/config.ts";
import type { Log } from "../lib/log.ts";
import type { Runtime } from "../lib/runtime.ts";
import { batchAnalyzeArticles } from "./batch_analyze_articles.ts";
import { cleanupStalledBatches } from "./cleanup_stalled_batches.ts";
import { ingestFeeds } from "./ingest_feeds.ts";
import type { Handler, QueueName } from "./queue/dispatcher.ts";

export interface JobContext {
  desk: Desk;
  config: Config;
  runtime: Runtime;
  log: Log;
}

/** One handler for every queue: the job's name decides. A job may come by any queue. */
export function routeMessages(context: JobContext): Record<QueueName, Handler> {
  const { desk, config, runtime, log } = context;
  const handle: Handler = async (message) => {
    log("debug", { ...message }, "message");
    switch (message.job) {
      case "batch_analyze_articles":
        return await batchAnalyzeArticles(runtime.worker);
      case "cleanup_stalled_batches":
        return await cleanupStalledBatches(desk, runtime.workerId, log);
      case "ingest_feeds":
        return await ingestFeeds(desk, config.feeds, log);
    }
  };
  return { batch_processing: handle, newsletter: handle, publishing: handle };
}

/** A batch is due: wakes the worker, which claims whatever is due. Safe to run at any time, any number of times. */
import type { Worker } from "../lib/batches/worker/worker.ts";

export function batchAnalyzeArticles(worker: Pick<Worker, "wake">): Promise<void> {
  worker.wake();
  return Promise.resolve();
}

/** Puts together what jobs are given: by the service, and by a command that runs one. */
import { listSecrets } from "../lib/config.ts";
import { createScrubber } from "../lib/log.ts";
import type { JobContext } from "./job.ts";

/** Nothing is drained unless `drain` says how. */
export function createJobContext(
  parts: Omit<JobContext, "scrub" | "wake" | "drain"> & Partial<Pick<JobContext, "drain">>,
): JobContext {
  return {
    drain: null,
    ...parts,
    scrub: createScrubber(listSecrets(parts.config)),
    async wake(sessions) {
      for (const session of sessions) {
        await parts.dispatcher.enqueue({ queue: "batch_processing", job: "batch_analyze_articles", session });
      }
    },
  };
}

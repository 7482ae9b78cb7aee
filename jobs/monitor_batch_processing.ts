/** Looks at every live session and at the desk itself, and raises and resolves the alerts that follow. */
import { count } from "../lib/alerts/words.ts";
import type { Job } from "./job.ts";

export const monitorBatchProcessing: Job = async ({ desk }, { actor }) => {
  const { sessions, workers, ended, raised, resolved, open } = await desk.monitor(actor);
  const parts = [
    `${count(sessions.length, "live session")}, ${count(workers.length, "worker")}, ${
      count(open.length, "open alert")
    }`,
    ended.length > 0 ? `ended session ${ended.join(", ")}` : null,
    ...raised.map(({ text }) => `raised: ${text}`),
    ...resolved.map(({ text }) => `over: ${text}`),
  ].filter((part) => part !== null);
  const detail = {
    sessions: sessions.map(({ session }) => session.number),
    workers: workers.length,
    ended,
    open: open.map(({ dedupe_key }) => dedupe_key),
    raised: raised.map(({ dedupe_key }) => dedupe_key),
    resolved: resolved.map(({ dedupe_key }) => dedupe_key),
  };
  return { text: parts.join("; "), detail };
};

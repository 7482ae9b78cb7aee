/** What jobs are given, over a test's database and the offline analyst. */
import { createJobContext } from "../../jobs/job_context.ts";
import type { JobContext, JobRun } from "../../jobs/job.ts";
import type { Message } from "../../jobs/queue/dispatcher.ts";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import { readConfig } from "../../lib/config.ts";
import type { Announcer } from "../../lib/crons/schedules.ts";
import type { Database } from "../../lib/database/port.ts";
import { createDesk } from "../../lib/desk.ts";
import type { Log } from "../../lib/log.ts";

/** The process that tests speak for when they set schedules. */
export const ANNOUNCER: Announcer = { process: "worker:test", production: true };

export interface TestJobs {
  context: JobContext;
  /** Messages that were put into the queue. */
  sent: Message[];
  /** Lines of the log, as JSON. */
  logged: string[];
}

/** @param env Settings as they stand in the environment. */
export function makeJobs(
  db: Database,
  env: Record<string, string> = {},
  change: Partial<JobContext> = {},
): TestJobs {
  const config = readConfig(env);
  const sent: Message[] = [];
  const logged: string[] = [];
  const log: Log = (level, fields, message) =>
    void logged.push(JSON.stringify({ level, message, ...fields }));
  const parts = createJobContext({
    db,
    desk: createDesk({ db, config, analysts: createAnalysts(config), log }),
    config,
    log,
    runner: "worker:test",
    dispatcher: { enqueue: (message) => Promise.resolve(void sent.push(message)) },
    sinks: [],
  });
  return { context: { ...parts, ...change }, sent, logged };
}

/** As a cron runs it for this slot. */
export function runOf(job: string, slot: Date | null, signal = new AbortController().signal): JobRun {
  return { actor: `cron:${job}`, slot, signal };
}

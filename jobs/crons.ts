/**
 * Everything that runs by the clock, and its registration. `main.ts` registers at its top level, before anything
 * asynchronous, because that is where Deno Deploy looks for crons (ten at most).
 *
 * Deno fires every cron once a minute in every process; which of them is due, and who runs it, is decided by croner and
 * the row of `crons` (run_cron.ts). So schedules mean the same everywhere, a slot that nobody ran is run late, and Deno's
 * own dialect, which counts Sunday as 1, plays no part.
 */
import type { Config } from "../lib/config.ts";
import { ANNOUNCE_MS, type Announcer, announceSchedules, withdrawSchedules } from "../lib/crons/schedules.ts";
import { isProduction } from "../lib/deploy.ts";
import { messageOf } from "../lib/errors.ts";
import { within } from "../lib/within.ts";
import { cleanupStalledBatches } from "./cleanup_stalled_batches.ts";
import { deliverAlerts } from "./deliver_alerts.ts";
import { dispatchDueBatches } from "./dispatch_due_batches.ts";
import { ingestFeeds } from "./ingest_feeds.ts";
import type { Job, JobContext } from "./job.ts";
import { monitorBatchProcessing } from "./monitor_batch_processing.ts";
import { runCron } from "./run_cron.ts";
import { sendDigest } from "./send_digest.ts";
import { startScheduledSession } from "./start_scheduled_session.ts";

export interface CronJob {
  job: string;
  /** What it does, for people. */
  help: string;
  /** Five cron fields in UTC; null: off. */
  schedule(config: Config): string | null;
  /** Longer than this it cannot take, ms. */
  limitMs: number;
  run: Job;
}

const EVERY_MINUTE = "* * * * *";
const EVERY_FIVE_MINUTES = "*/5 * * * *";
const MINUTE_MS = 60_000;
/** A start that takes longer than this has failed, ms. */
const START_MS = 30_000;
/** How long runs may go on after the process was told to stop, and after they were told, ms. */
const STOP_MS = 2_000;

export const CRONS: readonly CronJob[] = [
  {
    job: "dispatch_due_batches",
    help: "resume what waited, wake the workers for what is due",
    schedule: () => EVERY_MINUTE,
    limitMs: 5 * MINUTE_MS,
    run: dispatchDueBatches,
  },
  {
    job: "monitor_batch_processing",
    help: "look at sessions, workers, crons and feeds; raise and resolve alerts",
    schedule: () => EVERY_MINUTE,
    limitMs: 5 * MINUTE_MS,
    run: monitorBatchProcessing,
  },
  {
    job: "deliver_alerts",
    help: "deliver the alerts that wait",
    schedule: () => EVERY_MINUTE,
    limitMs: 5 * MINUTE_MS,
    run: deliverAlerts,
  },
  {
    job: "cleanup_stalled_batches",
    help: "take back what dead workers left, put right what does not add up, delete old rows",
    schedule: () => EVERY_FIVE_MINUTES,
    limitMs: 10 * MINUTE_MS,
    run: cleanupStalledBatches,
  },
  {
    job: "ingest_feeds",
    help: "take in FEEDS",
    schedule: ({ feeds, schedule }) => feeds.length === 0 ? null : schedule.feeds,
    limitMs: 30 * MINUTE_MS,
    run: ingestFeeds,
  },
  {
    job: "start_scheduled_session",
    help: "start the nightly session",
    schedule: ({ schedule }) => schedule.sessions,
    limitMs: 5 * MINUTE_MS,
    run: startScheduledSession,
  },
  {
    job: "send_digest",
    help: "send the daily digest",
    schedule: ({ schedule }) => schedule.digest,
    limitMs: 5 * MINUTE_MS,
    run: sendDigest,
  },
];

export interface Crons {
  /** From now on what is due runs. Until then, and when the start fails, crons that fire do nothing. */
  begin(context: JobContext): Promise<void>;
  /** Runs nothing more and ends what runs; another process may take that up again. */
  stop(): Promise<void>;
}

/** Registers the crons with Deno. Call it once, at the top level of the program. */
export function registerCrons(crons: readonly CronJob[] = CRONS): Crons {
  const service = Promise.withResolvers<JobContext>();
  const [ending, cut] = [new AbortController(), new AbortController()];
  const running = new Set<Promise<void>>();
  let announced: Announced | null = null;
  for (const cron of crons) {
    Deno.cron(cron.job, EVERY_MINUTE, { backoffSchedule: [], signal: ending.signal }, async () => {
      const context = await within(START_MS, service.promise);
      if (!context || ending.signal.aborted) return;
      const run = runDue(context, cron, cut.signal);
      running.add(run);
      await run.finally(() => running.delete(run));
    });
  }
  // Not one of the slots: on Deno Deploy, where it does something, any number of processes may drain at once.
  Deno.cron("drain_due_work", EVERY_MINUTE, { backoffSchedule: [], signal: ending.signal }, async () => {
    const context = await within(START_MS, service.promise);
    await context?.drain?.();
  });
  return {
    async begin(context) {
      announced = await keepAnnouncing(context, crons);
      service.resolve(context);
    },
    async stop() {
      ending.abort();
      await within(STOP_MS, Promise.all(running));
      cut.abort();
      await within(STOP_MS, Promise.all(running));
      await announced?.withdraw();
    },
  };
}

interface Announced {
  withdraw(): Promise<void>;
}

/** Says what schedules this process has for as long as it lives; processes without them turn nothing off meanwhile. */
async function keepAnnouncing(context: JobContext, crons: readonly CronJob[]): Promise<Announced> {
  const { db, config, log, runner } = context;
  const announcer: Announcer = { process: runner, production: isProduction(config) };
  const schedules = crons.map(({ job, schedule }) => ({ job, schedule: schedule(config) }));
  await announceSchedules(db, announcer, schedules);
  let saying = Promise.resolve();
  const timer = setInterval(() => {
    saying = announceSchedules(db, announcer, schedules).catch((error) =>
      log(
        "debug",
        { error: messageOf(error) },
        "could not say which schedules this process has; trying again",
      )
    );
  }, ANNOUNCE_MS);
  return {
    async withdraw() {
      clearInterval(timer);
      // Who cannot take them back, because the database is away, is soon taken for gone.
      await within(STOP_MS, saying.then(() => withdrawSchedules(db, announcer)).catch(() => {}));
    },
  };
}

/** Runs the cron if it is due and nobody else runs it. Never throws: Deno would print that past the log. */
async function runDue(context: JobContext, cron: CronJob, signal: AbortSignal): Promise<void> {
  const { db, config, log, runner, scrub } = context;
  const { job, limitMs } = cron;
  try {
    const run = await runCron(
      db,
      { job, schedule: cron.schedule(config), limitMs },
      (slot, signal) => cron.run(context, { actor: `cron:${job}`, slot, signal }),
      { runner, scrub, signal },
    );
    if (run.outcome === "done") log("debug", { job, slot: run.slot }, run.result.text);
    if (run.outcome === "failed") {
      log("error", { job, slot: run.slot, error: run.error }, "a cron failed; it runs again when it is due");
    }
    if (run.outcome === "stopped") log("info", { job, slot: run.slot }, "a cron was cut short by the end");
  } catch (error) {
    log("warn", { job, error: messageOf(error) }, "could not see whether a cron is due; trying again");
  }
}

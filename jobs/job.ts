/** What every job is given and what it says. A job may run at any time, any number of times, in several processes. */
import type { AlertSink } from "../lib/alerts/sinks/port.ts";
import type { Config } from "../lib/config.ts";
import type { Database } from "../lib/database/port.ts";
import type { Desk } from "../lib/desk.ts";
import type { Log } from "../lib/log.ts";
import type { Dispatcher } from "./queue/dispatcher.ts";

export interface JobContext {
  db: Database;
  desk: Desk;
  config: Config;
  log: Log;
  /** Cuts secrets out of a text that is stored or sent. */
  scrub: (text: string) => string;
  /** Names this process: "worker:service-1a2b3c4d". */
  runner: string;
  /** Carries wake-ups for later. A process without a queue leaves the looking to those that work. */
  dispatcher: Pick<Dispatcher, "enqueue">;
  /**
   * Works off what is due until a deadline, where no worker lives all the time: on Deno Deploy. Null elsewhere.
   */
  drain: (() => Promise<void>) | null;
  /** Lets workers look for work in these sessions now. */
  wake(sessions: readonly number[]): Promise<void>;
  /** Where alerts go. */
  sinks: readonly AlertSink[];
}

export interface JobRun {
  /** For the audit trail: "cron:monitor_batch_processing", "operator:cli". */
  actor: string;
  /** The slot that is due; null: somebody asked for it now. */
  slot: Date | null;
  /** Aborted when the process ends, the run takes too long or has lost its slot. */
  signal: AbortSignal;
}

export interface JobReport {
  /** What it did, one line for people. */
  text: string;
  /** The same as figures. */
  detail: Record<string, unknown>;
}

export type Job = (context: JobContext, run: JobRun) => Promise<JobReport>;

/** What a job that spends says where it may not: on Deno Deploy the crons of every branch run, too. */
export function refuseToSpend({ config: { deploy } }: Pick<JobContext, "config">): JobReport {
  return {
    text: `Nothing done: this is the timeline ${deploy?.timeline}, and money is spent on production only`,
    detail: { timeline: deploy?.timeline },
  };
}

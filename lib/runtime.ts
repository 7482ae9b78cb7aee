/**
 * What makes a process work off sessions: a worker, its presence, and the regular look for what others left behind.
 * The service has one all the time, a desk command only while it does the work itself.
 */
import type { Analysts } from "./analysis/make_analyst.ts";
import { announceWorker } from "./batches/worker/presence.ts";
import { CallGate } from "./batches/worker/call_gate.ts";
import { Worker } from "./batches/worker/worker.ts";
import type { Config } from "./config.ts";
import type { Database } from "./database/port.ts";
import type { Desk } from "./desk.ts";
import { messageOf } from "./errors.ts";
import type { Log } from "./log.ts";

/** How often expired leases and finished sessions are looked for, ms. */
const SWEEP_MS = 5_000;

export interface Runtime {
  worker: Worker;
  workerId: string;
  /** @param graceMs How long requests that are out may still be answered. */
  stop(graceMs: number): Promise<void>;
}

export interface RuntimeOptions {
  db: Database;
  desk: Desk;
  config: Config;
  analysts: Analysts;
  /** "service" or the desk command. */
  role: string;
  log: Log;
}

export async function startRuntime(
  { db, desk, config, analysts, role, log }: RuntimeOptions,
): Promise<Runtime> {
  const workerId = `worker:${role}-${crypto.randomUUID().slice(0, 8)}`;
  const worker = new Worker({
    db,
    workerId,
    concurrency: config.concurrency,
    gate: new CallGate(config.gemini.rpm),
    dayBudget: config.dayBudget,
    handPrice: config.gemini.price,
    makeAnalyst: analysts.analyst,
    makeResearcher: analysts.researcher,
    log,
  });
  const presence = await announceWorker(db, workerId, role);
  const sweep = async () => {
    try {
      const { requeued, failed, finished } = await desk.cleanup(workerId);
      if (requeued + failed + finished === 0) return;
      log("info", { requeued, failed, finished }, "took back articles of a worker that is gone");
      worker.wake();
    } catch (error) {
      log("warn", { error: messageOf(error) }, "sweep failed; trying again");
    }
  };
  await sweep();
  worker.start();
  const timer = setInterval(sweep, SWEEP_MS);
  return {
    worker,
    workerId,
    async stop(graceMs) {
      clearInterval(timer);
      await worker.stop(graceMs);
      await presence.leave();
    },
  };
}

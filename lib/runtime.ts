/**
 * What makes a process work off sessions: a worker beside the upkeep. The service has one all the time unless it only
 * serves pages, a desk command only while it does the work itself.
 */
import type { Analysts } from "./analysis/make_analyst.ts";
import { CallGate } from "./batches/worker/call_gate.ts";
import type { TroubleTiming } from "./batches/worker/come_back.ts";
import { shareRate } from "./batches/worker/shared_rate.ts";
import { Worker } from "./batches/worker/worker.ts";
import { createUpkeep, type UpkeepOptions } from "./upkeep.ts";

export interface Runtime {
  worker: Worker;
  workerId: string;
  /** @param graceMs How long requests that are out may still be answered. */
  stop(graceMs: number): Promise<void>;
}

export interface RuntimeOptions extends UpkeepOptions {
  analysts: Analysts;
  /** How long sessions wait for a provider; a test is quicker. */
  troubleTiming?: TroubleTiming;
}

export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { db, config, analysts, role, log, troubleTiming } = options;
  const workerId = nameProcess("worker", role);
  const worker = new Worker({
    db,
    workerId,
    concurrency: config.concurrency,
    gate: new CallGate({
      rate: shareRate(db, "gemini", config.gemini.rpm),
      round: config.concurrency,
      onTrouble: (error) => log("warn", { error }, "could not reserve a place for a request; trying again"),
    }),
    dayBudget: config.dayBudget,
    handPrice: config.gemini.price,
    makeAnalyst: analysts.analyst,
    makeResearcher: analysts.researcher,
    tryNow: analysts.tryNow,
    troubleTiming,
    log,
  });
  const upkeep = createUpkeep(workerId, options);
  await upkeep.begin(() => worker.wake());
  worker.start();
  return {
    worker,
    workerId,
    async stop(graceMs) {
      await worker.stop(graceMs);
      await upkeep.stop();
    },
  };
}

/** "worker:service-1a2b3c4d": who it is in the audit trail. */
export function nameProcess(kind: "worker" | "web", role: string): string {
  return `${kind}:${role}-${crypto.randomUUID().slice(0, 8)}`;
}

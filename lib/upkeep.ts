/**
 * What every process of the desk keeps up while it lives, whether it works off sessions or not: its presence, the regular
 * look for what others left behind, the watch for what is worth an alert, and the delivery of alerts.
 */
import { keepDelivering } from "./alerts/keep_delivering.ts";
import type { AlertSink } from "./alerts/sinks/port.ts";
import { announceProcess } from "./batches/worker/presence.ts";
import type { Config } from "./config.ts";
import type { Database } from "./database/port.ts";
import type { Desk } from "./desk.ts";
import { messageOf } from "./errors.ts";
import type { Log } from "./log.ts";

/** How often expired leases and finished sessions are looked for, ms. */
const SWEEP_MS = 5_000;
/** How often everything is looked at that may be worth an alert, ms; the first time when work has had time to begin. */
const WATCH_MS = 15_000;
/** How long the last alerts have at the end, ms. */
const LAST_ALERTS_MS = 3_000;

export interface UpkeepOptions {
  db: Database;
  desk: Desk;
  config: Config;
  /** What it is in the list of processes: "service", "worker", "web", "drain" or a desk command. */
  role: string;
  /** Where this process delivers alerts; a command delivers none. */
  sinks?: readonly AlertSink[];
  log: Log;
}

export interface Upkeep {
  /** @param onTakenBack Called when articles of a process that is gone are due again. */
  begin(onTakenBack: () => void): Promise<void>;
  stop(): Promise<void>;
}

/** @param id Names the process in the audit trail. */
export function createUpkeep(
  id: string,
  { db, desk, config, role, sinks = [], log }: UpkeepOptions,
): Upkeep {
  const ends: (() => unknown)[] = [];
  return {
    async begin(onTakenBack) {
      const sweep = async () => {
        try {
          const { requeued, failed, finished } = await desk.sweep(id);
          if (requeued + failed + finished === 0) return;
          log("info", { requeued, failed, finished }, "took back articles of a worker that is gone");
          onTakenBack();
        } catch (error) {
          log("warn", { error: messageOf(error) }, "sweep failed; trying again");
        }
      };
      const watch = () =>
        desk.watch().catch((error) =>
          log("warn", { error: messageOf(error) }, "could not look for alerts; trying again")
        );
      const presence = await announceProcess(db, id, role);
      ends.unshift(() => presence.leave());
      // The first sweep may raise alerts already.
      const delivery = await keepDelivering({ db, sinks, ...config.alerts, log });
      ends.unshift(() => delivery.stop(LAST_ALERTS_MS));
      await sweep();
      for (const timer of [setInterval(sweep, SWEEP_MS), setInterval(watch, WATCH_MS)]) {
        ends.unshift(() => clearInterval(timer));
      }
    },
    async stop() {
      for (const end of ends.splice(0)) await end();
    },
  };
}

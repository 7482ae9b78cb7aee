/** Delivers alerts for as long as a process lives: a look every two seconds, and an orderly end. */
import type { Database } from "../database/port.ts";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { deliverAlerts, type DeliveryOptions } from "./deliver.ts";
import type { AlertSink } from "./sinks/port.ts";

/** Between two looks, ms: an alert is on its way this soon after its transaction. */
const LOOK_MS = 2_000;

export interface Delivery {
  /** Tells what was raised until now, for this long at most, ms; the rest is told by the next process. */
  stop(graceMs: number): Promise<void>;
}

export interface KeepDeliveringOptions extends Pick<DeliveryOptions, "quietHours" | "timeZone" | "backoff"> {
  db: Database;
  sinks: readonly AlertSink[];
  log: Log;
}

/** Registers the sinks before it returns: they are told of everything that is raised from now on. */
export async function keepDelivering({ sinks, ...options }: KeepDeliveringOptions): Promise<Delivery> {
  // Each by itself: a slow sink does not keep the others waiting.
  const deliveries = await Promise.all(sinks.map((sink) => keepDeliveringTo(sink, options)));
  return {
    stop: async (graceMs) => void await Promise.all(deliveries.map((delivery) => delivery.stop(graceMs))),
  };
}

async function keepDeliveringTo(
  sink: AlertSink,
  options: Omit<KeepDeliveringOptions, "sinks">,
): Promise<Delivery> {
  const { db, log } = options;
  const end = new AbortController();
  let away = false;
  const pass = async () => {
    try {
      await deliverAlerts(db, [sink], { ...options, stop: end.signal, cut: end.signal });
      away = false;
    } catch (error) {
      if (!away) {
        log("warn", { sink: sink.name, error: messageOf(error) }, "alerts wait: the database is away");
      }
      away = true;
    }
  };
  await pass();
  let running: Promise<void> | null = null;
  const timer = setInterval(() => running ??= pass().finally(() => running = null), LOOK_MS);
  return {
    async stop(graceMs) {
      clearInterval(timer);
      const late = setTimeout(() => end.abort(), graceMs);
      await running;
      await pass();
      clearTimeout(late);
    },
  };
}

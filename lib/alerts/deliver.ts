/**
 * Delivers what the outbox holds: per sink one process at a time, one notice after the other in the order in which
 * things happened, at least once. A sink that fails waits as a whole; the others do not notice.
 */
import type { Database } from "../database/port.ts";
import { type DeliveryOptions, DeliveryPass, type DeliveryReport } from "./delivery_pass.ts";
import { lookAtSinks } from "./outbox.ts";
import { isQuiet } from "./quiet_hours.ts";
import { registerSink } from "./sink_rows.ts";
import type { AlertSink } from "./sinks/port.ts";

export type { DeliveryOptions, DeliveryReport } from "./delivery_pass.ts";

/** One pass over all sinks. Rejects only when the database is away. */
export async function deliverAlerts(
  db: Database,
  sinks: readonly AlertSink[],
  options: DeliveryOptions,
): Promise<DeliveryReport> {
  const report: DeliveryReport = { sent: 0, refused: 0, obsolete: 0, failed: [] };
  if (sinks.length === 0) return report;
  const { quietHours, timeZone, now = null } = options;
  // For the hands on the wall a second more or less does not matter, so the local clock will do.
  const moment = { now, quiet: isQuiet(now ?? new Date(), quietHours, timeZone) };
  const looks = await lookAtSinks(db, sinks.map(({ name }) => name), moment);
  const passes = await Promise.allSettled(looks.map(async (look, index) => {
    if (!look.known) await registerSink(db, look.sink, now);
    else if (look.free && look.work) await new DeliveryPass(db, sinks[index], moment, options, report).run();
  }));
  const failed = passes.find((pass) => pass.status === "rejected");
  if (failed) throw failed.reason;
  return report;
}

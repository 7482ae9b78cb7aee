/** Delivers what the outbox of alerts holds. The service does so all the time; here it does not rest on its timers. */
import { deliverAlerts as deliver } from "../lib/alerts/deliver.ts";
import { count } from "../lib/alerts/words.ts";
import type { Job } from "./job.ts";

export const deliverAlerts: Job = async ({ db, config, log, sinks }, { signal }) => {
  const { quietHours, timeZone } = config.alerts;
  const report = await deliver(db, sinks, { quietHours, timeZone, log, stop: signal });
  const parts = [
    report.sent > 0 ? `${count(report.sent, "notice")} sent` : "Nothing to send",
    report.refused > 0 ? `${report.refused} refused` : null,
    report.obsolete > 0 ? `${report.obsolete} over before they were told` : null,
    ...report.failed.map(({ sink, error }) => `${sink} fails: ${error}`),
  ].filter((part) => part !== null);
  return { text: parts.join("; "), detail: { ...report } };
};

/** Alerts as lines of the log. Never down, so it is never behind. */
import type { Log, LogLevel } from "../../log.ts";
import type { AlertLevel } from "../types.ts";
import type { AlertSink } from "./port.ts";

const LEVELS: Record<AlertLevel, LogLevel> = { info: "info", warning: "warn", critical: "error" };

export function createLogSink(log: Log): AlertSink {
  return {
    name: "log",
    send({ alert, notice }) {
      const { alert_id, rule, level, number, text, resolution } = alert;
      const fields = {
        alert: alert_id,
        rule,
        level_of_alert: level,
        ...(number === null ? {} : { session: number }),
      };
      if (notice === "raised") log(LEVELS[level], fields, text);
      else log("info", fields, `Over (${resolution ?? "no reason given"}): ${text}`);
      return Promise.resolve({ ok: true });
    },
  };
}

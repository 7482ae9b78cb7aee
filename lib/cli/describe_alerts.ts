/** Alerts, mutes and sinks in words, for the terminal. */
import pc from "picocolors";
import type { SinkState } from "../alerts/sink_rows.ts";
import { adviceFor } from "../alerts/rules.ts";
import type { Alert, Mute } from "../alerts/types.ts";
import { utcTime } from "../alerts/words.ts";
import { describeInabilities } from "../batches/worker/presence.ts";
import type { MonitorReport } from "../desk.ts";
import { describeProgress } from "./describe_session.ts";
import { count, duration, percent, safe } from "./output.ts";

const COLOURS = { info: pc.cyan, warning: pc.yellow, critical: pc.red };

/** The alert in a line or two, with what to do about it under it. */
export function describeAlert(alert: Alert): string {
  const { alert_id, level, rule, text, created_at, acknowledged_by, resolved_at, resolution, lasting } =
    alert;
  const facts = [
    rule,
    `${lasting ? "since" : "at"} ${utcTime(created_at)}`,
    resolved_at !== null && lasting
      ? `over at ${utcTime(resolved_at)}: ${resolution ?? "no reason given"}`
      : null,
    acknowledged_by === null ? null : `seen by ${acknowledged_by}`,
  ].filter((part) => part !== null);
  const advice = adviceFor(alert);
  const [first, ...rest] = safe(text).split("\n");
  return [
    `#${alert_id} ${COLOURS[level](level.toUpperCase())} ${first}`,
    ...rest.map((line) => `    ${line}`.trimEnd()),
    `    ${pc.dim(facts.join(" · "))}`,
    ...(advice !== "" && resolved_at === null ? [`    ${advice}`] : []),
  ].join("\n");
}

/** The same in one line, between the lines of something else. */
export function describeAlertLine({ level, text }: Alert): string {
  return `${COLOURS[level](level.toUpperCase())} ${safe(text)}`;
}

export function describeAlerts(
  alerts: readonly Alert[],
  mutes: readonly Mute[],
  sinks: readonly SinkState[],
  empty: string,
): string {
  const lines = alerts.length > 0 ? alerts.map(describeAlert) : [empty];
  for (const { sink, failures, error, not_before } of sinks.filter((each) => each.failures > 0)) {
    lines.push(
      `Not delivered to ${sink}: ${error ?? "nobody knows why"}, ${count(failures, "time")} in a row; ` +
        `next try ${utcTime(not_before)}`,
    );
  }
  return [...lines, ...mutes.map(describeMute)].join("\n");
}

export function describeMute({ rule, number, until, muted_by }: Mute): string {
  const what = [rule, number === null ? null : `session ${number}`].filter((part) => part !== null);
  return `Muted until ${utcTime(until)}: ${what.join(" of ") || "everything"}, by ${muted_by}`;
}

export function describeMonitor(report: MonitorReport): string {
  const lines = report.ended.length > 0 ? [`Ended sessions: ${report.ended.join(", ")}`] : [];
  for (const progress of report.sessions) {
    const {
      session,
      leftOut,
      failureRate,
      retryRate,
      meanSignalStrength,
      quotesKept,
      quotesDropped,
      quietMs,
    } = progress;
    const figures = [
      leftOut ? `about ${count(leftOut, "article")} will not fit the budget` : null,
      failureRate === null ? null : `${percent(failureRate, 1)} failed`,
      retryRate === null ? null : `${percent(retryRate, 1)} of tries repeated`,
      meanSignalStrength === null ? null : `signal ${meanSignalStrength.toFixed(2)} on average`,
      quotesDropped > 0 ? `${percent(quotesDropped, quotesDropped + quotesKept)} of quotes dropped` : null,
      `nothing ended for ${duration(quietMs)}`,
    ].filter((part) => part !== null);
    lines.push(`Session ${session.number} ${session.status}: ${describeProgress(progress)}`);
    lines.push(`    ${figures.join(" · ")}`);
  }
  if (report.sessions.length === 0) lines.push("No session is live");
  lines.push(
    report.workers.length === 0
      ? "No worker is alive"
      : `Workers: ${report.workers.map((worker) => worker.worker_id).join(", ")}`,
    ...describeInabilities(report.workers).map(safe),
    ...report.resolved.map(({ text, resolution }) => `Over (${resolution}): ${safe(text)}`),
    ...report.open.map(describeAlert),
  );
  return lines.join("\n");
}

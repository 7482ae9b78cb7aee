/** Alerts as they are pushed, and when they are over. */
import { bold, fmt, FormattedString, italic } from "@grammyjs/parse-mode";
import { adviceFor, ruleOf } from "../../lib/alerts/rules.ts";
import type { Alert, AlertLevel } from "../../lib/alerts/types.ts";
import type { Clock } from "./estimate.ts";
import { block, blocks, clock, duration, lines, plain, strong } from "./format.ts";
import { nameActor } from "./people.ts";
import { oneLine, someLines } from "./plain_text.ts";

export const MARKS: Record<AlertLevel, string> = { critical: "🔴", warning: "🟠", info: "🔵" };
const OVER = "🟢";
/** Texts may hold what a provider said. */
const TEXT_LENGTH = 700;
/** … where several share a message. */
const TEXT_LENGTH_SHARED = 200;

/** One message for alerts that came close together, the newest last. */
export function describeAlerts(alerts: readonly Alert[], at: Clock): FormattedString {
  const length = alerts.length === 1 ? TEXT_LENGTH : TEXT_LENGTH_SHARED;
  return blocks(...alerts.map((alert) => describeAlert(alert, length, at)));
}

function describeAlert(alert: Alert, length: number, at: Clock): FormattedString {
  // The digest is a table already.
  if (alert.rule === "daily_digest") return lines(heading(alert), block(someLines(alert.text, 3_000)));
  const advice = adviceFor(alert);
  const open = alert.resolved_at === null;
  return lines(
    heading(alert),
    someLines(alert.text, length),
    open && advice !== "" ? fmt`${italic}${advice}.${italic}` : null,
    state(alert, at),
  );
}

function heading({ rule, level, number, resolved_at, lasting }: Alert): FormattedString {
  const mark = resolved_at !== null && lasting ? OVER : MARKS[level];
  return strong(`${mark} ${ruleOf(rule).title}${number === null ? "" : ` · session ${number}`}`);
}

function state(
  { resolved_at, resolution, created_at, acknowledged_at, acknowledged_by, lasting }: Alert,
  { now, zone }: Clock,
) {
  const parts = [
    lasting && resolved_at !== null
      ? `Over since ${clock(resolved_at, zone, now)}${resolution ? `: ${oneLine(resolution, 120)}` : ""}`
      : null,
    lasting && resolved_at === null ? `Since ${clock(created_at, zone, now)}` : null,
    acknowledged_at ? `seen by ${nameActor(acknowledged_by)}, ${clock(acknowledged_at, zone, now)}` : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : plain(parts.join("; "));
}

/** Nobody knows whether the one before arrived, and this must not be missed. */
export function markRepeat(text: FormattedString): FormattedString {
  return blocks(text, fmt`${italic}May be a repeat: whether it was told before is not known.${italic}`);
}

/** What is told to those who were told of it: that it is over, why, and how long it took. */
export function describeResolved(alerts: readonly Alert[]): FormattedString {
  return lines(...alerts.map((alert) => {
    const { rule, number, created_at, resolved_at, resolution } = alert;
    const took = duration((resolved_at ?? created_at).getTime() - created_at.getTime());
    const what = `${ruleOf(rule).title}${number === null ? "" : ` · session ${number}`}`;
    return fmt`${OVER} ${bold}Over: ${what}${bold}\n${
      resolution ? `${sentence(oneLine(resolution, 200))} It` : "It"
    } lasted ${took}.`;
  }));
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

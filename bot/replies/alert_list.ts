/** What is wrong now, what was, and what is muted, as a list. */
import { bold, fmt, type FormattedString } from "@grammyjs/parse-mode";
import { ruleOf } from "../../lib/alerts/rules.ts";
import type { Alert, Mute } from "../../lib/alerts/types.ts";
import { MARKS } from "./alerts.ts";
import type { Clock } from "./estimate.ts";
import { ago, blocks, clock, count, lines, plain, strong } from "./format.ts";
import { nameActor } from "./people.ts";
import { oneLine } from "./plain_text.ts";

/** Alerts that one list shows. */
export const ALERTS_SHOWN = 10;

export function describeAlertList(
  open: readonly Alert[],
  recent: readonly Alert[],
  mutes: readonly Mute[],
  at: Clock,
) {
  const heading = open.length === 0 ? "Nothing is wrong now" : count(open.length, "open alert");
  const past = recent.filter(({ lasting, resolved_at }) => !lasting || resolved_at !== null).slice(0, 4);
  return blocks(
    strong(heading),
    ...grouped(open.slice(0, ALERTS_SHOWN)).map((group) =>
      lines(...group.map((alert) => describeLine(alert, at)))
    ),
    open.length > ALERTS_SHOWN ? plain(`… and ${open.length - ALERTS_SHOWN} more`) : null,
    open.length === 0 && past.length > 0
      ? lines(strong("Before"), ...past.map((alert) => pastLine(alert, at)))
      : null,
    mutes.length > 0 ? describeMutes(mutes, at) : null,
  );
}

/** Alerts of one session stand together. */
function grouped(alerts: readonly Alert[]): Alert[][] {
  return [...Map.groupBy(alerts, ({ number }) => number).values()];
}

function describeLine(alert: Alert, { now, zone }: Clock): FormattedString {
  const { alert_id, rule, level, number, text, created_at, acknowledged_at, acknowledged_by } = alert;
  const seen = acknowledged_at === null ? "" : `, seen by ${nameActor(acknowledged_by)}`;
  return fmt`${MARKS[level]} ${bold}#${String(alert_id)} ${ruleOf(rule).title}${
    number === null ? "" : ` · session ${number}`
  }${bold} since ${clock(created_at, zone, now)}${seen}\n${oneLine(text, 120)}`;
}

function pastLine({ rule, number, created_at }: Alert, { now }: Clock): FormattedString {
  return plain(
    `· ${ruleOf(rule).title}${number === null ? "" : `, session ${number}`}, ${ago(created_at, now)}`,
  );
}

export function describeMutes(mutes: readonly Mute[], { now, zone }: Clock): FormattedString {
  if (mutes.length === 0) return plain("Nothing is muted.");
  return lines(
    strong("Muted"),
    ...mutes.map((mute) =>
      plain(`· ${nameMute(mute)} until ${clock(mute.until, zone, now)}, by ${nameActor(mute.muted_by)}`)
    ),
  );
}

export function nameMute({ rule, number }: Pick<Mute, "rule" | "number">): string {
  const what = rule === null ? "everything" : ruleOf(rule).title;
  return number === null ? what : `${what} of session ${number}`;
}

/** What a chat is shown of alerts: a message for a notice, and messages changed when their alerts have. */
import type { Api } from "grammy";
import type { Notice } from "../lib/alerts/sinks/port.ts";
import type { RuleName } from "../lib/alerts/rules.ts";
import type { Alert } from "../lib/alerts/types.ts";
import type { Database } from "../lib/database/port.ts";
import type { Desk } from "../lib/desk.ts";
import type { Log } from "../lib/log.ts";
import { type CallFailure, explainFailure } from "./call_outcome.ts";
import { findNotice, listAlertsOf } from "./notices.ts";
import { alertButtons } from "./replies/alert_buttons.ts";
import { describeAlerts, describeResolved, markRepeat } from "./replies/alerts.ts";
import { describeResult, resultButtons } from "./replies/session_result.ts";
import { edit, type Saying } from "./speak.ts";
import { splitMessage } from "./split_message.ts";

export interface SinkTools {
  db: Database;
  desk: Pick<Desk, "session">;
  api: Api;
  log: Log;
  now: () => Date;
  zone: string;
}

const LOUDNESS = { info: 0, warning: 1, critical: 2 } as const;

/** 0 without sound, 1, 2 critical. */
export function loudnessOf({ alert, notice }: Notice): number {
  return notice === "resolved" ? 0 : LOUDNESS[alert.level];
}

/** Money that is going, or gone. */
const MONEY: ReadonlySet<RuleName> = new Set([
  "budget_warning",
  "budget_critical",
  "budget_exhausted",
  "budget_projection",
  "day_budget_warning",
  "day_budget_exhausted",
  "overrun",
  "unknown_outcomes",
]);

/** Somebody must hear it: it rings in a message of its own, and rather comes twice than not at all. */
export function mustRing(notice: Notice): boolean {
  const loudness = loudnessOf(notice);
  return loudness === LOUDNESS.critical || (loudness > 0 && MONEY.has(notice.alert.rule));
}

/** @param again It may have been told before. */
export async function compose(
  tools: SinkTools,
  notice: Notice,
  sink: string,
  again: boolean,
): Promise<Saying> {
  const saying = await composeOnce(tools, notice, sink);
  return again ? { ...saying, text: markRepeat(saying.text) } : saying;
}

async function composeOnce(tools: SinkTools, notice: Notice, sink: string): Promise<Saying> {
  const { alert } = notice;
  const at = { now: tools.now(), zone: tools.zone };
  const silent = loudnessOf(notice) === 0;
  if (notice.notice === "resolved") {
    const told = await findNotice(tools.db, alert.alert_id, "raised", sink);
    return { text: describeResolved([alert]), silent, replyTo: told?.message_id };
  }
  if (alert.rule === "session_ended" && alert.number !== null) {
    const detail = await tools.desk.session(alert.number);
    // It may have been recovered before its end was told.
    if (detail.session.finished_at) {
      return { text: describeResult(detail, at), keyboard: resultButtons(detail), silent };
    }
  }
  return { text: describeAlerts([alert], at), keyboard: alertButtons([alert]), silent };
}

export async function addTo(
  tools: SinkTools,
  chat: number,
  message: number,
  notice: Notice,
  signal: AbortSignal,
): Promise<Redrawing> {
  const before = await listAlertsOf(tools.db, chat, message, notice.notice);
  const alerts = [...before, notice.alert];
  return await redraw(tools, chat, message, alerts, notice.notice, signal);
}

/** What told of its beginning shows that it is over, and offers nothing more to do about it. */
export async function markOver(
  tools: SinkTools,
  sink: string,
  alert: Alert,
  signal: AbortSignal,
): Promise<Redrawing> {
  const told = await findNotice(tools.db, alert.alert_id, "raised", sink);
  if (!told) return { shown: true };
  const { chat_id: chat, message_id: message } = told;
  return await redraw(tools, chat, message, await listAlertsOf(tools.db, chat, message), "raised", signal);
}

/** `failure` null: the message has no room for it. */
export type Redrawing = { shown: true } | { shown: false; failure: CallFailure | null };

/** An edit that gets no answer is made again: made twice, it is the same as once. */
const EDIT_TRIES = 3;
/** How long one of them may take, ms. */
const EDIT_MS = 5_000;

/** Shows the alerts as they are now. */
export async function redraw(
  tools: Pick<SinkTools, "api" | "now" | "zone" | "log">,
  chat: number,
  message: number,
  alerts: readonly Alert[],
  kind: Notice["notice"],
  signal: AbortSignal = NEVER,
): Promise<Redrawing> {
  const text = kind === "resolved"
    ? describeResolved(alerts)
    : describeAlerts(alerts, { now: tools.now(), zone: tools.zone });
  if (splitMessage(text).length !== 1) return { shown: false, failure: null };
  const keyboard = kind === "resolved" ? undefined : alertButtons(alerts);
  for (let tries = 1;; tries++) {
    try {
      const soon = AbortSignal.any([signal, AbortSignal.timeout(EDIT_MS)]);
      await edit(tools.api, { chat, message }, text, keyboard, soon);
      return { shown: true };
    } catch (thrown) {
      const failure = explainFailure(thrown);
      if (failure.kind === "unchanged") return { shown: true };
      const again = failure.kind === "unknown" || failure.kind === "not_sent";
      if (again && tries < EDIT_TRIES && !signal.aborted) continue;
      tools.log("debug", { chat, error: failure.error }, "an alert's message stays as it is");
      return { shown: false, failure };
    }
  }
}

const NEVER = new AbortController().signal;

/** What can be done about an alert by a tap. */
import { InlineKeyboard } from "grammy";
import type { RuleName } from "../../lib/alerts/rules.ts";
import type { Alert } from "../../lib/alerts/types.ts";
import { buttonData, type Verb } from "../button_data.ts";

/** What helps with it, beside seeing and muting it. */
const ACTIONS: Partial<Record<RuleName, readonly Action[]>> = {
  provider_refusing: ["resume", "details"],
  failing: ["resume", "details"],
  cannot_work: ["resume", "health"],
  budget_warning: ["pause", "raise"],
  budget_critical: ["pause", "raise"],
  budget_projection: ["raise"],
  budget_exhausted: ["recover", "details"],
  day_budget_warning: ["raise_day"],
  day_budget_exhausted: ["raise_day"],
  unknown_outcomes: ["unknown"],
  failure_rate: ["pause", "details"],
  ungrounded_evidence: ["details"],
  stalled: ["details", "health"],
  queue_not_moving: ["health"],
  no_worker: ["health"],
  cron_not_running: ["health"],
  feed_failing: ["health"],
};

type Action = "resume" | "pause" | "recover" | "details" | "unknown" | "raise" | "raise_day" | "health";

const LABELS: Record<Action, string> = {
  resume: "Resume",
  pause: "Pause",
  recover: "Recover",
  details: "Details",
  unknown: "Unknown calls",
  raise: "Budget +50 %",
  raise_day: "Day +50 %",
  health: "Health",
};

function actionData(action: Action, number: number | null): string | null {
  switch (action) {
    case "health":
      return buttonData("health");
    case "raise":
      return number === null ? null : buttonData("budget", "session", 150, number);
    case "raise_day":
      return buttonData("budget", "day", 150);
    default: {
      const verb: Verb = action;
      return number === null ? null : buttonData(verb, number);
    }
  }
}

/** What can be done about the alerts of one message that still last, or just happened. */
export function alertButtons(alerts: readonly Alert[]): InlineKeyboard {
  const keyboard = new InlineKeyboard();
  const open = alerts.filter(({ resolved_at }) => resolved_at === null);
  const offered = new Set<string>();
  for (const { rule, number } of open) {
    for (const action of ACTIONS[rule] ?? []) {
      const data = actionData(action, number);
      if (data !== null && !offered.has(data) && offered.size < 4) {
        offered.add(data);
        keyboard.text(LABELS[action], data);
      }
    }
  }
  const lasting = open.filter((alert) => alert.lasting);
  if (lasting.length === 0) return keyboard;
  keyboard.row();
  if (lasting.some(({ acknowledged_at }) => acknowledged_at === null)) {
    keyboard.text("Seen", buttonData("ack"));
  }
  return keyboard.text("Mute 1 h", buttonData("mute", "1h", "here"))
    .text("until morning", buttonData("mute", "morning", "here"));
}

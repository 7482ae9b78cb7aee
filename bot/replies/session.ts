/** A session while it works: the message that is edited until it has ended. */
import type { FormattedString } from "@grammyjs/parse-mode";
import { InlineKeyboard } from "grammy";
import { describeReason } from "../../lib/reasons.ts";
import type { Progress } from "../../lib/batches/read_sessions.ts";
import { isLive, type Session, type SessionStatus } from "../../lib/batches/types.ts";
import { formatUsd } from "../../lib/money.ts";
import { buttonData } from "../button_data.ts";
import type { Clock } from "./estimate.ts";
import {
  bar,
  blocks,
  clock,
  count,
  facts,
  fitting,
  lines,
  percent,
  plain,
  roughly,
  strong,
} from "./format.ts";
import { oneLine } from "./plain_text.ts";

export const MARKS: Record<SessionStatus, string> = {
  INITIATED: "▶️",
  PROCESSING: "▶️",
  PAUSED: "⏸",
  COMPLETED: "✅",
  PARTIAL: "🟠",
  FAILED: "🔴",
  CANCELLED: "⏹",
};

const WORDS: Record<SessionStatus, string> = {
  INITIATED: "begins",
  PROCESSING: "is at work",
  PAUSED: "is paused",
  COMPLETED: "is complete",
  PARTIAL: "ended, not complete",
  FAILED: "failed",
  CANCELLED: "was cancelled",
};

/** "▶️ Session 12 is at work". */
export function headline({ number, status, reason }: Session): FormattedString {
  const why = reason === null || (status === "CANCELLED" && reason === "cancelled")
    ? ""
    : `: ${describeReason(reason)}`;
  return strong(`${MARKS[status]} Session ${number} ${WORDS[status]}${why}`);
}

export function describeProgress(progress: Progress, { now, zone }: Clock): FormattedString {
  const { session, done, processing } = progress;
  const { analyzed, total, held, failed, skipped, retries } = session;
  const live = isLive(session.status);
  // While it works the bar says how much is over, afterwards how much was read.
  const shown = live ? done : analyzed;
  return blocks(
    lines(headline(session), `${bar(shown, total)} ${percent(shown, total)}`),
    facts([
      [
        "Articles",
        processing > 0
          ? fitting(`${analyzed} of ${total}`, `${processing} under way`)
          : `${analyzed} of ${total}`,
      ],
      ["Failed", failed > 0 ? String(failed) : null],
      ["Left out", skipped > 0 ? String(skipped) : null],
      ["Retries", retries > 0 ? String(retries) : null],
      ["Spent", spentOf(session)],
      ["Held", held > 0 ? formatUsd(held) : null],
      ["Outlook", live ? outlook(progress) : null],
      ["Rate", progress.perMinute === null || !live ? null : `${Math.round(progress.perMinute)} a minute`],
      ["ETA", timeLeft(progress)],
      ["Since", live ? clock(session.started_at ?? session.created_at, zone, now) : null],
    ]),
    lines(...notes(progress, { now, zone }).map(plain)),
  );
}

/** "$0.0251 of $0.1000, 25 %", and a second line where nobody was paid. */
export function spentOf({ spent, budget, simulated }: Session): string {
  const share = fitting(`${formatUsd(spent)} of ${formatUsd(budget)}`, percent(spent, budget));
  return simulated ? `${share}\nsimulated` : share;
}

/** What it will come to, once that would not fit. */
function outlook({ projected, leftOut }: Progress): string | null {
  return projected !== null && leftOut !== null && leftOut > 0
    ? `${formatUsd(projected)} for all,\n${leftOut} will not fit`
    : null;
}

function timeLeft({ session, etaMs, done }: Progress): string | null {
  return etaMs === null || done === session.total || session.status !== "PROCESSING" ? null : roughly(etaMs);
}

function notes({ session, nextDueMs, processing }: Progress, { now, zone }: Clock): string[] {
  const told: string[] = [];
  if (session.status === "PAUSED" && processing > 0) {
    told.push(`${count(processing, "article")} under way will still finish; they are paid for.`);
  }
  if (session.status === "PAUSED" && session.resume_at) {
    told.push(`It tries again by itself at ${clock(session.resume_at, zone, now)}.`);
  }
  if (session.status === "PROCESSING" && nextDueMs !== null && nextDueMs > 10_000) {
    told.push(`The next batch is due at ${clock(new Date(now.getTime() + nextDueMs), zone, now)}.`);
  }
  if (session.unknown > 0) {
    told.push(`${formatUsd(session.unknown)} of it is for calls whose outcome nobody knows yet.`);
  }
  if (session.research_off) told.push(`Searches are off: ${oneLine(session.research_off, 120)}`);
  return told;
}

/** What can be done with it now. */
export function sessionButtons({ number, status }: Session): InlineKeyboard {
  const keyboard = new InlineKeyboard();
  if (status === "PAUSED") keyboard.text("Resume", buttonData("resume", number));
  else if (isLive(status)) keyboard.text("Pause", buttonData("pause", number));
  if (isLive(status)) keyboard.text("Cancel", buttonData("cancel", number));
  return keyboard.text("Details", buttonData("details", number));
}

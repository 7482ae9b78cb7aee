/** A session that has ended: the result, the money, what is missing and why, and what helps. */
import type { FormattedString } from "@grammyjs/parse-mode";
import { InlineKeyboard } from "grammy";
import { describeReason } from "../../lib/reasons.ts";
import type { Session } from "../../lib/batches/types.ts";
import { projectFit, worstOf } from "../../lib/budget/project_fit.ts";
import type { SessionDetail } from "../../lib/desk.ts";
import { formatUsd, type Micros, micros } from "../../lib/money.ts";
import { buttonData } from "../button_data.ts";
import type { Clock } from "./estimate.ts";
import { blocks, clock, count, duration, facts, fitting, lines, plain, strong } from "./format.ts";
import { oneLine } from "./plain_text.ts";
import { headline, spentOf } from "./session.ts";

export function describeResult(detail: SessionDetail, clock: Clock): FormattedString {
  const { session } = detail;
  return blocks(headline(session), money(session, clock), missing(detail), advice(detail));
}

function money(session: Session, { now, zone }: Clock): FormattedString {
  const { analyzed, total, spent, overrun, unknown, estimated_cost } = session;
  const started = session.started_at ?? session.created_at;
  const ended = session.finished_at ?? now;
  return facts([
    ["Analysed", `${analyzed} of ${total}`],
    ["Spent", spentOf(session)],
    ["Expected", formatUsd(estimated_cost)],
    [
      "Article",
      analyzed > 0 ? `${formatUsd(micros(Math.round((spent + overrun) / analyzed)))} on average` : null,
    ],
    ["Overrun", overrun > 0 ? `${formatUsd(overrun)} above holds` : null],
    ["Unknown", unknown > 0 ? `${formatUsd(unknown)}, in full` : null],
    ["Research", session.research_missing > 0 ? `${session.research_missing} missing` : null],
    ["Took", fitting(duration(ended.getTime() - started.getTime()), `to ${clock(ended, zone, now)}`)],
    ["Model", oneLine(session.model, 24)],
  ]);
}

/** The most frequent ones come first. */
const CAUSES_SHOWN = 6;

/** What was not analysed, by cause. Null when everything was. */
export function missing({ session, failures }: SessionDetail): FormattedString | null {
  const { skipped, failed, reason } = session;
  if (skipped + failed === 0) return null;
  const causes = failures.slice(0, CAUSES_SHOWN).map(({ articles, error_class, permanent, example }) => {
    const kind = permanent ? ", for good" : "";
    return `· ${articles} failed${kind}: ${oneLine(error_class.replaceAll("_", " "), 40)} (${
      oneLine(example, 100)
    })`;
  });
  const left = skipped > 0
    ? [`· ${skipped} left out: ${reason === null ? "see details" : describeReason(reason)}`]
    : [];
  const rest = failures.length - CAUSES_SHOWN;
  return lines(
    strong(`Missing: ${count(skipped + failed, "article")}`),
    ...left,
    ...causes,
    rest > 0 ? `… and ${count(rest, "more cause")}` : null,
  );
}

export interface Remedy {
  /** Failed articles that may be tried again. */
  failed: number;
  /** Left out for money. */
  leftOut: number;
  /** The cap that should do for what was left out; null: the present one will do. */
  budget: Micros | null;
}

/** What a recovery could still get; null when it would change nothing. */
export function findRemedy({ session, failures }: SessionDetail): Remedy | null {
  if (session.status !== "PARTIAL" && session.status !== "FAILED") return null;
  const failed = failures.filter(({ permanent }) => !permanent).reduce(
    (sum, { articles }) => sum + articles,
    0,
  );
  const leftOut = session.reason === "budget" || session.reason === "day_budget" ? session.skipped : 0;
  if (failed + leftOut === 0) return null;
  return {
    failed,
    leftOut,
    budget: session.reason === "budget" ? suggestBudget(session, failed + leftOut) : null,
  };
}

const CENT = 10_000;

/** What was spent, what the rest should cost, and room for one hold at its worst; more than now in any case. */
export function suggestBudget(session: Session, articles: number): Micros {
  const { total, estimated_cost, worst_cost, budget, spent } = session;
  const fit = projectFit({ ...session, left: articles, worst: worstOf(session) });
  // Without a single result only the estimate says anything.
  const enough = fit?.enough ??
    spent + Math.ceil((estimated_cost * articles + worst_cost) / Math.max(1, total));
  return micros(Math.max(Math.ceil(enough / CENT), Math.floor(budget / CENT) + 1) * CENT);
}

function advice(detail: SessionDetail): FormattedString | null {
  const remedy = findRemedy(detail);
  if (!remedy) return null;
  if (remedy.budget !== null) {
    return plain(`With a budget of about ${formatUsd(remedy.budget)} in all, the rest should fit.`);
  }
  if (remedy.leftOut > 0) {
    return plain("The day's budget ended it: recover it tomorrow, or raise the day's budget.");
  }
  return plain("What failed can be tried again.");
}

export function resultButtons(detail: SessionDetail): InlineKeyboard {
  const { session } = detail;
  const remedy = findRemedy(detail);
  const keyboard = new InlineKeyboard();
  if (remedy) {
    const label = remedy.budget === null
      ? `Recover ${count(remedy.failed + remedy.leftOut, "article")}`
      : `Recover with ${formatUsd(remedy.budget)}`;
    keyboard.text(label, buttonData("recover", session.number));
  }
  if (session.unknown > 0) keyboard.text("Unknown calls", buttonData("unknown", session.number));
  return keyboard.text("Details", buttonData("details", session.number));
}

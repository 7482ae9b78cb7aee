/** What a batch would do and cost, before anybody says yes. */
import type { FormattedString } from "@grammyjs/parse-mode";
import type { IdentificationReport, Verdict } from "../../lib/articles/identifier.ts";
import { PRICE_LIST } from "../../lib/budget/prices.ts";
import type { Budgets } from "../../lib/budget/budgets.ts";
import type { Session } from "../../lib/batches/types.ts";
import type { Config, ResearchMode } from "../../lib/config.ts";
import type { SessionEstimate } from "../../lib/desk.ts";
import { formatUsd, type Micros } from "../../lib/money.ts";
import { VERDICT_WORDS } from "./articles.ts";
import { blocks, count, facts, lines, percent, plain, roughly, strong } from "./format.ts";
import { oneLine } from "./plain_text.ts";

export interface Preview {
  estimate: SessionEstimate;
  report: IdentificationReport;
  budgets: Budgets;
  research: ResearchMode;
  /** How long it will take, ms; null: nobody can tell. */
  timeMs: number | null;
  /** The session that is at work now; only one is at a time. */
  active: Session | null;
}

export interface Clock {
  now: Date;
  zone: string;
}

const REFUSALS: readonly Verdict[] = ["too_short", "empty", "wrong_language", "too_long", "given_up"];

/** Whether there is anything to say yes to. */
export function canStart({ estimate, active }: Preview): boolean {
  return estimate.articles > 0 && active === null;
}

export function describePreview(preview: Preview, title: string): FormattedString {
  const { estimate, report } = preview;
  return blocks(
    strong(estimate.articles === 0 ? "Nothing to read" : title),
    estimate.articles === 0 ? plain(whyNothing(preview)) : figures(preview),
    lines(...notes(preview).map(plain)),
    refusals(report),
  );
}

function figures({ estimate, budgets, research, timeMs }: Preview): FormattedString {
  const { expected, worst, budget, simulated, price, articles } = estimate;
  const more = estimate.readyBeyondLimit ? ", more are ready" : "";
  const learnt = estimate.learntFrom > 0
    ? `learnt from ${count(estimate.learntFrom, "article")}`
    : "a first guess";
  return facts([
    ["Articles", `${articles}${more}`],
    ["Expected", `${formatUsd(expected)}, ${percent(expected, budget)} of budget\n${learnt}`],
    ["Worst", `${formatUsd(worst)}, ${percent(worst, budget)} of budget`],
    ["Budget", `${formatUsd(budget)}, a hard cap`],
    ["Today", describeDay(estimate, budgets)],
    ["Time", timeMs === null ? null : roughly(timeMs)],
    ["Model", oneLine(estimate.model, 24)],
    [
      "Price",
      `$${price.perMillion.input.toFixed(2)} in, $${price.perMillion.output.toFixed(2)} out\n` +
      `a million tokens\n${priceDate(price.source)}`,
    ],
    ["Research", research === "off" ? null : research],
    ["Money", simulated ? "simulated, paid to nobody" : null],
  ]);
}

function priceDate(source: SessionEstimate["price"]["source"]): string {
  const day = new Date(PRICE_LIST.published).toLocaleDateString("en-GB", {
    timeZone: "UTC",
    day: "numeric",
    month: "short",
    year: "numeric",
  });
  return source === "price list" ? `list of ${day}` : "set by hand";
}

/** What the day has used, and what it would have used with this. More than its budget a session never takes. */
function describeDay({ expected, worst, budget }: SessionEstimate, { day, dayCap }: Budgets): string | null {
  const used = ((day?.spent ?? 0) + (day?.held ?? 0)) as Micros;
  if (dayCap === null) return used === 0 ? null : `${formatUsd(used)} used, no cap`;
  const most = used + Math.min(worst, budget);
  return `${formatUsd(used)} of ${formatUsd(dayCap)} used,\n` +
    `${percent(used + expected, dayCap)} with this,\n${percent(most, dayCap)} at worst`;
}

function notes(preview: Preview): string[] {
  const { estimate, budgets, active } = preview;
  const { affordable, articles, tooExpensive, expected, budget } = estimate;
  const told: string[] = [];
  if (active) {
    told.push(`Session ${active.number} is at work, and one is at a time. Wait for it, or pause it.`);
  }
  if (affordable !== null && affordable < articles) {
    told.push(`The budget covers about ${affordable} of ${articles}; the rest would be left out.`);
  }
  if (tooExpensive > 0) {
    told.push(`${count(tooExpensive, "article")} left out: each alone could cost more than the budget.`);
  }
  const { day, dayCap } = budgets;
  const room = dayCap === null ? null : dayCap - (day?.spent ?? 0) - (day?.held ?? 0);
  if (room !== null && articles > 0 && room < Math.min(expected, budget)) {
    told.push(
      `The day's budget has ${formatUsd(Math.max(0, room) as Micros)} left: it would stop the session.`,
    );
  }
  return told;
}

function whyNothing({ report, estimate }: Preview): string {
  if (estimate.tooExpensive > 0) return "No ready article fits the budget even alone.";
  return report.total === 0
    ? "There are no articles yet. Feeds bring some in, or take some in at the desk."
    : `No article is ready: ${report.counts.analyzed} of ${report.total} are analysed already.`;
}

function refusals({ counts }: IdentificationReport): FormattedString | null {
  const refused = REFUSALS.filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `${counts[verdict]} ${VERDICT_WORDS[verdict]}`);
  return refused.length === 0 ? null : plain(`Refused: ${refused.join(", ")}`);
}

/** Sessions whose pace says something of the next one. */
const PACE_SESSIONS = 5;

/**
 * How long a batch will take: at the pace of the newest sessions with the same model, but never less than the waits
 * between its batches. Null without experience when there is only one batch.
 */
export function guessDuration(
  estimate: Pick<SessionEstimate, "articles" | "model" | "simulated">,
  { batchSize, batchDelayMs }: Pick<Config, "batchSize" | "batchDelayMs">,
  sessions: readonly Session[],
): number | null {
  const paces = sessions
    .filter(({ model, simulated, status, analyzed }) =>
      model === estimate.model && simulated === estimate.simulated && status === "COMPLETED" && analyzed > 0
    )
    .slice(0, PACE_SESSIONS)
    .flatMap(({ started_at, finished_at, analyzed }) =>
      started_at && finished_at ? [(finished_at.getTime() - started_at.getTime()) / analyzed] : []
    )
    .sort((a, b) => a - b);
  const waits = Math.max(0, Math.ceil(estimate.articles / batchSize) - 1) * batchDelayMs;
  const median = paces[Math.floor(paces.length / 2)];
  if (median === undefined) return waits > 0 ? waits : null;
  return Math.max(waits, Math.round(median * estimate.articles));
}

/** What was spent. Real and simulated money are never added up. */
import type { FormattedString } from "@grammyjs/parse-mode";
import { InlineKeyboard } from "grammy";
import type { CostLine, CostReport, UseCost } from "../../lib/budget/costs.ts";
import { formatUsd, type Micros, micros } from "../../lib/money.ts";
import { buttonData } from "../button_data.ts";
import { blocks, count, facts, lines, money, plain, strong, table } from "./format.ts";
import { oneLine } from "./plain_text.ts";

/** Days of a list; the chart shows all of them. */
const DAYS_SHOWN = 10;
const USES_SHOWN = 8;

export function describeCosts(report: CostReport): FormattedString {
  const title = strong(report.days === 1 ? "Spend today (UTC)" : `Spend of ${report.days} days (UTC)`);
  if (report.total.length === 0) return blocks(title, plain("Nothing was spent."));
  return blocks(title, ...report.total.map((total) => describeKind(report, total)));
}

function describeKind(report: CostReport, total: CostLine): FormattedString {
  const { simulated } = total;
  const days = report.byDay.filter((line) => line.simulated === simulated).slice(-DAYS_SHOWN).reverse();
  const uses = report.byUse.filter((line) => line.simulated === simulated);
  return lines(
    facts([
      [simulated ? "Simulated" : "Spent", formatUsd(billed(total))],
      ["Articles", String(total.articles)],
      ["Each", total.articles > 0 ? formatUsd(micros(Math.round(billed(total) / total.articles))) : null],
      ["Calls", total.calls.toLocaleString("en-US")],
      ["Held", total.held > 0 ? formatUsd(total.held) : null],
      ["Unknown", total.unknown > 0 ? `${formatUsd(total.unknown)}, in full` : null],
      ["Overrun", total.overrun > 0 ? formatUsd(total.overrun) : null],
    ]),
    days.length > 1
      ? table(days.map((line) => [line.day.slice(5), String(line.articles), formatUsd(billed(line))]), [1, 2])
      : null,
    table(uses.slice(0, USES_SHOWN).map((line) => [nameUse(line), formatUsd(billed(line))]), [1]),
    uses.length > USES_SHOWN
      ? plain(`… and ${count(uses.length - USES_SHOWN, "more use", "more uses")}`)
      : null,
  );
}

function billed({ spent, overrun }: CostLine): Micros {
  return micros(spent + overrun);
}

function nameUse({ kind, provider, model }: UseCost): string {
  const name = kind === "search" ? `${provider} search` : kind === "analysis" ? model : `${kind}, ${model}`;
  return oneLine(name, 23);
}

const PERIODS = [7, 30, 90];

/** The other periods that people ask for. */
export function costButtons(days: number): InlineKeyboard {
  const keyboard = new InlineKeyboard();
  for (const period of PERIODS) {
    if (period !== days) keyboard.text(`${period} days`, buttonData("cost", period));
  }
  return keyboard;
}

/** Under a chart. */
export function costCaption(report: CostReport, simulated: boolean): string {
  const total = report.total.find((line) => line.simulated === simulated);
  return `${report.days} days: ${money(total ? billed(total) : micros(0), simulated)}`;
}

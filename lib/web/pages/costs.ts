/** Costs: by day, by model and use. Real and simulated money are never added up. */
import { html } from "hono/html";
import type { CostReport } from "../../budget/costs.ts";
import { formatUsd } from "../../money.ts";
import type { Html, Page } from "./layout.ts";
import { count, showFigures, showMoney, showTable } from "./words.ts";

export const SPANS = [7, 30, 90, 365] as const;

/** Sums over many days change slowly, and adding them up reads every call of them. ms */
const REFRESH_MS = 60_000;

/** @param charts Drawn already. */
export function costsPage(report: CostReport, charts: readonly Html[]): Page {
  const { days, total, byDay, byUse } = report;
  return {
    title: "Costs",
    place: "/costs",
    everyMs: REFRESH_MS,
    body: html`<h1>Costs of the last ${days} days</h1>
<p class="pages">${
      SPANS.map((span) =>
        span === days
          ? html`<strong>${span} days</strong>`
          : html`<a href="/costs?days=${span}">${span} days</a>`
      )
    }</p>
<div id="totals" data-live>${
      total.length === 0
        ? html`<p>Nothing was spent.</p>`
        : total.map((line) =>
          html`${
            total.length > 1 ? html`<h2>${line.simulated ? "Simulated, paid to nobody" : "Paid"}</h2>` : ""
          }${
            showFigures([
              {
                name: "Spent",
                value: showMoney(line.spent, line.simulated),
                note: `${count(line.calls)} calls`,
              },
              { name: "Articles", value: count(line.articles) },
              {
                name: "Unknown outcomes",
                value: formatUsd(line.unknown),
                note: "charged in full until resolved",
              },
              { name: "Above holds", value: formatUsd(line.overrun) },
              { name: "Held now", value: formatUsd(line.held) },
              {
                name: "Tokens",
                value: count(line.input_tokens),
                note: `in, ${count(line.output_tokens)} out`,
              },
            ])
          }`
        )
    }</div>
<div id="charts" class="charts" data-live>${charts}</div>
<h2>By model and use</h2>
<div id="by-use" data-live>${
      showTable("Spend by model and use, most first", [
        { title: "provider", show: (line) => line.provider },
        { title: "model", whole: true, show: (line) => line.model },
        { title: "use", show: (line) => line.kind },
        { title: "calls", number: true, show: (line) => count(line.calls) },
        { title: "articles", number: true, show: (line) => count(line.articles) },
        { title: "credits", number: true, show: (line) => line.credits > 0 ? count(line.credits) : "" },
        { title: "spent", number: true, show: (line) => showMoney(line.spent, line.simulated) },
      ], byUse)
    }</div>
<h2>By day</h2>
<div id="by-day" data-live>${
      showTable("Spend by UTC day, newest first", [
        { title: "day", whole: true, show: (line) => line.day },
        { title: "calls", number: true, show: (line) => count(line.calls) },
        { title: "articles", number: true, show: (line) => count(line.articles) },
        { title: "unknown", number: true, show: (line) => line.unknown > 0 ? formatUsd(line.unknown) : "" },
        { title: "spent", number: true, show: (line) => showMoney(line.spent, line.simulated) },
      ], byDay.toReversed())
    }</div>`,
  };
}

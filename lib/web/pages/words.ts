/** Figures, times and states in the words of the pages. */
import { html } from "hono/html";
import prettyMs from "pretty-ms";
import { describeReason } from "../../reasons.ts";
import type { Session } from "../../batches/types.ts";
import { formatUsd, type Micros } from "../../money.ts";
import type { Html } from "./layout.ts";

const TONES: Record<string, string> = {
  COMPLETED: "good",
  ANALYZED: "good",
  SETTLED: "good",
  PARTIAL: "warn",
  PAUSED: "warn",
  SKIPPED: "warn",
  UNKNOWN: "warn",
  warning: "warn",
  FAILED: "bad",
  CANCELLED: "bad",
  critical: "bad",
};

export function tone(state: string): string {
  return TONES[state] ?? "muted";
}

export function showState(state: string, reason: string | null = null): Html {
  return html`<span class="state ${tone(state)}">${state}</span>${
    reason
      ? html`
        ${describeReason(reason)}
      `
      : ""
  }`;
}

export function showMoney(amount: Micros, simulated: boolean): Html {
  return simulated
    ? html`${formatUsd(amount)} <span class="badge">simulated</span>`
    : html`${formatUsd(amount)}`;
}

export function showTime(time: Date | null): Html {
  if (time === null) return html`<span class="muted">never</span>`;
  const iso = time.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace("T", " ")}</time>`;
}

export function duration(ms: number): string {
  return prettyMs(Math.max(0, ms), { secondsDecimalDigits: 0, unitCount: ms < 60_000 ? 1 : 2 });
}

export function count(n: number): string {
  return n.toLocaleString("en-US");
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? "0 %" : `${Math.floor(part * 100 / whole)} %`;
}

export function describeResult(session: Session): string {
  const parts = [`${count(session.analyzed)} of ${count(session.total)} analysed`];
  if (session.failed > 0) parts.push(`${count(session.failed)} failed`);
  if (session.skipped > 0) parts.push(`${count(session.skipped)} left out`);
  return parts.join(", ");
}

export interface Figure {
  name: string;
  value: Html | string;
  note?: Html | string;
}

/** The few figures that matter most, large. */
export function showFigures(figures: readonly Figure[]): Html {
  return html`<dl class="figures">${
    figures.map(({ name, value, note }) =>
      html`
        <div>
          <dt>${name}</dt>
          <dd>${value}${note ? html`<small>${note}</small>` : ""}</dd>
        </div>
      `
    )
  }</dl>`;
}

export interface Column<Row> {
  title: string;
  /** Numbers stand on the right. */
  number?: true;
  wide?: true;
  /** Names that must not be broken at a hyphen: elsewhere in the row that makes cells of many lines on a phone. */
  whole?: true;
  show: (row: Row) => Html | string | number;
}

/** A table that scrolls sideways on a phone, with a caption for screen readers. */
export function showTable<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): Html {
  const classOf = ({ number, wide, whole }: Column<Row>) => {
    const name = number ? "n" : wide ? "wide" : whole ? "whole" : null;
    return name === null ? "" : html`
      class="${name}"
    `;
  };
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
      <table>
        <caption>${caption}</caption>
        <thead>
          <tr>${columns.map((column) =>
            html`
              <th scope="col" ${classOf(column)}>${column.title}</th>
            `
          )}</tr>
        </thead>
        <tbody>${rows.map((row) =>
          html`<tr>${columns.map((column) => html`<td${classOf(column)}>${column.show(row)}</td>`)}</tr>`
        )}</tbody>
      </table>
    </div>
  `;
}

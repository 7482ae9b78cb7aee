/** Alerts: the open ones on every page that they concern, and all of them on their own. */
import { html } from "hono/html";
import type { Alert } from "../../alerts/types.ts";
import type { Html, Page } from "./layout.ts";
import { showState, showTable, showTime, tone } from "./words.ts";

/** Null when there are none: a quiet desk shows nothing. */
export function showOpenAlerts(alerts: readonly Alert[]): Html | "" {
  if (alerts.length === 0) return "";
  return html`<ul class="alerts" aria-label="Open alerts">${
    alerts.map((alert) =>
      html`<li class="${tone(alert.level)}"><strong>${alert.level}</strong> <span>${alert.text}</span></li>`
    )
  }</ul>`;
}

export function alertsPage(open: readonly Alert[], recent: readonly Alert[]): Page {
  return {
    title: "Alerts",
    place: "/alerts",
    body: html`<h1>Alerts</h1>
<div id="open" data-live>${open.length > 0 ? showOpenAlerts(open) : html`<p>Nothing is wrong.</p>`}</div>
<h2>Lately</h2>
<div id="recent" data-live>${
      recent.length === 0 ? html`<p class="muted">No alert yet.</p>` : showTable("Alerts, newest first", [
        { title: "when", show: (alert) => showTime(alert.created_at) },
        { title: "level", show: (alert) => showState(alert.level) },
        { title: "what", wide: true, show: (alert) => alert.text },
        {
          title: "session",
          number: true,
          show: ({ number }) => number === null ? "" : html`<a href="/sessions/${number}">${number}</a>`,
        },
        { title: "now", show: describeEnd },
      ], recent)
    }</div>`,
  };
}

function describeEnd(alert: Alert): Html | string {
  if (alert.resolved_at) {
    return html`over since ${showTime(alert.resolved_at)}: ${alert.resolution ?? "over"}`;
  }
  if (!alert.lasting) return "";
  return alert.acknowledged_by ? `open, seen by ${alert.acknowledged_by}` : "open";
}

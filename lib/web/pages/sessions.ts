/** The first page: the session at work, and the ones before it. */
import { html } from "hono/html";
import type { Alert } from "../../alerts/types.ts";
import type { Progress } from "../../batches/read_sessions.ts";
import { isLive, type Session } from "../../batches/types.ts";
import { formatUsd } from "../../money.ts";
import { showOpenAlerts } from "./alerts.ts";
import type { Html, Page } from "./layout.ts";
import { describeNews, showProgress } from "./progress.ts";
import { describeResult, showMoney, showState, showTable, showTime } from "./words.ts";

export interface SessionsView {
  current: Progress | null;
  alerts: readonly Alert[];
  sessions: readonly Session[];
  /** `before` of the next page; null: there is none. */
  next: number | null;
}

export function sessionsPage({ current, alerts, sessions, next }: SessionsView): Page {
  const live = current !== null && isLive(current.session.status);
  return {
    title: live ? `${current.done}/${current.session.total}` : "Sessions",
    place: "/",
    stream: live ? `/api/sessions/${current.session.number}/events?events=moves` : undefined,
    news: current === null ? "No session yet" : describeNews(current, alerts),
    body: html`<h1>Sessions</h1>
<div id="alerts" data-live>${showOpenAlerts(alerts)}</div>
<div id="current" data-live>${live ? showCurrent(current) : ""}</div>
<div id="sessions" data-live>${
      sessions.length === 0
        ? html`<p>No session yet. Start one from the chat, the terminal (<code>deno task desk batch</code>) or the API.</p>`
        : listSessions(sessions)
    }</div>
${next === null ? "" : html`<p class="pages"><a href="/?before=${next}">Earlier sessions</a></p>`}`,
  };
}

function showCurrent(current: Progress): Html {
  const { number } = current.session;
  return html`<h2><a href="/sessions/${number}">Session ${number}</a> is at work</h2>${
    showProgress(current)
  }`;
}

function listSessions(sessions: readonly Session[]): Html {
  return showTable("Sessions, newest first", [
    {
      title: "session",
      number: true,
      show: ({ number }) => html`<a href="/sessions/${number}">${number}</a>`,
    },
    { title: "state", show: ({ status, reason }) => showState(status, reason) },
    { title: "result", show: describeResult },
    { title: "spent", number: true, show: ({ spent, simulated }) => showMoney(spent, simulated) },
    { title: "budget", number: true, show: ({ budget }) => formatUsd(budget) },
    { title: "model", whole: true, show: ({ model }) => model },
    { title: "started", show: ({ created_at }) => showTime(created_at) },
    { title: "by", whole: true, show: ({ started_by }) => started_by },
  ], sessions);
}

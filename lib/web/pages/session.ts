/** One session: progress, money over time, batches, failures, articles, and who did what when. */
import { html } from "hono/html";
import type { Alert } from "../../alerts/types.ts";
import type { TrailEvent } from "../../batches/read_events.ts";
import type { SessionArticle } from "../../batches/read_items.ts";
import { ITEM_STATUSES } from "../../budget/ledger/ledger.ts";
import type { SessionDetail } from "../../desk.ts";
import { formatUsd } from "../../money.ts";
import { showOpenAlerts } from "./alerts.ts";
import type { Html, Page } from "./layout.ts";
import { describeNews, showProgress } from "./progress.ts";
import { count, duration, showState, showTable, showTime } from "./words.ts";

export interface SessionView {
  detail: SessionDetail;
  alerts: readonly Alert[];
  /** Money and pace over time; drawn already. */
  charts: readonly Html[];
  articles: readonly SessionArticle[];
  /** Position after which the next page of articles begins; null: there is none. */
  next: number | null;
  status: string | null;
  events: readonly TrailEvent[];
}

export function sessionPage(view: SessionView): Page {
  const { detail, alerts, charts } = view;
  const { session } = detail;
  const { number } = session;
  const ended = session.finished_at ?? new Date();
  const took = duration(ended.getTime() - (session.started_at ?? session.created_at).getTime());
  return {
    title: `Session ${number} ${session.status}`,
    place: "/",
    stream: `/api/sessions/${number}/events?events=moves`,
    news: describeNews(detail, alerts),
    body: html`
      <h1>Session ${number}</h1>
      <p
        class="muted">${session.model} (${session.provider}), started ${showTime(
          session.created_at,
        )} by ${session.started_by}<span id="took" data-live>, ${took}</span></p>
      <div id="alerts" data-live>${showOpenAlerts(alerts)}</div>
      <div id="progress" data-live>${showProgress(detail)}</div>
      <h2>Money and pace</h2>
      <div id="charts" class="charts" data-live>${charts}</div>
      <div id="failures" data-live>${showFailures(detail)}</div>
      <h2>Batches</h2>
      <div id="batches" data-live>${showBatches(detail)}</div>
      <h2 id="articles">Articles</h2>
      <div id="article-list" data-live>${showArticles(view)}</div>
      <h2>Audit trail</h2>
      <div id="trail" data-live>${showTrail(view)}</div>
    `,
  };
}

function showFailures({ failures }: SessionDetail): Html | "" {
  if (failures.length === 0) return "";
  return html`<h2>Failures by reason</h2>${
    showTable("Failures, most frequent first", [
      { title: "articles", number: true, show: (failure) => failure.articles },
      { title: "reason", show: (failure) => html`<code>${failure.error_class}</code>` },
      { title: "", show: (failure) => failure.permanent ? "permanent" : "can be retried" },
      { title: "for example", wide: true, show: (failure) => failure.example },
    ], failures)
  }`;
}

function showBatches({ session, batches, batch_count }: SessionDetail): Html {
  const all = batches.length === batch_count;
  const name = all ? "Batches of the session" : `Batches at work, of ${count(batch_count)}`;
  const table = showTable(name, [
    { title: "batch", number: true, show: (batch) => batch.batch_number },
    { title: "state", show: (batch) => showState(batch.status) },
    { title: "analysed", number: true, show: (batch) => `${batch.processed}/${batch.total}` },
    { title: "failed", number: true, show: (batch) => batch.failed },
    { title: "left out", number: true, show: (batch) => batch.skipped },
    { title: "cost", number: true, show: (batch) => formatUsd(batch.actual_cost) },
    { title: "expected", number: true, show: (batch) => formatUsd(batch.estimated_cost) },
    { title: "ended", show: (batch) => batch.finished_at ? showTime(batch.finished_at) : "" },
  ], batches);
  return all ? table : html`
    ${table}<p
      class="small"><a href="/api/sessions/${session.number}/batches">All of them, as JSON</a></p>
  `;
}

function showArticles({ detail, articles, next, status }: SessionView): Html {
  const path = `/sessions/${detail.session.number}`;
  const filters = [null, ...ITEM_STATUSES].map((state) =>
    state === status
      ? html`
        <strong>${state ?? "all"}</strong>
      `
      : html`
        <a href="${path}${state ? `?status=${state}` : ""}#articles">${state ?? "all"}</a>
      `
  );
  const more = status ? `&status=${status}` : "";
  return html`<p class="pages">${filters}</p>${
    articles.length === 0 ? html`<p class="muted">None.</p>` : showTable("Articles in the order of work", [
      { title: "#", number: true, show: (item) => item.position },
      {
        title: "article",
        wide: true,
        show: (item) => html`<a href="/articles/${item.article_id}">${item.title}</a>`,
      },
      { title: "state", show: (item) => showState(item.status, item.reason) },
      { title: "tries", number: true, show: (item) => item.attempts },
      { title: "cost", number: true, show: (item) => formatUsd(item.cost) },
      { title: "mood", show: (item) => item.sentiment ?? "" },
      { title: "signal", number: true, show: (item) => item.signal_strength?.toFixed(2) ?? "" },
      { title: "trouble", wide: true, show: (item) => item.error ?? "" },
    ], articles)
  }${
    next === null
      ? ""
      : html`<p class="pages"><a href="${path}?after=${next}${more}#articles">More articles</a></p>`
  }`;
}

function showTrail({ detail, events }: SessionView): Html {
  return html`
    ${showTable("Moves of the session and its batches, newest first", [
      { title: "when", show: (event) => showTime(event.at) },
      { title: "who", whole: true, show: (event) => event.actor },
      { title: "what", whole: true, show: (event) => event.action.replaceAll("_", " ") },
      { title: "batch", number: true, show: (event) => event.batch_number ?? "" },
      {
        title: "from → to",
        whole: true,
        show: ({ from_state, to_state }) => to_state ? `${from_state ?? "–"} → ${to_state}` : "",
      },
      {
        title: "detail",
        wide: true,
        show: (event) => event.detail ? html`<code>${JSON.stringify(event.detail)}</code>` : "",
      },
    ], events)}<p
      class="small"><a href="/api/sessions/${detail.session
        .number}/trail">Everything, with each article and call, as JSON</a></p>
  `;
}

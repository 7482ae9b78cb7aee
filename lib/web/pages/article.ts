/** One article: what was read out of it, the evidence where it stands, and every paid call that was made for it. */
import { html } from "hono/html";
import type { ShownAnalysis, ShownArticle, ShownCall } from "../../articles/show_article.ts";
import { formatUsd } from "../../money.ts";
import type { Html, Page } from "./layout.ts";
import { markQuotes } from "./mark_quotes.ts";
import { count, showFigures, showMoney, showState, showTable, showTime } from "./words.ts";

export function articlePage({ article, analysis, calls }: ShownArticle): Page {
  const quotes = analysis?.weak_signals.flatMap(({ evidence }) => evidence) ?? [];
  return {
    title: article.title,
    place: "/articles",
    body: html`<h1>${article.title}</h1>
<p class="muted">#${article.id} · ${article.source} · ${showTime(article.published_at)} · ${
      count(article.body_chars)
    } characters${article.language ? ` · ${article.language}` : ""}</p>
${article.url ? html`<p>${showAddress(article.url)}</p>` : ""}
${article.given_up ? html`<p class="bad">Given up: ${article.given_up}</p>` : ""}
${analysis ? showAnalysis(analysis) : html`<p>Nobody has analysed it yet.</p>`}
<h2>What it cost</h2>
${calls.length === 0 ? html`<p class="muted">No call was made for it.</p>` : showCalls(calls)}
<h2>The text${quotes.length > 0 ? ", with the evidence marked" : ""}</h2>
<div class="text" dir="auto">${
      markQuotes(article.body, quotes).map(({ text, quotes: covered }) =>
        covered.length > 0
          ? html`<mark title="Evidence ${covered.map((n) => n + 1).join(", ")}">${text}</mark>`
          : text
      )
    }</div>`,
  };
}

/** A link only where following it runs nothing: an address comes from a feed. */
export function showAddress(url: string): Html {
  return /^https?:\/\//i.test(url)
    ? html`<a href="${url}" rel="noopener noreferrer">${url}</a>`
    : html`${url}`;
}

function showAnalysis(analysis: ShownAnalysis): Html {
  const two = (value: number) => value.toFixed(2);
  return html`${
    showFigures([
      { name: "Mood", value: analysis.sentiment },
      { name: "Impact", value: two(analysis.impact_score) },
      { name: "Signal strength", value: two(analysis.signal_strength) },
      { name: "Uniqueness", value: two(analysis.uniqueness_score) },
      { name: "Confidence", value: two(analysis.confidence) },
      { name: "Cost", value: showMoney(analysis.cost, analysis.simulated) },
    ])
  }<p>${analysis.summary}</p>${analysis.context ? html`<p class="muted">${analysis.context}</p>` : ""}
${
    analysis.topics.length > 0
      ? html`
        <h3>Topics</h3>
        <p>${analysis.topics.join(", ")}</p>
      `
      : ""
  }
${
    analysis.entities.length > 0
      ? html`
        <h3>Named</h3>
        <p>${analysis.entities.map(({ name, type }) => `${name} (${type.toLowerCase()})`).join(", ")}</p>
      `
      : ""
  }
${showSignals(analysis)}
${showList("Unusual", analysis.pattern_anomalies)}${showList("Connections", analysis.adjacent_connections)}
${showList("Not said", analysis.narrative_gaps)}${showList("At the edge", analysis.edge_indicators)}
${showResearch(analysis)}
<p class="small muted"><a href="/sessions/${analysis.session_number}">Session ${analysis.session_number}</a>, ${analysis.model}
(${analysis.provider}, ${analysis.prompt_version}), version ${analysis.version}, ${
    showTime(analysis.created_at)
  }${
    analysis.ungrounded > 0
      ? `; ${analysis.ungrounded} quotes dropped because they do not stand in the article`
      : ""
  }</p>`;
}

function showSignals({ weak_signals }: ShownAnalysis): Html | "" {
  if (weak_signals.length === 0) return "";
  return html`<h2>Signals</h2>${
    weak_signals.map((signal) =>
      html`<h3>${signal.type} <span class="badge">${
        signal.timeframe.toLowerCase().replaceAll("_", " ")
      }, confidence ${signal.confidence.toFixed(2)}</span></h3>
<p>${signal.description}</p><p class="muted">So what: ${signal.implications}</p>
${signal.evidence.map((quote) => html`<blockquote><mark>${quote}</mark></blockquote>`)}`
    )
  }`;
}

function showList(title: string, texts: readonly string[]): Html | "" {
  return texts.length === 0 ? "" : html`
    <h3>${title}</h3>
    <ul>${texts.map((text) => html`<li>${text}</li>`)}</ul>
  `;
}

function showResearch({ research }: ShownAnalysis): Html | "" {
  if (research.status === "NOT_RUN" && !research.reason) return "";
  return html`<h2>Research</h2><p>${showState(research.status)} ${research.reason ?? ""}</p>
${research.queries.map((query) => html`<p class="muted">Searched: ${query}</p>`)}
<ul>${research.sources.map(({ title, url }) => html`<li>${title}: ${showAddress(url)}</li>`)}</ul>`;
}

function showCalls(calls: readonly ShownCall[]): Html {
  return showTable("Every paid call that was made for it", [
    { title: "call", number: true, show: (call) => call.call_id },
    {
      title: "session",
      number: true,
      show: ({ session_number }) => html`<a href="/sessions/${session_number}">${session_number}</a>`,
    },
    { title: "what", show: (call) => call.kind },
    { title: "model", whole: true, show: (call) => call.model },
    { title: "state", show: (call) => showState(call.state) },
    { title: "held", number: true, show: (call) => formatUsd(call.amount) },
    { title: "paid", number: true, show: (call) => showMoney(call.spent, call.simulated) },
    { title: "above", number: true, show: (call) => call.overrun > 0 ? formatUsd(call.overrun) : "" },
    { title: "when", show: (call) => showTime(call.held_at) },
    {
      title: "trouble",
      wide: true,
      show: ({ failure, detail }) => failure ? `${failure}: ${detail ?? ""}` : "",
    },
  ], calls);
}

/** The backlog: which articles are ready, which are refused and why, and the feeds that bring them. */
import { html } from "hono/html";
import type { FeedState } from "../../articles/feed_rows.ts";
import { type IdentificationReport, type Verdict, VERDICTS } from "../../articles/identifier.ts";
import type { Page } from "./layout.ts";
import { count, showFigures, showTable, showTime } from "./words.ts";

const WORDS: Record<Verdict, string> = {
  ready: "Ready",
  too_short: "Too short",
  empty: "Empty",
  wrong_language: "Other language",
  too_long: "Too long",
  in_session: "In a session",
  given_up: "Given up",
  analyzed: "Analysed",
};

export function articlesPage(report: IdentificationReport, feeds: readonly FeedState[]): Page {
  const examples = VERDICTS.flatMap((verdict) =>
    report.examples[verdict].map((article) => ({ ...article, verdict }))
  );
  return {
    title: "Articles",
    place: "/articles",
    body: html`<h1>${count(report.total)} articles</h1>
<div id="counts" data-live>${
      showFigures(VERDICTS.map((verdict) => ({ name: WORDS[verdict], value: count(report.counts[verdict]) })))
    }</div>
${
      examples.length === 0
        ? html`<p>Take some in first: <code>deno task desk ingest</code> with a feed, or set FEEDS.</p>`
        : showTable("Some of each kind, newest first", [
          { title: "state", show: ({ verdict }) => WORDS[verdict] },
          {
            title: "article",
            wide: true,
            show: ({ id, title }) => html`<a href="/articles/${id}">${title}</a>`,
          },
          { title: "characters", number: true, show: ({ chars }) => count(chars) },
          { title: "language", show: ({ language }) => language ?? "" },
          { title: "why", wide: true, show: ({ reason }) => reason ?? "" },
        ], examples)
    }
<h2>Feeds</h2>
<div id="feeds" data-live>${
      feeds.length === 0 ? html`<p class="muted">None: FEEDS is not set.</p>` : showTable("Feeds", [
        { title: "feed", wide: true, show: ({ location }) => location },
        { title: "brought", number: true, show: ({ added }) => count(added) },
        { title: "last read", show: ({ last_ok_at }) => showTime(last_ok_at) },
        {
          title: "trouble",
          wide: true,
          show: ({ failures, last_error }) =>
            last_error ? html`<span class="bad">${failures} times: ${last_error}</span>` : "",
        },
      ], feeds)
    }</div>`,
  };
}

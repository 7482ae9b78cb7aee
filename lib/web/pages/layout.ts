/** The frame of every page. What a page shows is escaped by `html`; only charts, which escape by themselves, are raw. */
import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { type Chart, renderSvg } from "../../charts/charts.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

export const PLACES = [
  ["/", "Sessions"],
  ["/articles", "Articles"],
  ["/costs", "Costs"],
  ["/alerts", "Alerts"],
  ["/system", "System"],
  ["/reference", "API"],
] as const;

export interface Page {
  title: string;
  /** The place in the navigation that it belongs to. */
  place: (typeof PLACES)[number][0];
  body: Html | Html[];
  /** The live stream that tells when it is out of date. */
  stream?: string;
  /** How often it is looked at again, ms; unless given, every 10 s, or 30 s while its stream is open. */
  everyMs?: number;
  /** How things stand, in a few words that change seldom: read out by screen readers whenever they do. */
  news?: string;
}

/** @param nonce Of this answer's Content-Security-Policy. */
export function renderPage({ title, place, body, stream, everyMs, news }: Page, nonce: string): Html {
  const links = PLACES.map(([path, name]) =>
    path === place
      ? html`<a href="${path}" aria-current="page">${name}</a>`
      : html`<a href="${path}">${name}</a>`
  );
  return html`
    <!doctype html>
    <html lang="en" ${stream
      ? html`
        data-stream="${stream}"
      `
      : ""} ${everyMs
      ? html`
        data-every="${everyMs}"
      `
      : ""}>
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${title} · Nightdesk</title>
        <link rel="icon" href="data:,">
        <style nonce="${nonce}">${raw(STYLE)}</style>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
          <nav aria-label="Places"><strong>Nightdesk</strong>${links}</nav>
        </header>
        ${news === undefined ? "" : html`
          <p id="news" class="heard" role="status" data-live>${news}</p>
        `}
        <main id="content">${body}</main>
        <footer>Times are UTC. Money is what was charged; <em>simulated</em> money was paid to nobody.</footer>
        <script nonce="${nonce}">${raw(SCRIPT)}</script>
      </body>
    </html>
  `;
}

/** Width of the charts, pixels: two side by side on a wide screen are a little larger, one on a phone is a little smaller. */
const CHART_WIDTH = 480;

/** A chart in the page. Its own style block is left out: the page's style sheet has the same rules. */
export async function showChart(chart: Chart): Promise<Html> {
  const svg = await renderSvg(chart, { width: CHART_WIDTH, theme: "auto" });
  return html`<figure>${raw(svg.replace(/<style>.*?<\/style>/s, ""))}</figure>`;
}

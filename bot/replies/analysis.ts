/** An article and what was found in it, in sections that become pages. */
import { blockquote, bold, fmt, FormattedString, italic, link } from "@grammyjs/parse-mode";
import type { WeakSignal } from "../../lib/analysis/schema.ts";
import type { ShownAnalysis, ShownArticle, ShownCall } from "../../lib/articles/show_article.ts";
import { type Micros, micros } from "../../lib/money.ts";
import type { Clock } from "./estimate.ts";
import { blocks, clock, count, facts, lines, money, plain, strong } from "./format.ts";
import { oneLine, someLines } from "./plain_text.ts";

/** Telegram shows more, a phone does not. */
const TITLE_LENGTH = 200;
const CALLS_SHOWN = 8;

export function describeAnalysis({ article, analysis, calls }: ShownArticle, at: Clock): FormattedString[] {
  const head = lines(
    titleOf(article),
    fmt`${italic}${
      [
        `#${article.id}`,
        oneLine(article.source, 40),
        article.published_at?.toISOString().slice(0, 10),
        `${article.body_chars.toLocaleString("en-US")} characters`,
        article.language,
      ].filter(Boolean).join(" · ")
    }${italic}`,
  );
  if (!analysis) {
    const why = article.given_up
      ? `Not analysed, given up: ${oneLine(article.given_up, 300)}`
      : "Not analysed yet. It begins like this:";
    return [
      blocks(head, plain(why), article.given_up ? null : quote(someLines(article.body, 600))),
      ...cost(calls, at),
    ];
  }
  return [
    blocks(head, scores(analysis), plain(someLines(analysis.summary, 1_200)), keywords(analysis)),
    ...signals(analysis.weak_signals),
    ...remarks(analysis),
    ...research(analysis),
    origin(analysis, at),
    ...cost(calls, at),
  ];
}

function titleOf({ title, url }: ShownArticle["article"]): FormattedString {
  const text = oneLine(title, TITLE_LENGTH) || "(without a title)";
  return isWebAddress(url) ? fmt`${bold}${link(url)}${text}${link(url)}${bold}` : strong(text);
}

function isWebAddress(url: string | null): url is string {
  return url !== null && url.length <= 2_000 && /^https?:$/.test(URL.parse(url)?.protocol ?? "");
}

function scores(analysis: ShownAnalysis): FormattedString {
  return facts([
    ["Sentiment", analysis.sentiment.toLowerCase()],
    ["Impact", share(analysis.impact_score)],
    ["Signal", share(analysis.signal_strength)],
    ["Unique", share(analysis.uniqueness_score)],
    ["Sure", share(analysis.confidence)],
  ]);
}

function keywords({ topics, entities }: ShownAnalysis): FormattedString | null {
  const named = entities.map(({ name }) => oneLine(name, 60)).join(", ");
  const rows = [
    topics.length > 0
      ? fmt`${bold}Topics${bold} ${topics.map((topic) => oneLine(topic, 60)).join(", ")}`
      : null,
    entities.length > 0 ? fmt`${bold}Named${bold} ${named}` : null,
  ].filter((row) => row !== null);
  return rows.length > 0 ? lines(...rows) : null;
}

function signals(found: readonly WeakSignal[]): FormattedString[] {
  return found.map((signal, index) => {
    const timeframe = signal.timeframe.toLowerCase().replace("_", " ");
    return lines(
      fmt`${bold}Signal ${String(index + 1)}: ${oneLine(signal.type, 60)}${bold}, ${timeframe}, sure ${
        share(signal.confidence)
      }`,
      someLines(signal.description, 600),
      fmt`${italic}So what:${italic} ${someLines(signal.implications, 600)}`,
      ...signal.evidence.map((text) => quote(someLines(text, 600))),
    );
  });
}

function remarks(analysis: ShownAnalysis): FormattedString[] {
  const lists = [
    ["Unusual", analysis.pattern_anomalies],
    ["Connections", analysis.adjacent_connections],
    ["Not said", analysis.narrative_gaps],
    ["At the edge", analysis.edge_indicators],
  ] as const;
  return [
    ...(analysis.context ? [lines(strong("Context"), someLines(analysis.context, 1_200))] : []),
    ...lists.filter(([, texts]) => texts.length > 0).map(([title, texts]) =>
      lines(strong(title), ...texts.map((text) => `· ${oneLine(text, 600)}`))
    ),
  ];
}

function research({ research }: ShownAnalysis): FormattedString[] {
  if (research.status === "NOT_RUN" && !research.reason) return [];
  return [lines(
    fmt`${bold}Research: ${research.status.toLowerCase().replaceAll("_", " ")}${bold}`,
    research.reason ? someLines(research.reason, 600) : null,
    ...research.queries.map((query) => `Searched: ${oneLine(query, 200)}`),
    ...research.sources.map(({ title, url }) => {
      const text = oneLine(title, 120) || oneLine(url, 80);
      return isWebAddress(url) ? fmt`· ${link(url)}${text}${link(url)}` : plain(`· ${text}`);
    }),
  )];
}

function origin(analysis: ShownAnalysis, { now, zone }: Clock): FormattedString {
  const dropped = analysis.ungrounded > 0
    ? `; ${count(analysis.ungrounded, "quote")} dropped, not in the article`
    : "";
  return fmt`${italic}Session ${String(analysis.session_number)}, ${oneLine(analysis.model, 40)}, ${
    clock(analysis.created_at, zone, now)
  }, ${money(analysis.cost, analysis.simulated)}${dropped}${italic}`;
}

function cost(calls: readonly ShownCall[], { now, zone }: Clock): FormattedString[] {
  if (calls.length === 0) return [];
  const sums = [false, true].flatMap((simulated) => {
    const part = calls.filter((call) => call.simulated === simulated);
    const sum: Micros = micros(part.reduce((total, { spent, overrun }) => total + spent + overrun, 0));
    return part.length === 0 ? [] : [money(sum, simulated)];
  });
  const rest = calls.length - CALLS_SHOWN;
  return [lines(
    fmt`${bold}${count(calls.length, "paid call")}${bold}, ${sums.join(" and ")}`,
    ...calls.slice(0, CALLS_SHOWN).map((call) =>
      `· ${clock(call.held_at, zone, now)} ${call.kind}, ${call.state.toLowerCase()}: ${
        money(call.spent, call.simulated)
      }${call.failure ? ` (${oneLine(call.failure.replaceAll("_", " "), 60)})` : ""}`
    ),
    rest > 0 ? `… and ${rest} more` : null,
  )];
}

function quote(text: string): FormattedString {
  return fmt`${blockquote}${text}${blockquote}`;
}

function share(value: number): string {
  return value.toFixed(2);
}

/** An article and its analysis as a page of text. */
import pc from "picocolors";
import type { ShownAnalysis, ShownArticle, ShownCall } from "../articles/show_article.ts";
import type { WeakSignal } from "../analysis/schema.ts";
import { formatUsd } from "../money.ts";
import { money, safe, shorten, terminalWidth, wrap } from "./output.ts";
import { formatTable } from "./table.ts";

export function describeArticle({ article, analysis, calls }: ShownArticle): string {
  const width = terminalWidth();
  const origin = [
    `#${article.id}`,
    safe(article.source),
    article.published_at?.toISOString().slice(0, 10),
    `${article.body_chars.toLocaleString("en-US")} characters`,
    article.language,
  ].filter(Boolean).join(" · ");
  const lines = [pc.bold(wrap(article.title, width)), pc.dim(origin)];
  if (article.url) lines.push(pc.dim(safe(article.url)));
  lines.push("");
  if (analysis) lines.push(...describeAnalysis(analysis, width));
  else if (article.given_up) lines.push(`Not analysed, given up: ${shorten(article.given_up, 200)}`);
  else {lines.push(
      "Not analysed yet. It starts like this:",
      "",
      wrap(shorten(article.body, 600), width, "  "),
    );}
  if (calls.length > 0) lines.push("", heading("What it cost"), describeCalls(calls));
  return lines.join("\n");
}

function describeAnalysis(analysis: ShownAnalysis, width: number): string[] {
  const lines = [
    `${pc.bold(analysis.sentiment)}   impact ${share(analysis.impact_score)} · ` +
    `signal ${share(analysis.signal_strength)} · unique ${share(analysis.uniqueness_score)} · ` +
    `confidence ${share(analysis.confidence)}`,
    "",
    wrap(analysis.summary, width),
  ];
  if (analysis.context) lines.push("", heading("Context"), wrap(analysis.context, width, "  "));
  if (analysis.topics.length > 0) {
    lines.push("", heading("Topics"), wrap(analysis.topics.join(", "), width, "  "));
  }
  if (analysis.entities.length > 0) {
    const names = analysis.entities.map(({ name, type }) => `${name} (${type.toLowerCase()})`);
    lines.push("", heading("Named"), wrap(names.join(", "), width, "  "));
  }
  if (analysis.weak_signals.length > 0) lines.push("", heading("Signals"));
  analysis.weak_signals.forEach((signal, index) => lines.push(...describeSignal(signal, index + 1, width)));
  for (
    const [title, texts] of [
      ["Unusual", analysis.pattern_anomalies],
      ["Connections", analysis.adjacent_connections],
      ["Not said", analysis.narrative_gaps],
      ["At the edge", analysis.edge_indicators],
    ] as const
  ) {
    if (texts.length > 0) lines.push("", heading(title), ...texts.map((text) => bullet(text, width)));
  }
  lines.push(...describeResearch(analysis, width));
  const dropped = analysis.ungrounded > 0
    ? `; ${analysis.ungrounded} quotes dropped because they do not stand in the article`
    : "";
  lines.push(
    "",
    pc.dim(
      `Session ${analysis.session_number}, ${analysis.model} (${analysis.provider}, ${analysis.prompt_version}), ` +
        `version ${analysis.version}, ${money(analysis.cost, analysis.simulated)}${dropped}`,
    ),
  );
  return lines;
}

function describeSignal(signal: WeakSignal, number: number, width: number): string[] {
  const timeframe = signal.timeframe.toLowerCase().replace("_", " ");
  return [
    `  ${number}. ${pc.bold(safe(signal.type))}, ${timeframe}, confidence ${share(signal.confidence)}`,
    wrap(signal.description, width, "     "),
    wrap(`So what: ${signal.implications}`, width, "     "),
    ...signal.evidence.map((quote) => pc.cyan(wrap(`“${quote}”`, width, "     │ "))),
  ];
}

function describeResearch({ research }: ShownAnalysis, width: number): string[] {
  if (research.status === "NOT_RUN" && !research.reason) return [];
  const lines = ["", heading("Research"), wrap(`${research.status}: ${research.reason ?? ""}`, width, "  ")];
  for (const query of research.queries) lines.push(wrap(`searched: ${query}`, width, "  "));
  for (const source of research.sources) lines.push(bullet(`${source.title} <${source.url}>`, width));
  return lines;
}

function describeCalls(calls: readonly ShownCall[]): string {
  return formatTable(
    [
      { title: "call", align: "right" },
      { title: "session", align: "right" },
      { title: "what" },
      { title: "model" },
      { title: "state" },
      { title: "held", align: "right" },
      { title: "paid", align: "right" },
      { title: "" },
    ],
    calls.map((call) => [
      call.call_id,
      call.session_number,
      call.kind,
      call.model,
      call.state,
      formatUsd(call.amount),
      money(call.spent, call.simulated) +
      (call.overrun > 0 ? ` + ${formatUsd(call.overrun)} above the hold` : ""),
      call.failure ? shorten(`${call.failure}: ${call.detail ?? ""}`, 60) : "",
    ]),
  );
}

function heading(text: string): string {
  return pc.bold(text);
}

function bullet(text: string, width: number): string {
  return wrap(text, width, "    ").replace(/^ {4}/, "  - ");
}

function share(value: number): string {
  return value.toFixed(2);
}

/** The daily digest in plain lines that fit a phone. */
import { describeReason } from "../reasons.ts";
import { formatUsd, type Micros } from "../money.ts";
import type { Digest, DigestSession, DigestSpend } from "./digest.ts";
import { count, money } from "./words.ts";

/** Columns of a phone's screen. */
const WIDTH = 35;
/** A list says how many more there are. */
const MOST_LINES = 8;

export function describeDigest(digest: Digest): string {
  const { day, sessions, articles, spend, failures, unknown, backlog } = digest;
  const lines = [`${day} (UTC)`];
  if (sessions.length === 0) lines.push("No session worked");
  lines.push(...shorten(sessions.map(describeSession)));
  lines.push("", `Analysed  ${count(articles.analyzed, "article")}`);
  if (articles.failed > 0) {
    lines.push(`Failed    ${count(articles.failed, "article")}`);
    lines.push(
      ...shorten(failures.map(({ reason, articles: n }) => row(reason.replaceAll("_", " "), String(n)))),
    );
  }
  lines.push("", ...describeSpend(spend));
  if (unknown.calls > 0) {
    lines.push("", `Unknown   ${count(unknown.calls, "call")}, ${formatUsd(unknown.amount)}`);
  }
  lines.push("", `Waiting   ${count(backlog.ready, "article")} ready`);
  if (backlog.unread > backlog.ready) {
    lines.push(`          ${backlog.unread - backlog.ready} not ready`);
  }
  return lines.join("\n");
}

function describeSession(
  { number, status, reason, analyzed, total, spent, simulated }: DigestSession,
): string {
  const why = reason === null ? "" : `\n  ${describeReason(reason)}`;
  return `#${number} ${status} ${analyzed}/${total} ${money(spent, simulated)}${why}`;
}

/** Each kind of money has its own sum. */
function describeSpend(spend: readonly DigestSpend[]): string[] {
  if (spend.length === 0) return ["Spent     nothing"];
  return [false, true].flatMap((simulated) => {
    const part = spend.filter((line) => line.simulated === simulated);
    if (part.length === 0) return [];
    const sum = part.reduce((total, line) => total + line.spent, 0) as Micros;
    return [
      `Spent     ${money(sum, simulated)}`,
      ...shorten(part.map((line) => row(nameUse(line), formatUsd(line.spent)))),
    ];
  });
}

/** What tells uses apart stands first: long names are cut at their end. */
function nameUse({ kind, provider, model }: DigestSpend): string {
  if (kind === "search") return `${provider} search`;
  return kind === "analysis" ? model : `${kind} ${model}`;
}

/** A name and its figure at the right edge; a name that is too long is cut. */
function row(name: string, figure: string): string {
  const room = WIDTH - figure.length - 3;
  const shown = name.length > room ? `${name.slice(0, room - 1)}…` : name;
  return `  ${shown.padEnd(room)} ${figure}`;
}

function shorten(lines: readonly string[]): string[] {
  const more = lines.length - MOST_LINES;
  return more > 0 ? [...lines.slice(0, MOST_LINES), `  and ${more} more`] : [...lines];
}

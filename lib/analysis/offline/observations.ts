/**
 * The smaller readings: unusual figures, fields that seldom meet, claims without support, early-stage marks. Each
 * line says what was seen, in few words, and leaves the conclusion to the reader.
 */
import { clipText } from "./clip.ts";
import { TONE_PHRASES } from "./cue_lexicon.ts";
import { findPhrases } from "./phrases.ts";
import type { Ranked } from "./rank.ts";
import type { Sentence } from "./reader.ts";
import type { TopicReading } from "./topics.ts";

export interface Observations {
  pattern_anomalies: string[];
  adjacent_connections: string[];
  narrative_gaps: string[];
  edge_indicators: string[];
}

const MAX_LINES = 3;
const EXCERPT_CHARS = 70;
const CHANGE =
  /\b(?:reduc|increas|decreas|drop|fall|fell|ris(?:e|ing)|rose|grow|grew|saves?\b|saving|smaller|larger|faster|slower|cheaper|doubl|tripl|surg|plung|declin|gain|lost|more than)/i;
const FIGURE =
  /(?<![\p{N},.])\p{N}[\p{N},.]*\s?(?:%|percent\b|per cent\b|×|x\b(?! \d)|times\b|(?:million|billion|trillion)\b)/u;
const EARLY_STAGE =
  /\b(?:experimental|prototype|proof[- ]of[- ]concept|testnet|signet|alpha|first time|for the first|pseudonymous|unannounced|early (?:draft|version|stage)|research paper|work in progress)\b/i;

/** Fields that are spoken of together all the time. */
const USUAL_PAIRS = new Set(
  "lightning+node lightning+protocol lightning+custody node+custody protocol+node protocol+custody lightning+security node+security mining+node markets+regulation protocol+cryptography lightning+privacy lightning+adoption markets+mining energy+mining custody+security node+privacy custody+privacy protocol+scaling lightning+scaling adoption+markets protocol+security protocol+privacy"
    .split(" "),
);

export function observe(ranked: readonly Ranked[], topics: TopicReading): Observations {
  const sentences = ranked.map(({ sentence }) => sentence).filter(({ text }) => text.length >= 25);
  return {
    pattern_anomalies: linesOf(sentences, findFigure),
    adjacent_connections: findConnections(topics),
    narrative_gaps: linesOf(sentences, findGap),
    edge_indicators: linesOf(sentences, findEdge),
  };
}

function linesOf(sentences: readonly Sentence[], read: (sentence: Sentence) => string | null): string[] {
  const lines = new Set<string>();
  for (const sentence of sentences) {
    const line = read(sentence);
    if (line !== null) lines.add(line);
    if (lines.size === MAX_LINES) break;
  }
  return [...lines];
}

function findFigure(sentence: Sentence): string | null {
  const figure = FIGURE.exec(sentence.text);
  if (figure === null) return null;
  const sudden = hasTone(sentence, "sudden");
  if (!sudden && !(/%|percent|per cent|times|x$|×/.test(figure[0]) && CHANGE.test(sentence.text))) {
    return null;
  }
  return `${sudden ? "Sudden change" : "Figure"}: ${excerptAround(sentence.text, figure.index)}`;
}

function findGap(sentence: Sentence): string | null {
  if (hasTone(sentence, "vague")) return `No source named: ${excerptOf(sentence)}`;
  return sentence.text.endsWith("?") ? `Left open: ${excerptOf(sentence)}` : null;
}

function findEdge(sentence: Sentence): string | null {
  const mark = EARLY_STAGE.exec(sentence.text);
  return mark === null ? null : `${mark[0].toLowerCase()}: ${excerptAround(sentence.text, mark.index)}`;
}

function hasTone(sentence: Sentence, tone: string): boolean {
  return findPhrases(sentence.words, TONE_PHRASES).some(({ value }) => value === tone);
}

/** Pairs of fields that meet in one passage although they seldom do, most frequent first. */
function findConnections({ fieldsByBlock }: TopicReading): string[] {
  const counts = new Map<string, number>();
  for (const fields of fieldsByBlock.values()) {
    const sorted = [...fields].sort();
    sorted.forEach((one, i) => {
      for (const other of sorted.slice(i + 1)) {
        if (USUAL_PAIRS.has(`${one}+${other}`) || USUAL_PAIRS.has(`${other}+${one}`)) continue;
        const pair = `${one} + ${other}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    });
  }
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MAX_LINES)
    .map(([pair, count]) => `${pair} in ${count === 1 ? "one passage" : `${count} passages`}`);
}

function excerptOf({ text }: Sentence): string {
  return clipText(text, EXCERPT_CHARS);
}

/** A window of whole words with the found place near its start. */
function excerptAround(text: string, at: number): string {
  if (at < EXCERPT_CHARS / 2) return clipText(text, EXCERPT_CHARS);
  const from = text.lastIndexOf(" ", at - 25) + 1;
  return `…${clipText(text.slice(from), EXCERPT_CHARS)}`;
}

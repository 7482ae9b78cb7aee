/** When a signal may matter, from the time expressions of its sentence. */
import type { WeakSignal } from "../schema.ts";
import type { SignalKind } from "./cue_lexicon.ts";

type Timeframe = WeakSignal["timeframe"];

const EXPRESSIONS: readonly (readonly [Timeframe, RegExp])[] = [
  [
    "LONG_TERM",
    /\b(?:long[- ]term|decades?|eventually|someday|in the future|years? away|over (?:many|several) years)\b/i,
  ],
  [
    "IMMEDIATE",
    /\b(?:now|today|immediate(?:ly)?|urgent(?:ly)?|this week(?!['’]s)|actively exploited|as soon as possible|already)\b/i,
  ],
  [
    "SHORT_TERM",
    /\b(?:soon|next (?:week|month)|this month|upcoming|release candidate|coming weeks|within (?:days|weeks)|tomorrow)\b/i,
  ],
  [
    "MEDIUM_TERM",
    /\b(?:this year|next year|next (?:quarter|version|release)|coming months|within months|later this)\b/i,
  ],
];

/** Where a sentence gives no time: how fast such things usually move. */
const USUAL: Readonly<Record<SignalKind, Timeframe>> = {
  security: "SHORT_TERM",
  regulation: "MEDIUM_TERM",
  protocol: "LONG_TERM",
  privacy: "MEDIUM_TERM",
  mining: "MEDIUM_TERM",
  infrastructure: "SHORT_TERM",
  market: "SHORT_TERM",
  adoption: "SHORT_TERM",
};

/** `year` is the year of publication, null when unknown: then years in the text say nothing. */
export function guessTimeframe(sentence: string, kind: SignalKind, year: number | null): Timeframe {
  for (const [timeframe, expression] of EXPRESSIONS) if (expression.test(sentence)) return timeframe;
  if (year !== null) {
    const ahead = [...sentence.matchAll(/\b20\d\d\b/g)].map(([written]) => Number(written) - year);
    const furthest = Math.max(-1, ...ahead);
    if (furthest > 2) return "LONG_TERM";
    if (furthest > 0) return "MEDIUM_TERM";
  }
  return USUAL[kind];
}

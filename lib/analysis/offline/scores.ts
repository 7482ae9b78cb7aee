/** The numbers of an analysis, from features of the text alone: the same article gives the same numbers. */
import type { Analysis } from "../schema.ts";
import type { FoundEntity } from "./entities.ts";
import { GRAVITY, TONE_PHRASES } from "./cue_lexicon.ts";
import { findPhrases } from "./phrases.ts";
import { ENGLISH_SHARE, type Reading } from "./reader.ts";
import { roundShare, saturate } from "./shares.ts";
import type { FoundSignal, SignalReading } from "./signals.ts";

export type Scores = Pick<Analysis, "impact_score" | "signal_strength" | "uniqueness_score" | "confidence">;

/** A rule-based reading never claims more than this. */
const MAX_CONFIDENCE = 0.75;

export function scoreArticle(
  reading: Reading,
  entities: readonly FoundEntity[],
  { signals, sentencesByKind }: SignalReading,
  observationCount: number,
): Scores {
  const sentenceCount = Math.max(1, reading.sentences.length);
  const cued = [...sentencesByKind.values()].reduce((sum, count) => sum + count, 0);
  const strongest = signals.slice(0, 3).reduce((sum, { strength }, i) => sum + strength / (i + 1), 0);
  const density = cued / (sentenceCount + 6);
  const novelty = noveltyShare(reading);
  return {
    signal_strength: roundShare(saturate(strongest, 5.5) * 0.7 + saturate(density, 0.25) * 0.3),
    impact_score: roundShare(
      weigh(signals) * 0.6 + saturate(sumCounts(entities), 25) * 0.2 +
        saturate(reading.wordCount, 2500) * 0.2,
    ),
    uniqueness_score: roundShare(
      saturate(novelty, 0.25) * 0.5 + focus(reading) * 0.3 + Math.min(1, observationCount / 10) * 0.2,
    ),
    confidence: roundShare(
      MAX_CONFIDENCE * englishness(reading.englishShare) *
        (0.35 + 0.35 * saturate(reading.wordCount, 400) +
          0.3 * saturate(signals.length + entities.length / 3, 4)),
    ),
  };
}

/** How grave the found kinds are, the strongest counting most. */
function weigh(signals: readonly FoundSignal[]): number {
  return signals.slice(0, 3).reduce(
    (sum, { kind, strength }, i) => sum + GRAVITY[kind] * saturate(strength, 2.5) * [0.7, 0.2, 0.1][i],
    0,
  );
}

function sumCounts(entities: readonly FoundEntity[]): number {
  return entities.reduce((sum, { count }) => sum + Math.min(count, 8), 0);
}

/** Share of sentences that speak of something new, early or sudden. */
function noveltyShare({ sentences }: Reading): number {
  const novel = sentences.filter(({ words }) =>
    findPhrases(words, TONE_PHRASES).some(({ value }) => value === "novel" || value === "sudden")
  );
  return novel.length / Math.max(4, sentences.length);
}

/** How much of the text its ten commonest terms are: an article of one subject says more of it than a digest. */
function focus({ sentences }: Reading): number {
  const counts = new Map<string, number>();
  let total = 0;
  for (const { terms } of sentences) {
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    total += terms.length;
  }
  if (total < 20) return 0;
  const top = [...counts.values()].sort((a, b) => b - a).slice(0, 10).reduce((sum, count) => sum + count, 0);
  return Math.min(1, top / total / 0.4);
}

function englishness(share: number): number {
  const { sure, none } = ENGLISH_SHARE;
  return 0.2 + 0.8 * Math.min(1, Math.max(0, (share - none) / (sure - none)));
}

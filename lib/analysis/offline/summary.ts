/** Summary and context: whole sentences of the article, chosen for weight and difference, kept in article order. */
import type { Ranked } from "./rank.ts";
import type { Sentence } from "./reader.ts";
import { clipText } from "./clip.ts";

const MIN_SUMMARY_SENTENCES = 2;
const MAX_SUMMARY_SENTENCES = 4;
const MAX_LEAD_CHARS = 200;
/** Shorter ones ("None this week.") say nothing alone. */
const MIN_SENTENCE_CHARS = 45;
/** A sentence worth less than this share of the best is padding. */
const MIN_WORTH_SHARE = 0.3;
/** How much overlap with sentences already chosen takes away from a candidate. */
const REDUNDANCY_PENALTY = 0.7;

export interface Summary {
  summary: string;
  /** One or two further sentences from other passages, or "". */
  context: string;
}

/** Never empty: an article without one well-formed sentence is summarised by its beginning. */
export function summarise(
  ranked: readonly Ranked[],
  limits: { summaryChars: number; contextChars: number },
): Summary {
  const lead = ranked.find(({ lead }) => lead)?.sentence;
  const chosen = lead === undefined || lead.text.length <= MAX_LEAD_CHARS
    ? chooseSentences(ranked, limits.summaryChars, MAX_SUMMARY_SENTENCES, [])
    : leadAndMore(lead, ranked, limits.summaryChars);
  const blocks = new Set(chosen.map(({ block }) => block));
  const elsewhere = ranked.filter(({ sentence }) => !blocks.has(sentence.block));
  const further = chosen.length < MIN_SUMMARY_SENTENCES
    ? []
    : chooseSentences(elsewhere, limits.contextChars, 2, chosen);
  return {
    summary: chosen.length > 0
      ? joinSentences(chosen)
      : clipText(bestOf(ranked)?.text ?? "", limits.summaryChars),
    context: joinSentences(further),
  };
}

/** A long opening still tells best what an article is about, so it is cut rather than lost. */
function leadAndMore(lead: Sentence, ranked: readonly Ranked[], maxChars: number): Sentence[] {
  const opening = { ...lead, text: clipText(lead.text, MAX_LEAD_CHARS) };
  const others = ranked.filter(({ sentence }) => sentence !== lead);
  return [
    opening,
    ...chooseSentences(others, maxChars - opening.text.length - 1, MAX_SUMMARY_SENTENCES - 1, [opening]),
  ];
}

function chooseSentences(
  ranked: readonly Ranked[],
  maxChars: number,
  maxCount: number,
  taken: readonly Sentence[],
): Sentence[] {
  const chosen: Sentence[] = [];
  const covered = new Set(taken.flatMap(({ terms }) => terms));
  let left = maxChars;
  let floor = 0;
  while (chosen.length < maxCount) {
    let best: Sentence | null = null;
    let bestScore = floor;
    for (const { sentence, score } of ranked) {
      const { length } = sentence.text;
      if (length > left || length < MIN_SENTENCE_CHARS || chosen.includes(sentence)) continue;
      const worth = score * (1 - REDUNDANCY_PENALTY * overlap(sentence, covered));
      if (worth > bestScore) [best, bestScore] = [sentence, worth];
    }
    if (best === null) break;
    chosen.push(best);
    floor ||= bestScore * MIN_WORTH_SHARE;
    for (const term of best.terms) covered.add(term);
    left -= best.text.length + 1;
  }
  return chosen.sort((a, b) => a.index - b.index);
}

function overlap({ terms }: Sentence, covered: ReadonlySet<string>): number {
  if (terms.length === 0) return 1;
  return terms.filter((term) => covered.has(term)).length / terms.length;
}

function bestOf(ranked: readonly Ranked[]): Sentence | undefined {
  return ranked.reduce<Ranked | undefined>(
    (best, candidate) => best === undefined || candidate.score > best.score ? candidate : best,
    undefined,
  )?.sentence;
}

function joinSentences(sentences: readonly Sentence[]): string {
  return sentences.map(({ text }) => text).join(" ");
}

/**
 * Which sentences say most: the weight of a sentence's terms in the whole article (log tf x idf over sentences),
 * dampened by length, then corrected for place and for how well it reads alone. Linear in the number of words,
 * where ranking over a sentence graph would be quadratic.
 */
import type { Reading, Sentence } from "./reader.ts";

export interface Ranked {
  sentence: Sentence;
  /** From 0 up; comparable within one article only. */
  score: number;
  /** The opening sentence, when it has enough to say. */
  lead: boolean;
}

/** What opens a sentence that leans on the one before it. */
const LEANING_START =
  /^(?:this|these|those|that|it|its|they|he|she|such|however|but|and|also|then|thus|so|therefore|additionally|furthermore|moreover|alternatively|instead|similarly|for example|for instance|in addition|as a result|in particular|both|another|either|if so|see)\b/i;
/** Words to the reader about the publication itself. */
const HOUSEKEEPING =
  /\b(?:this week's|this (?:weekly|monthly) (?:section|series)|in this (?:weekly|monthly)|notable (?:code )?changes|new releases and|none this week|no transcript|noteworthy|subscribe|sign up|read more|click here|sponsor(?:ed|s)?|newsletter|unsubscribe|our regular|please consider|follow us|thanks? (?:to|you)|thank you|welcome|let me|introduce yourself|join us|register|podcast|transcript)\b/i;
const LEAD_IN = /[:：]$/;
const LEAD_TERMS = 8;
const LEAD_FACTOR = 2;
const WELL_FORMED_CHARS: readonly [number, number] = [50, 280];

/** Text sentences with their scores, in article order. Headings are left out. */
export function rankSentences(reading: Reading): Ranked[] {
  const bodySentences = reading.sentences.filter(({ heading }) => !heading);
  const sentences = bodySentences.length > 0 ? bodySentences : reading.sentences;
  const weights = weighTerms(sentences);
  const firstBlock = sentences[0]?.block ?? 0;
  let lastBlock = -1;
  return sentences.map((sentence) => {
    const opensBlock = sentence.block !== lastBlock;
    lastBlock = sentence.block;
    const place = sentence.block === firstBlock ? 1.5 : opensBlock ? 1.2 : 1;
    const weight = centrality(sentence, weights, reading.titleTerms);
    // The first sentence leans on nothing, and what it says of the publication is often what the article is about.
    const lead = sentence === sentences[0] && sentence.terms.length >= LEAD_TERMS;
    return { sentence, lead, score: weight * (lead ? LEAD_FACTOR : place * readability(sentence)) };
  });
}

function weighTerms(sentences: readonly Sentence[]): Map<string, number> {
  const total = new Map<string, number>();
  const holding = new Map<string, number>();
  for (const { terms } of sentences) {
    for (const term of terms) total.set(term, (total.get(term) ?? 0) + 1);
    for (const term of new Set(terms)) holding.set(term, (holding.get(term) ?? 0) + 1);
  }
  const weights = new Map<string, number>();
  for (const [term, count] of total) {
    const idf = Math.log(1 + sentences.length / (holding.get(term) ?? 1));
    // A term that stands once says nothing about the rest of the article.
    weights.set(term, (count > 1 ? 1 : 0.3) * (1 + Math.log(count)) * idf);
  }
  return weights;
}

function centrality(sentence: Sentence, weights: Map<string, number>, titleTerms: Set<string>): number {
  let sum = 0;
  const terms = new Set(sentence.terms);
  for (const term of terms) sum += (weights.get(term) ?? 0) * (titleTerms.has(term) ? 1.5 : 1);
  return sum / (6 + terms.size);
}

function readability({ text, words }: Sentence): number {
  let factor = 1;
  const [shortest, longest] = WELL_FORMED_CHARS;
  if (text.length < shortest || text.length > longest) factor *= 0.4;
  if (LEANING_START.test(text)) factor *= 0.5;
  if (HOUSEKEEPING.test(text)) factor *= 0.3;
  if (LEAD_IN.test(text)) factor *= 0.2;
  if (text.endsWith("?")) factor *= 0.5;
  if (!/[.!?。！？؟।][”"’)\]]*$/u.test(text)) factor *= 0.5;
  if (text.split("(").length !== text.split(")").length) factor *= 0.6;
  const lettersOfWords = words.reduce((sum, word) => sum + word.text.length, 0);
  // Code, hashes and tables are mostly marks, or words of a length nobody says.
  if (lettersOfWords < text.length * 0.65 || words.some((word) => word.text.length > 30)) factor *= 0.3;
  return factor;
}

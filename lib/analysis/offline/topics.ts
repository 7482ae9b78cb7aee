/** Topics: those of the lexicon the article speaks of, then its own frequent phrases. */
import { findPhrases } from "./phrases.ts";
import type { Reading, Sentence } from "./reader.ts";
import { type Topic, TOPIC_PHRASES } from "./topic_lexicon.ts";

export interface FoundTopic {
  topic: Topic;
  score: number;
}

export interface TopicReading {
  /** Lexicon topics, strongest first. */
  found: FoundTopic[];
  /** Labels to show: strong lexicon topics and the article's own phrases. */
  labels: string[];
  /** Fields spoken of in each block, by block number. */
  fieldsByBlock: Map<number, Set<string>>;
}

/** A topic is named only when it weighs this much, or this share of the strongest. */
const MIN_SCORE = 2.5;
const MIN_SHARE = 0.22;
const MAX_LEXICON_LABELS = 4;
const MIN_PHRASE_COUNT = 4;

export function readTopics(reading: Reading): TopicReading {
  const hits = new Map<Topic, Map<string, { weight: number; count: number }>>();
  const fieldsByBlock = new Map<number, Set<string>>();
  for (const sentence of reading.sentences) {
    for (const { phrase, value } of findPhrases(sentence.words, TOPIC_PHRASES)) {
      for (const { topic, weight } of value) {
        const phrases = hits.get(topic) ?? new Map();
        const hit = phrases.get(phrase) ?? { weight, count: 0 };
        hit.count += reading.titleTerms.has(phrase) ? 2 : 1;
        phrases.set(phrase, hit);
        hits.set(topic, phrases);
        if (weight === 2) {
          const fields = fieldsByBlock.get(sentence.block) ?? new Set();
          fieldsByBlock.set(sentence.block, fields.add(topic.field));
        }
      }
    }
  }
  const found = [...hits].map(([topic, phrases]) => ({ topic, score: scorePhrases(phrases.values()) }))
    .sort((a, b) => b.score - a.score || (a.topic.label < b.topic.label ? -1 : 1));
  const floor = Math.max(MIN_SCORE, (found[0]?.score ?? 0) * MIN_SHARE);
  const labels = found.filter(({ score }) => score >= floor).slice(0, MAX_LEXICON_LABELS)
    .map(({ topic }) => topic.label);
  for (const phrase of frequentPhrases(reading.sentences)) {
    if (labels.length < MAX_LEXICON_LABELS + 1 && !labels.some((label) => sharesWord(label, phrase))) {
      labels.push(phrase);
    }
  }
  return { found, labels, fieldsByBlock };
}

/** Many different phrases count for more than one phrase said often. */
function scorePhrases(phrases: Iterable<{ weight: number; count: number }>): number {
  let score = 0;
  for (const { weight, count } of phrases) score += weight * (1 + Math.log(count));
  return score;
}

/** Runs of two or three nouns or adjectives that end in a noun and come back, most frequent first. */
function frequentPhrases(sentences: readonly Sentence[]): string[] {
  const counts = new Map<string, number>();
  for (const { words } of sentences) {
    for (let i = 0; i + 1 < words.length; i++) {
      for (const size of [2, 3]) {
        const run = words.slice(i, i + size);
        const isPhrase = run.length === size && run.at(-1)?.pos === "NOUN" &&
          run.every(({ pos, stop, text }) =>
            !stop && (pos === "NOUN" || pos === "ADJ") && /^\p{Ll}{3,24}$/u.test(text)
          );
        if (!isPhrase) continue;
        const phrase = run.map(({ lemma }) => lemma).join(" ");
        counts.set(phrase, (counts.get(phrase) ?? 0) + 1);
      }
    }
  }
  return [...counts].filter(([phrase, count]) => count >= MIN_PHRASE_COUNT && !TOPIC_PHRASES.has(phrase))
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([phrase]) => phrase);
}

function sharesWord(label: string, phrase: string): boolean {
  const words = new Set(label.split(" "));
  return phrase.split(" ").some((word) => words.has(word));
}

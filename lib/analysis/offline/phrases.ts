/** Finding the phrases of a lexicon in lemmas, in one pass over the words whatever the size of the lexicon. */
import type { Word } from "./wink.ts";

export interface PhraseTable<T> {
  /** First word -> the phrases that start with it, longest first. */
  readonly byFirstWord: ReadonlyMap<
    string,
    readonly { words: readonly string[]; phrase: string; value: T }[]
  >;
  has(phrase: string): boolean;
}

export interface PhraseHit<T> {
  value: T;
  /** The phrase in the lexicon's form. */
  phrase: string;
  /** Index of its first word, and of the word after its last. */
  from: number;
  to: number;
}

/** Phrases are lemmas parted by one space. */
export function createPhraseTable<T>(phrases: ReadonlyMap<string, T>): PhraseTable<T> {
  const byFirstWord = new Map<string, { words: string[]; phrase: string; value: T }[]>();
  for (const [phrase, value] of phrases) {
    const words = phrase.split(" ");
    const entries = byFirstWord.get(words[0]) ?? [];
    entries.push({ words, phrase, value });
    byFirstWord.set(words[0], entries.sort((a, b) => b.words.length - a.words.length));
  }
  return { byFirstWord, has: (phrase) => phrases.has(phrase) };
}

/** Longest phrase first; words of a found phrase are not looked at again. */
export function findPhrases<T>(words: readonly Word[], table: PhraseTable<T>): PhraseHit<T>[] {
  const hits: PhraseHit<T>[] = [];
  for (let from = 0; from < words.length; from++) {
    const entry = table.byFirstWord.get(words[from].lemma)
      ?.find((candidate) => candidate.words.every((word, i) => words[from + i]?.lemma === word));
    if (entry === undefined) continue;
    const to = from + entry.words.length;
    hits.push({ value: entry.value, phrase: entry.phrase, from, to });
    from = to - 1;
  }
  return hits;
}

/** An article as the rules read it: sentences with their terms. Pure data, nothing of wink is left in it. */
import { setImmediate } from "node:timers/promises";
import { foldText } from "../ground.ts";
import { cutBlocks } from "./tokens.ts";
import { loadWink, readBlock, type Word } from "./wink.ts";

export interface Sentence {
  index: number;
  /** Stands word for word in the article, white space folded. */
  text: string;
  /** Where it starts in its block; words count their offsets from the block's start too. */
  start: number;
  block: number;
  /** True for headings, which tell topics but make no summary and no evidence. */
  heading: boolean;
  words: Word[];
  /** Lemmas that carry content: no stop words, numbers or single letters. */
  terms: string[];
  sentiment: number;
}

export interface Reading {
  title: string;
  titleTerms: Set<string>;
  sentences: Sentence[];
  wordCount: number;
  /** Share of words that are common English function words; about 0.4 in English prose, near 0 elsewhere. */
  englishShare: number;
}

/** Share of function words from which a text counts as English prose, and under which as not English. */
export const ENGLISH_SHARE = { sure: 0.32, none: 0.12 };

/** How long the reader may hold the event loop before it lets others run, in ms. */
const SLICE_MS = 8;

/** Reads title and body. Lets the event loop run between slices and stops with the signal's reason once aborted. */
export async function readArticle(
  article: { title: string; body: string },
  signal: AbortSignal,
): Promise<Reading> {
  const wink = await loadWink();
  let sliceStart = await nextSlice(signal);
  const title = foldText(article.title);
  const titleTerms = new Set(
    readBlock(wink, title.slice(0, 600)).flatMap((part) => contentTerms(part.words)),
  );
  const sentences: Sentence[] = [];
  let wordCount = 0;
  let stopCount = 0;
  for (const [block, { text, heading }] of cutBlocks(article.body).entries()) {
    if (performance.now() - sliceStart > SLICE_MS) sliceStart = await nextSlice(signal);
    for (const part of readBlock(wink, text)) {
      wordCount += part.words.length;
      for (const word of part.words) if (word.stop) stopCount++;
      sentences.push({
        ...part,
        index: sentences.length,
        block,
        heading,
        terms: contentTerms(part.words),
      });
    }
  }
  const englishShare = wordCount === 0 ? 0 : stopCount / wordCount;
  await nextSlice(signal);
  return { title, titleTerms, sentences, wordCount, englishShare };
}

async function nextSlice(signal: AbortSignal): Promise<number> {
  await setImmediate();
  signal.throwIfAborted();
  return performance.now();
}

function contentTerms(words: readonly Word[]): string[] {
  const terms: string[] = [];
  for (const { stop, lemma, pos } of words) {
    if (!stop && lemma.length > 1 && lemma.length <= 60 && pos !== "NUM" && /^\p{L}/u.test(lemma)) {
      terms.push(lemma);
    }
  }
  return terms;
}

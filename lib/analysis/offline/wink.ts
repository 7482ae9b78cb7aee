/**
 * wink-nlp behind one function: sentences with parts of speech, lemmas and sentiment.
 *
 * wink keeps every word it meets for the life of the process, and a word met earlier can change how a later text is
 * cut and tagged. So it is never shown an unknown word: each is replaced by a stand-in of the same kind ("Alice" for
 * an unknown name, "walking" for an unknown -ing form) in a shadow of the text, and what wink says is carried
 * back to the original by position. The same article then reads the same whatever was read before, memory stays
 * flat, and no odd token can reach wink's slow paths.
 */
import type { Document, ItsFunction, PartOfSpeech, WinkMethods } from "wink-nlp";
import { type Token, tokenise } from "./tokens.ts";

export interface Word {
  text: string;
  /** Lower case base form: "channels" and "Channel" are both "channel". */
  lemma: string;
  pos: PartOfSpeech;
  stop: boolean;
  start: number;
  end: number;
}

export interface ReadSentence {
  /** An exact piece of the block, which it is in from `start` on. */
  text: string;
  start: number;
  words: Word[];
  /** -1..1 by wink's word list. */
  sentiment: number;
}

interface Wink {
  nlp: WinkMethods;
  /** Any document; only asked which words the vocabulary has. */
  vocabulary: Document;
}

let loading: Promise<Wink> | null = null;

/** Loads the model (some 200 ms) at the first call only, so that commands that analyse nothing start fast. */
export function loadWink(): Promise<Wink> {
  loading ??= (async () => {
    const [{ default: createWink }, { default: model }] = await Promise.all([
      import("wink-nlp"),
      import("wink-eng-lite-web-model"),
    ]);
    const nlp = createWink(model, ["sbd", "pos", "negation", "sentiment"]);
    return { nlp, vocabulary: nlp.readDoc("a") };
  })();
  return loading;
}

/** Reads one block of folded text. */
export function readBlock(wink: Wink, text: string): ReadSentence[] {
  const tokens = tokenise(text);
  if (tokens.length === 0) return [];
  const shadows = tokens.map((token) => shadowOf(token, wink.vocabulary));
  const { its } = wink.nlp;
  const document = wink.nlp.readDoc(shadows.join(" "));
  const all = document.tokens();
  const owners = assignOwners(shadows, all.out());
  const pos = all.out(its.pos) as PartOfSpeech[];
  // The package types leave `cache` out of lemma's arguments.
  const lemmas = all.out(its.lemma as unknown as ItsFunction<string>);
  const stops = all.out(its.stopWordFlag) as boolean[];
  const spans = document.sentences().out(its.span) as number[][];
  const sentiments = document.sentences().out(its.sentiment) as number[];

  const sentences: ReadSentence[] = [];
  spans.forEach(([from, to], k) => {
    const words: Word[] = [];
    let last = -1;
    for (let i = from; i <= to; i++) {
      const owner = owners[i];
      if (owner === last) continue;
      last = owner;
      const token = tokens[owner];
      const known = shadows[owner].toLowerCase() === token.text.toLowerCase();
      if (token.kind === "mark") continue;
      words.push({
        text: token.text,
        lemma: known ? lemmas[i].toLowerCase() : singular(token.text.toLowerCase()),
        pos: pos[i],
        stop: stops[i] && known,
        start: token.start,
        end: token.end,
      });
    }
    const start = tokens[owners[from]].start;
    const end = tokens[owners[to]].end;
    const sentence = { text: text.slice(start, end), start, words, sentiment: sentiments[k] };
    const previous = sentences.at(-1);
    // A sentence does not start with a small letter: what follows a quoted question belongs to it.
    if (previous && /^\p{Ll}/u.test(sentence.text)) {
      previous.text = text.slice(previous.start, end);
      previous.words.push(...words);
    } else {
      sentences.push(sentence);
    }
  });
  return sentences;
}

/** wink may part one shadow token into several ("don't"); this says for each of its tokens whose part it is. */
function assignOwners(shadows: readonly string[], values: readonly string[]): number[] {
  const owners: number[] = [];
  let owner = 0;
  let left = spaceless(shadows[0]);
  for (const value of values) {
    while (left <= 0 && owner < shadows.length - 1) left += spaceless(shadows[++owner]);
    owners.push(owner);
    left -= value.length;
  }
  return owners;
}

function spaceless(text: string): number {
  return text.replaceAll(" ", "").length;
}

const FULL_STOPS: Readonly<Record<string, string>> = { "。": ".", "！": "!", "？": "?", "؟": "?", "।": "." };

function shadowOf(token: Token, vocabulary: Document): string {
  switch (token.kind) {
    case "url":
      return "Alice";
    case "number":
      return "10";
    case "mark": {
      const mark = token.text[0];
      return FULL_STOPS[mark] ?? (/^[!-/:-@[-`{-~‘’“”–—…]$/.test(mark) ? mark : "•");
    }
    case "possessive":
      return `${knownWord(token.text, vocabulary)} 's`;
    case "abbreviation":
      return vocabulary.isLexeme(token.text.toLowerCase()) ? token.text.toLowerCase() : "Alice";
    default:
      return knownWord(token.text.replace("’", "'"), vocabulary);
  }
}

function knownWord(text: string, vocabulary: Document): string {
  const lower = text.toLowerCase();
  if (vocabulary.isLexeme(lower)) {
    const plainCase = text === lower || text === text.toUpperCase() || text.slice(1) === lower.slice(1);
    return plainCase ? text : lower;
  }
  if (text !== lower) return "Alice";
  if (lower.endsWith("ing")) return "walking";
  if (lower.endsWith("ed")) return "walked";
  if (lower.endsWith("ly")) return "quickly";
  return lower.endsWith("s") && !lower.endsWith("ss") ? "things" : "thing";
}

/** Good enough for words no dictionary has: "covenants" -> "covenant", "stablecoins" -> "stablecoin". */
export function singular(word: string): string {
  if (word.length < 5 || !word.endsWith("s") || /(?:ss|us|is)$/.test(word)) return word;
  return word.endsWith("ies") ? `${word.slice(0, -3)}y` : word.slice(0, -1);
}

/** Names in an article: numbered standards, well-known names, and runs of capitalised words that behave like one. */
import type { Entity } from "../schema.ts";
import {
  GAZETTEER,
  GIVEN_NAMES,
  NOT_NAMES,
  ORGANISATION_WORDS,
  PROJECT_WORDS,
  ROLES,
  SPEECH_VERBS,
} from "./gazetteer.ts";
import type { Reading, Sentence } from "./reader.ts";
import type { Word } from "./wink.ts";

export interface FoundEntity extends Entity {
  count: number;
  firstSentence: number;
}

/** Bitcoin itself is in every article; naming it tells nothing. */
const TOO_COMMON = new Set(["bitcoin", "btc"]);
const STANDARD = /\b(BIP|BOLT|CVE|SLIP|NIP|BLIP)S?[- #]?(\d{1,5}(?:-\d{3,7})?)\b/giu;
const MAX_NAME_WORDS = 4;

/** Most telling first: by count, well-known names and standards before guesses, then by first appearance. */
export function findEntities(reading: Reading): FoundEntity[] {
  const found = new Map<string, FoundEntity & { rank: number; proven: boolean }>();
  const add = (entity: Entity, sentence: Sentence, rank: number, proven: boolean) => {
    const key = entity.name.toLowerCase();
    if (TOO_COMMON.has(key)) return;
    const known = found.get(key);
    if (known === undefined) {
      found.set(key, { ...entity, count: 1, firstSentence: sentence.index, rank, proven });
    } else {
      known.count++;
      known.proven ||= proven;
      if (known.type === "OTHER") known.type = entity.type;
    }
  };
  for (const sentence of reading.sentences) {
    for (const [, series, number] of sentence.text.matchAll(STANDARD)) {
      const joint = series.toUpperCase() === "CVE" ? "-" : "";
      const type = series.toUpperCase() === "CVE" ? "OTHER" : "PROTOCOL";
      add({ name: `${series.toUpperCase()}${joint}${number}`, type }, sentence, 2, true);
    }
    for (const run of nameRuns(sentence)) {
      const named = nameOfRun(run);
      if (named !== null) add(named.entity, sentence, named.known ? 2 : 1, named.proven);
    }
  }
  mergeSurnames(found);
  return [...found.values()]
    .filter(({ count, proven }) => proven || count > 1)
    .sort((a, b) =>
      b.rank * Math.log(1 + b.count) - a.rank * Math.log(1 + a.count) || a.firstSentence - b.firstSentence
    )
    .map(({ name, type, count, firstSentence }) => ({ name, type, count, firstSentence }));
}

interface Run {
  words: Word[];
  before: Word | undefined;
  after: Word | undefined;
  opensSentence: boolean;
}

/** Capitalised words that stand side by side with nothing but a space or a hyphen between them. */
function nameRuns({ words, text, start, heading }: Sentence): Run[] {
  if (heading || isTitleCase(words)) return [];
  const runs: Run[] = [];
  for (let i = 0; i < words.length; i++) {
    if (!isNameLike(words[i])) continue;
    let end = i + 1;
    while (
      end < words.length && end - i < MAX_NAME_WORDS && isNameLike(words[end]) &&
      /^[ -]$/.test(text.slice(words[end - 1].end - start, words[end].start - start))
    ) end++;
    runs.push({
      words: words.slice(i, end),
      before: words[i - 1],
      after: words[end],
      opensSentence: i === 0,
    });
    i = end - 1;
  }
  return runs;
}

function isTitleCase(words: readonly Word[]): boolean {
  const long = words.filter(({ text }) => text.length > 3);
  return long.length > 3 && long.filter(({ text }) => /^\p{Lu}/u.test(text)).length > long.length * 0.7;
}

function isNameLike({ text, lemma }: Word): boolean {
  if (NOT_NAMES.has(text.toLowerCase()) || text.length > 40 || /[_.]|^I['’]/.test(text)) {
    return GAZETTEER.has(text.toLowerCase());
  }
  return /^\p{Lu}/u.test(text) ? text.length > 1 : GAZETTEER.get(lemma)?.name === text;
}

interface Named {
  entity: Entity;
  known: boolean;
  /** False for a guess that has to come back before it counts. */
  proven: boolean;
}

/** A known name may stand inside a longer run ("Meanwhile Bitcoin Core"): the longest one wins. */
function nameOfRun(run: Run): Named | null {
  for (let size = run.words.length; size > 0; size--) {
    for (let from = 0; from + size <= run.words.length; from++) {
      const part = run.words.slice(from, from + size);
      const known = GAZETTEER.get(singularName(nameOf(part, " "))) ??
        GAZETTEER.get(singularName(nameOf(part, "-")));
      // A single word is a name only as it is written: "Strike", not "strike" or "STRIKE".
      if (known !== undefined && (size > 1 || part[0].text.replace(/(?<=\p{Lu})s$/u, "") === known.name)) {
        return { entity: known, known: true, proven: true };
      }
    }
  }
  return guessName(run);
}

function guessName(run: Run): Named | null {
  const words = run.opensSentence && run.words[0].stop ? run.words.slice(1) : run.words;
  if (words.length === 0) return null;
  const plain = words.every(({ pos, text, lemma }) => pos !== "PROPN" || text.toLowerCase() !== lemma);
  const entity: Entity = { name: nameOf(words, " "), type: guessType(words, run) };
  if (words.length === 1) {
    // One capitalised word at a sentence's start is a word; all capitals are mostly abbreviations.
    const word = words[0];
    const abbreviation = /^[\p{Lu}\p{N}]{2,}$/u.test(word.text);
    if (run.opensSentence || plain && entity.type !== "PERSON" || word.pos !== "PROPN" || abbreviation) {
      return null;
    }
    return { entity, known: false, proven: false };
  }
  return { entity, known: false, proven: entity.type !== "OTHER" };
}

function guessType(words: readonly Word[], { before, after }: Run): Entity["type"] {
  const last = words[words.length - 1].text;
  if (ORGANISATION_WORDS.test(last)) return "ORGANIZATION";
  if (words.length > 1 && PROJECT_WORDS.test(last)) return "PROJECT";
  const looksLikePerson = words.length <= 3 && words.every(({ text }) => /^\p{Lu}[\p{L}'’]+$/u.test(text));
  if (!looksLikePerson) return "OTHER";
  if (words.length > 1 && GIVEN_NAMES.has(words[0].text.toLowerCase())) return "PERSON";
  const speaks = after !== undefined && SPEECH_VERBS.has(after.lemma);
  const introduced = before !== undefined && ROLES.test(before.text);
  return speaks || introduced ? "PERSON" : "OTHER";
}

/** "Towns" after "Anthony Towns" is the same person: the short form's count goes to the long one. */
function mergeSurnames(found: Map<string, FoundEntity>): void {
  for (const [key, entity] of found) {
    if (entity.type !== "PERSON" || !key.includes(" ")) continue;
    const surname = key.slice(key.lastIndexOf(" ") + 1);
    const short = found.get(surname);
    if (short === undefined) continue;
    entity.count += short.count;
    found.delete(surname);
  }
}

/** Abbreviations take a plural "s" ("DLCs", "PSBTs"); other names keep theirs ("Silent Payments"). */
function singularName(name: string): string {
  return name.replace(/(?<=\p{Lu})s$/u, "").toLowerCase();
}

function nameOf(words: readonly Word[], joint: string): string {
  return words.map(({ text }) => text).join(joint);
}

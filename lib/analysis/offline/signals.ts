/** Weak signals: sentences where cue words gather, each with itself as the evidence. */
import type { WeakSignal } from "../schema.ts";
import { clipText, plainLine, quoteAround } from "./clip.ts";
import {
  type Cue,
  CUE_PHRASES,
  GRAVITY,
  IMPLICATIONS,
  SIGNAL_KINDS,
  type SignalKind,
  TONE_PHRASES,
} from "./cue_lexicon.ts";
import type { FoundEntity } from "./entities.ts";
import { findPhrases, type PhraseHit } from "./phrases.ts";
import type { Ranked } from "./rank.ts";
import type { Sentence } from "./reader.ts";
import { guessTimeframe } from "./timeframe.ts";
import { roundShare } from "./shares.ts";

export interface FoundSignal {
  kind: SignalKind;
  sentence: Sentence;
  strength: number;
  novel: boolean;
  signal: WeakSignal;
}

export interface SignalReading {
  /** Strongest first, at most one of a kind from one block. */
  signals: FoundSignal[];
  /** Sentences with cues, by kind, over the whole article. */
  sentencesByKind: Map<SignalKind, number>;
}

/** One strong cue, or two weak ones. */
const MIN_CUE_WEIGHT = 2;
/** Entities are named "BIP119" where an article may write "BIP 119" or "BIPs #119". */
const STANDARD_JOINT = /\b(BIP|BOLT|SLIP|NIP|BLIP)s?[- #]+(?=\d)/g;
const MAX_SIGNALS = 6;
const REPEATED_KIND = 0.6;
const MAX_EVIDENCE_CHARS = 300;
const MIN_EVIDENCE_CHARS = 30;

interface Candidate {
  kind: SignalKind;
  sentence: Sentence;
  hits: PhraseHit<Cue>[];
  tones: Set<string>;
  strength: number;
}

export function findSignals(
  ranked: readonly Ranked[],
  entities: readonly FoundEntity[],
  options: { evidenceChars: number; year: number | null },
): SignalReading {
  const sentencesByKind = new Map<SignalKind, number>();
  const topScore = Math.max(...ranked.slice(0, 5000).map(({ score }) => score), 1e-9);
  const candidates = ranked.flatMap(({ sentence, score }) => {
    const candidate = findCandidate(sentence, Math.min(1, score / topScore));
    if (candidate !== null) {
      sentencesByKind.set(candidate.kind, (sentencesByKind.get(candidate.kind) ?? 0) + 1);
    }
    return candidate ?? [];
  });
  candidates.sort((a, b) => b.strength - a.strength || a.sentence.index - b.sentence.index);
  const seen = new Set<string>();
  const signals: FoundSignal[] = [];
  for (const candidate of candidates) {
    const place = `${candidate.kind} ${candidate.sentence.block}`;
    if (seen.has(place) || seen.has(candidate.sentence.text)) continue;
    seen.add(place).add(candidate.sentence.text);
    // A further signal of a kind already shown tells less than one of another kind.
    if (signals.some(({ kind }) => kind === candidate.kind)) candidate.strength *= REPEATED_KIND;
    signals.push(writeSignal(candidate, entities, sentencesByKind.get(candidate.kind) ?? 1, options));
    if (signals.length === MAX_SIGNALS) break;
  }
  signals.sort((a, b) => b.strength - a.strength || a.sentence.index - b.sentence.index);
  return { signals, sentencesByKind };
}

function findCandidate(sentence: Sentence, centrality: number): Candidate | null {
  const { text, heading } = sentence;
  // A quote must stand word for word, so a sentence that cannot be shown as it is makes no evidence.
  if (heading || text.length < MIN_EVIDENCE_CHARS || plainLine(text) !== text) return null;
  const hits = findPhrases(sentence.words, CUE_PHRASES);
  const weights = new Map<SignalKind, number>();
  const said = new Set<string>();
  for (const { value, phrase } of hits) {
    if (!said.has(phrase)) weights.set(value.kind, (weights.get(value.kind) ?? 0) + value.weight);
    said.add(phrase);
  }
  let kind: SignalKind | null = null;
  for (const candidate of SIGNAL_KINDS) {
    if ((weights.get(candidate) ?? 0) > (kind === null ? MIN_CUE_WEIGHT - 1 : weights.get(kind) ?? 0)) {
      kind = candidate;
    }
  }
  if (kind === null) return null;
  const tones = new Set(findPhrases(sentence.words, TONE_PHRASES).map(({ value }) => value));
  const cueWeight = Math.min(6, weights.get(kind) ?? 0);
  const strength = cueWeight * (1 + (tones.has("novel") ? 0.3 : 0) + (tones.has("sudden") ? 0.2 : 0)) *
    (0.4 + 0.6 * centrality) * GRAVITY[kind];
  return { kind, sentence, hits: hits.filter(({ value }) => value.kind === kind), tones, strength };
}

function writeSignal(
  { kind, sentence, hits, tones, strength }: Candidate,
  entities: readonly FoundEntity[],
  sameKind: number,
  { evidenceChars, year }: { evidenceChars: number; year: number | null },
): FoundSignal {
  const named = sentence.text.replace(STANDARD_JOINT, "$1");
  const inSentence = entities.filter(({ name }) => named.includes(name));
  const nearby = inSentence[0]?.name;
  const subject = inSentence.find(({ type }) => type !== "PERSON" && type !== "OTHER")?.name ?? "this topic";
  const cues = [
    ...new Map(hits.map(({ phrase, from, to }) => [phrase, wordsOf(sentence, from, to)])).values(),
  ]
    .slice(0, 3);
  const novel = tones.has("novel");
  const implication = IMPLICATIONS[kind][novel ? 1 : 0].replace("{name}", subject);
  const where = nearby === undefined ? "" : ` near ${nearby}`;
  const evidence = quoteCue(sentence, hits, Math.min(evidenceChars, MAX_EVIDENCE_CHARS));
  const confidence = 0.2 + 0.07 * Math.min(5, hits.reduce((sum, { value }) => sum + value.weight, 0)) +
    (nearby === undefined ? 0 : 0.08) + (/\p{N}/u.test(sentence.text) ? 0.05 : 0) +
    0.04 * Math.min(4, sameKind - 1) - (tones.has("hedged") ? 0.08 : 0) - (tones.has("vague") ? 0.12 : 0);
  return {
    kind,
    sentence,
    strength,
    novel,
    signal: {
      type: kind,
      description: clipText(`${cues.map((cue) => `“${cue}”`).join(", ")}${where}`, 120),
      confidence: roundShare(confidence),
      implications: clipText(`By rule: ${implication}.`, 160),
      evidence: [evidence],
      timeframe: guessTimeframe(sentence.text, kind, year),
    },
  };
}

/** The evidence has to show the strongest cue, or it is none. */
function quoteCue(sentence: Sentence, hits: readonly PhraseHit<Cue>[], maxChars: number): string {
  const strongest = hits.reduce((best, hit) => hit.value.weight > best.value.weight ? hit : best);
  const from = sentence.words[strongest.from].start - sentence.start;
  const to = sentence.words[strongest.to - 1].end - sentence.start;
  return quoteAround(sentence.text, from, to, maxChars);
}

/** The cue as the article writes it, in small letters. */
function wordsOf({ words }: Sentence, from: number, to: number): string {
  return words.slice(from, to).map(({ text }) => text.toLowerCase()).join(" ");
}

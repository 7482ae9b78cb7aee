/** Overall sentiment from wink's score of each sentence. */
import type { Analysis } from "../schema.ts";
import { ENGLISH_SHARE, type Reading } from "./reader.ts";

/**
 * What neutral technical prose scores on average, because words such as "support", "share" and "commitment" count
 * as kind ones: the median over 265 Bitcoin newsletters, blog posts and transcripts was 0.153.
 */
const NEUTRAL_MEAN = 0.15;
/** How far from it the mean has to be; the middle 80 % of that sample lie within. */
const MARGIN = 0.085;
/** A sentence counts as toned from here on, and this share of them each way makes a text mixed. */
const TONED = 0.2;
const MIXED_SHARE = 0.2;
const DOUBTFUL_ENGLISH = (ENGLISH_SHARE.sure + ENGLISH_SHARE.none) / 2;

/** A text that does not look English is NEUTRAL: an English word list would take German "die" for a death. */
export function readSentiment({ sentences, englishShare }: Reading): Analysis["sentiment"] {
  const texts = sentences.filter(({ heading }) => !heading);
  if (texts.length === 0 || englishShare < DOUBTFUL_ENGLISH) return "NEUTRAL";
  const tone = texts.reduce((sum, { sentiment }) => sum + sentiment, 0) / texts.length - NEUTRAL_MEAN;
  const kind = texts.filter(({ sentiment }) => sentiment >= NEUTRAL_MEAN + TONED).length / texts.length;
  const harsh = texts.filter(({ sentiment }) => sentiment <= -TONED).length / texts.length;
  if (harsh >= MIXED_SHARE && kind >= MIXED_SHARE) return "MIXED";
  if (tone > MARGIN && kind > harsh) return "POSITIVE";
  return tone < -MARGIN && harsh > kind ? "NEGATIVE" : "NEUTRAL";
}

import { detectAll } from "tinyld";

/** Shorter texts are guessed wrong too often. In UTF-16 code units. */
const MIN_CHARS = 200;
/** More text makes the guess slower, not better. */
const MAX_CHARS = 3_000;
/** Below this accuracy the guess is a coin toss: lists of hashes and placeholder text score under 0.1. */
const MIN_ACCURACY = 0.25;
/** The best guess must be this many times as likely as the next. */
const MIN_LEAD = 1.5;

/** "en-US", "EN" or "eng" -> "en". Null for what is no language or has no two-letter code. */
export function normalizeLanguage(declared: unknown): string | null {
  if (typeof declared !== "string" || declared.length > 35) return null;
  try {
    const code = new Intl.Locale(declared.trim().replaceAll("_", "-")).language;
    return /^[a-z]{2}$/.test(code) ? code : null;
  } catch {
    return null;
  }
}

/** The language of a plain text as an ISO 639-1 code, or null when it is short or the guess is not sure. */
export function detectLanguage(text: string): string | null {
  // Hashes, keys and amounts are in no language, yet would be taken for one.
  const words = text.slice(0, MAX_CHARS * 2).replace(/\S*\d\S*/g, "").replace(/\s+/g, " ");
  if (words.length < MIN_CHARS) return null;
  // tinyld takes English full of jargon for Berber; languages without a two-letter code are not in question.
  const [best, next] = detectAll(words.slice(0, MAX_CHARS)).filter((guess) => guess.lang.length === 2);
  if (!best || best.accuracy < MIN_ACCURACY) return null;
  return next && best.accuracy < next.accuracy * MIN_LEAD ? null : best.lang;
}

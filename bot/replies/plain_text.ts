/**
 * Texts from outside (titles, quotes, error messages) made fit for a chat: no characters that steer or hide text, and
 * nothing that Telegram would turn into a command or a mention under somebody's thumb.
 */

/** Longer texts are cut before anything looks at them closely. */
const MAX_INPUT = 20_000;
/** Controls, direction overrides, lone surrogates, unassigned; joiners stay because scripts and emoji need them. */
const INVISIBLE = /(?![\u200c\u200d\n])\p{C}/gu;
/** A letter with more marks than this is made to break out of its line. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu;
/** Telegram would make these clickable: a tap on "/cancel" in a title would send it. */
const CLICKABLE = /([/@#])(?=\w)/g;
/** Invisible, keeps its neighbours together, and is no part of a command's name. */
const WORD_JOINER = "\u2060";
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Cleaned; line breaks stay. */
export function cleanText(text: string): string {
  return text.slice(0, MAX_INPUT).toWellFormed().replaceAll("\ufffd", "").replaceAll(
    /\r\n?|\u2028|\u2029/g,
    "\n",
  )
    .replaceAll("\t", " ").replaceAll(INVISIBLE, "").replaceAll(STACKED_MARKS, "$1")
    .replaceAll(CLICKABLE, `$1${WORD_JOINER}`).trim();
}

/**
 * One line of at most `most` characters as a person counts them, cut with an ellipsis. A text with right-to-left
 * letters is closed off, so that it does not turn the figures around it.
 */
export function oneLine(text: string, most: number): string {
  const line = cutGraphemes(cleanText(text).replaceAll(/\s+/g, " "), most);
  return RIGHT_TO_LEFT.test(line) ? `\u2068${line}\u2069` : line;
}

/** Several lines, at most `most` characters. */
export function someLines(text: string, most: number): string {
  return cutGraphemes(cleanText(text).replaceAll(/\n{3,}/g, "\n\n"), most);
}

/** Joined emoji make one "character" of many code units; a text has at most this many a character, on average. */
const LONGEST_CHARACTER = 2;

/** At most `most` characters as a person counts them; what was longer ends in an ellipsis. */
export function cutGraphemes(text: string, most: number): string {
  // No character is shorter than one code unit.
  if (text.length <= most) return text;
  let kept = "";
  let shorter = "";
  let count = 0;
  for (const { segment } of graphemes.segment(text)) {
    if (++count > most || kept.length + segment.length > most * LONGEST_CHARACTER) {
      return `${shorter.replace(/[\s\u2060]+$/, "")}…`;
    }
    shorter = kept;
    kept += segment;
  }
  return text;
}

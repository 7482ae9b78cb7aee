/**
 * Texts from outside (topics, model names, titles) made fit for a label: no characters that steer or hide text, one
 * line, and no wider than its place. Escaping is not done here but once, where the SVG is written.
 */

/** Longer texts are cut before anything looks at them closely; no label shows more. */
const MAX_INPUT = 400;
/** A letter with more accents than this is made to break out of its line. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu;
/** Controls, direction overrides, lone surrogates, unassigned; joiners stay because scripts and emoji need them. */
const INVISIBLE = /(?![\u200c\u200d])\p{C}/gu;

export function cleanText(text: string): string {
  return text.slice(0, MAX_INPUT).toWellFormed().replace(/[\s\p{Cc}]+/gu, " ").replace(/\ufffd/g, "")
    .replace(INVISIBLE, "").replace(STACKED_MARKS, "$1").trim();
}

/** Widths of Inter in thousandths of the font size, by class of letters: close enough to place and cut labels. */
const WIDTHS: readonly (readonly [RegExp, number])[] = [
  [/[\p{M}\u200c\u200d\ufe0f]/u, 0],
  [/[ijl.,:;'|!]/, 280],
  [/[ ftrI()[\]"*/-]/, 370],
  [/[mwMW@%]/, 900],
  [/[\u2e80-\u9fff\uac00-\ud7af\uff00-\uff60]/, 1000],
  [/\p{Extended_Pictographic}/u, 1300],
  [/\d/, 640],
  [/\p{Lu}/u, 690],
];
const OTHER_WIDTH = 590;

/** Pixels that a text takes at a font size, about. */
export function measureText(text: string, fontSize: number): number {
  let sum = 0;
  for (const letter of text) {
    sum += WIDTHS.find(([letters]) => letters.test(letter))?.[1] ?? OTHER_WIDTH;
  }
  return sum * fontSize / 1000;
}

/** Some 50 letters. */
const NAME_WIDTH = 400;
const NAME_SIZE = 14;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The cleaned text, cut with an ellipsis where it would be wider than `width` pixels. */
export function fitText(text: string, width: number, fontSize: number): string {
  const clean = cleanText(text);
  if (measureText(clean, fontSize) <= width) return clean;
  const room = width - measureText("…", fontSize);
  let fitted = "";
  for (const { segment } of graphemes.segment(clean)) {
    if (measureText(fitted + segment, fontSize) > room) break;
    fitted += segment;
  }
  return `${fitted.trimEnd()}…`;
}

/** A name for running text, cut to what a sentence bears. */
export function nameText(text: string): string {
  return fitText(text, NAME_WIDTH, NAME_SIZE) || "(no name)";
}

/** Breaks a text between words into at most `lines` lines; the last one is cut with an ellipsis. */
export function wrapText(text: string, width: number, fontSize: number, lines: number): string[] {
  const wrapped: string[] = [];
  let line = "";
  const words = cleanText(text).split(" ");
  for (const [index, word] of words.entries()) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line === "" || measureText(longer, fontSize) <= width) {
      line = longer;
    } else if (wrapped.length === lines - 1) {
      line = [line, ...words.slice(index)].join(" ");
      break;
    } else {
      wrapped.push(fitText(line, width, fontSize));
      line = word;
    }
  }
  return [...wrapped, fitText(line, width, fontSize)];
}

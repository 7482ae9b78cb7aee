/** Titles end up in one line of a chat or a table. In UTF-16 code units, as JavaScript counts. */
export const MAX_TITLE_CHARS = 500;

/** How much of the body stands in for a title that is missing, in UTF-16 code units. */
const BORROWED_TITLE_CHARS = 80;

const LINE_ENDS = /\r\n?|[\u2028\u2029\v\f]/g;
/**
 * Control characters but tab and newline (Postgres refuses NUL), lone surrogates (not valid UTF-8), characters
 * nobody sees (soft hyphen, zero width space, byte order mark, tags), and overrides of the writing direction,
 * which make a line look like something else. The joiners U+200C and U+200D stay: emoji and Persian need them.
 */
const INVISIBLE =
  // deno-lint-ignore no-control-regex -- they are what is taken out
  /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\p{Surrogate}]|[\u{e0000}-\u{e007f}]/gu;
const ODD_SPACES = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;

/**
 * Brings text into the form that is stored: NFC, no control characters, "\n" line ends, no trailing spaces, at
 * most one blank line between paragraphs. Cleaning twice changes nothing.
 */
export function cleanText(text: string): string {
  return text.replace(LINE_ENDS, "\n").replace(INVISIBLE, "").replace(ODD_SPACES, " ").normalize("NFC")
    .split("\n").map((line) => line.trimEnd()).join("\n")
    .replace(/\n{3,}/g, "\n\n").replace(/^\n+/, "").trimEnd();
}

/** Like `cleanText`, on a single line: every run of white space becomes one space. */
export function cleanLine(text: string): string {
  return cleanText(text).replace(/\s+/g, " ").trim();
}

/** A single line of at most `MAX_TITLE_CHARS`; a longer one is cut between graphemes and ends with "…". */
export function cleanTitle(text: string): string {
  return cutAtGrapheme(cleanLine(text), MAX_TITLE_CHARS);
}

/** A title for an article without one: the first words of its body. Empty when the body is. */
export function titleFromBody(body: string): string {
  const start = cleanLine(body.slice(0, BORROWED_TITLE_CHARS * 4));
  if (start.length <= BORROWED_TITLE_CHARS) return start;
  const lastSpace = start.lastIndexOf(" ", BORROWED_TITLE_CHARS - 1);
  // Scripts without spaces, and one endless word, are cut where a grapheme ends.
  return lastSpace > BORROWED_TITLE_CHARS / 2
    ? `${start.slice(0, lastSpace)}…`
    : cutAtGrapheme(start, BORROWED_TITLE_CHARS);
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

function cutAtGrapheme(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  let end = 0;
  for (const { index, segment } of graphemes.segment(text.slice(0, maxChars * 2))) {
    if (index + segment.length > maxChars - 1) break;
    end = index + segment.length;
  }
  // One grapheme longer than the title may be is not writing; then the code points are cut.
  return `${text.slice(0, end || maxChars - 1).replace(/\p{Surrogate}/gu, "").trimEnd()}…`;
}

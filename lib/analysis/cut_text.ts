/** Text that somebody else wrote, shortened without breaking a character in two, and brought into one line. */

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * Cuts at the last space when one is near, so that a quote keeps whole words and can still be found in the article;
 * else between graphemes.
 */
export function cutText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const space = text.lastIndexOf(" ", maxLength);
  if (space > maxLength * 0.8) return text.slice(0, space).trimEnd();
  // Segmenting only what can matter: the text may be megabytes.
  const near = graphemes.segment(text.slice(0, maxLength + 64)).containing(maxLength);
  return text.slice(0, near && near.index > 0 ? near.index : maxLength).toWellFormed();
}

/** One line without control characters and lone surrogates. */
export function foldLine(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what is taken out
  return text.toWellFormed().replace(/[\s\u0000-\u001f\u007f]+/g, " ").trim();
}

/** Cutting text to a size: with an ellipsis for people, without one for quotes. */

/** What is left for the words after a quoted part, so that it does not end on it. */
const MIN_AFTERMATH_CHARS = 30;

/** Whole words and an ellipsis, at most `maxChars` in all. */
export function clipText(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return `${clipQuote(text, maxChars - 1).replace(/[\s,;:(–-]+$/, "")}…`;
}

/** A beginning of whole words, up to the end of a clause when one is near, within `maxChars`: still word for word what was given. */
export function clipQuote(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const head = text.slice(0, maxChars + 1);
  const clause = Math.max(head.lastIndexOf(", "), head.lastIndexOf("; "), head.lastIndexOf(" ("));
  if (clause > maxChars * 0.6) return head.slice(0, clause);
  const space = head.lastIndexOf(" ");
  if (space > 0) return head.slice(0, space);
  // No space at all (Chinese, Japanese, Thai): cut between characters, never inside one.
  return [...new Intl.Segmenter().segment(head)].slice(0, -1).map(({ segment }) => segment).join("");
}

/**
 * A verbatim piece of at most `maxChars` that holds the part from `from` to `to`: the beginning when that is enough,
 * else from the clause or word before the part.
 */
export function quoteAround(text: string, from: number, to: number, maxChars: number): string {
  const beginning = clipQuote(text, maxChars);
  if (beginning.length >= to) return beginning;
  const earliest = Math.max(0, to - maxChars + MIN_AFTERMATH_CHARS);
  const clause = text.indexOf(", ", earliest);
  const nearClause = clause >= 0 && clause + 2 <= from && clause - earliest < maxChars / 3;
  const start = nearClause ? clause + 2 : text.indexOf(" ", earliest) + 1;
  return clipQuote(text.slice(Math.min(start, from)), maxChars);
}

/** Without control characters, which no screen and no Postgres text holds well. */
export function plainLine(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").replace(/ {2,}/g, " ").trim();
}

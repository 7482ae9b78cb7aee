/** Finds the quotes of an analysis in the text they were taken from, so that a reader sees them where they stand. */

export interface Segment {
  text: string;
  /** Numbers (from 0) of the quotes that cover it; empty: none does. */
  quotes: number[];
}

/** Stored quotes have any run of white space as one space; the text has it as it was written. */
export function markQuotes(text: string, quotes: readonly string[]): Segment[] {
  const whole = text.normalize("NFC");
  const edges = new Set([0, whole.length]);
  const spans = quotes.flatMap((quote, index) => {
    const at = findQuote(whole, quote);
    if (at === null) return [];
    edges.add(at.from).add(at.to);
    return [{ ...at, index }];
  });
  const sorted = [...edges].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((from, n) => ({
    text: whole.slice(from, sorted[n + 1]),
    quotes: spans.filter((span) => span.from <= from && span.to >= sorted[n + 1]).map(({ index }) => index),
  }));
}

function findQuote(text: string, quote: string): { from: number; to: number } | null {
  const words = quote.normalize("NFC").trim().split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return null;
  const pattern = new RegExp(words.map((word) => RegExp.escape(word)).join("[\\s\\u0085]+"), "u");
  const match = pattern.exec(text);
  return match && { from: match.index, to: match.index + match[0].length };
}

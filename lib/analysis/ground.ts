/**
 * Grounding: an evidence quote is kept only when it stands word for word in the article.
 *
 * What is forgiven is what cannot change a quote's meaning: how white space runs, the Unicode form of a letter, and
 * one pair of quotation marks around the whole. Case, punctuation, an ellipsis or a single swapped word are not.
 * Anything fuzzier (edit distance, cutting at "…", ignoring case) would accept "will not fork" for "will now fork",
 * and then a reader can no longer take a quote for the article's own words.
 */
import type { GroundedAnalysis } from "./port.ts";
import type { Analysis, WeakSignal } from "./schema.ts";

const QUOTATION_PAIRS: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "“": "”",
  "„": "“",
  "‘": "’",
  "«": "»",
  "「": "」",
  "`": "`",
};

/** Letters, marks and digits of scripts that part words by spaces; in the others a word's edge cannot be seen. */
const WORD_CHARACTER =
  /^(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])[\p{L}\p{M}\p{N}]$/u;

/** Leaves the many single spaces of a text alone: replacing each by itself took five times as long. */
const NOT_A_SINGLE_SPACE = /[\s\u0085]{2,}|[^\S ]|\u0085/g;

/** One Unicode form (NFC, no lone surrogates), any run of white space as one space, none at the ends. */
export function foldText(text: string): string {
  return text.toWellFormed().normalize("NFC").replace(NOT_A_SINGLE_SPACE, " ").trim();
}

/**
 * Drops every quote that does not stand in the title or the body and counts them. Kept quotes come back folded.
 *
 * A signal that offered quotes and lost all of them stays, because the reading may still be right, but at half its
 * confidence: that number was claimed on the strength of words nobody wrote. One that offered none is left as it
 * is, so grounding twice gives what grounding once gives.
 */
export function ground(
  analysis: Analysis,
  articleText: { title: string; body: string },
): GroundedAnalysis {
  const texts = [foldText(articleText.body), foldText(articleText.title)];
  let ungrounded = 0;
  const weak_signals = analysis.weak_signals.map((signal): WeakSignal => {
    const evidence: string[] = [];
    for (const quote of signal.evidence) {
      const found = findQuote(quote, texts);
      if (found === null) ungrounded++;
      else evidence.push(found);
    }
    const unsupported = signal.evidence.length > 0 && evidence.length === 0;
    return { ...signal, evidence, confidence: unsupported ? signal.confidence / 2 : signal.confidence };
  });
  return { analysis: { ...analysis, weak_signals }, ungrounded };
}

/** The quote as it stands in one of the folded texts, or null. */
function findQuote(quote: string, texts: readonly string[]): string | null {
  const folded = foldText(quote);
  for (const candidate of [folded, withoutQuotationMarks(folded)]) {
    if (candidate !== "" && texts.some((text) => standsIn(candidate, text))) return candidate;
  }
  return null;
}

function withoutQuotationMarks(text: string): string {
  const closing = QUOTATION_PAIRS[text[0] ?? ""];
  return closing !== undefined && text.length > 1 && text.endsWith(closing) ? text.slice(1, -1).trim() : "";
}

/** Whole words only: "ban" does not stand in "bank". */
function standsIn(quote: string, text: string): boolean {
  for (let at = text.indexOf(quote); at !== -1; at = text.indexOf(quote, at + 1)) {
    const end = at + quote.length;
    if (!splitsWord(text, at) && !splitsWord(text, end)) return true;
  }
  return false;
}

/** True when a word runs on across the offset. */
function splitsWord(text: string, offset: number): boolean {
  if (offset <= 0 || offset >= text.length) return false;
  return WORD_CHARACTER.test(characterBefore(text, offset)) &&
    WORD_CHARACTER.test(String.fromCodePoint(text.codePointAt(offset) ?? 0));
}

function characterBefore(text: string, offset: number): string {
  const unit = text.charCodeAt(offset - 1);
  const isLowSurrogate = unit >= 0xdc00 && unit <= 0xdfff;
  return text.slice(offset - (isLowSurrogate ? 2 : 1), offset);
}

import { extractArticle, type ExtractedArticle } from "./extract_article.ts";
import { fetchPage, PAGE } from "./fetch_page.ts";
import { NotGrantedError } from "./ingest_error.ts";
import type { ReadContext } from "./read_context.ts";

/** Entries shorter than this carry a teaser, not an article. In UTF-16 code units of plain text. */
const MIN_FULL_CHARS = 400;

const CUT_OFF =
  /(?:…|\.\.\.|\[…\]|\[\.\.\.\]|(?:read|continue|view)\s+(?:more|on|reading|the (?:full|rest)[\w ]{0,30}))\W*$/i;

/** Whether a feed entry's text is only the beginning of its article. */
export function isTeaser(text: string): boolean {
  return text.length < MIN_FULL_CHARS || CUT_OFF.test(text.slice(-80));
}

/**
 * Fetches the page behind a teaser and returns its article if that says more than the teaser. Null when the
 * page cannot be fetched, holds no article or no longer one: then the teaser is all there is.
 */
export async function completeTeaser(
  teaser: string,
  link: string,
  context: ReadContext,
): Promise<ExtractedArticle | null> {
  let html: string;
  try {
    html = (await fetchPage(link, PAGE, context)).text;
  } catch (error) {
    context.signal?.throwIfAborted();
    if (error instanceof NotGrantedError) context.onNotGranted?.(error.host);
    return null;
  }
  const article = extractArticle(html);
  return article && article.text.length > teaser.length ? article : null;
}

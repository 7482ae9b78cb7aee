import { Readability } from "@mozilla/readability";
import { DOMParser } from "linkedom";
import { cleanTitle } from "./clean_text.ts";
import { htmlToText } from "./html_to_text.ts";

/** Pages with more elements are applications or attacks, and Readability's time grows with them. */
const MAX_ELEMENTS = 20_000;
/** Readability's time grows with the square of the depth; pages of newsletters nest some 30 elements deep. */
const MAX_DEPTH = 150;

export interface ExtractedArticle {
  title: string;
  text: string;
  language: string | null;
}

/** Finds the article in a web page, without menus, comments and advertising; null when there is none. */
export function extractArticle(html: string): ExtractedArticle | null {
  try {
    const document = new DOMParser().parseFromString(html, "text/html");
    // linkedom makes a document of anything; Readability needs a body in it.
    if (!document.body || isDeeperThan(document.documentElement, MAX_DEPTH)) return null;
    const language = document.documentElement.getAttribute("lang");
    const article = new Readability(document, { maxElemsToParse: MAX_ELEMENTS }).parse();
    const text = htmlToText(article?.content ?? "");
    return text === "" ? null : { title: cleanTitle(article?.title ?? ""), text, language };
  } catch {
    // Too many or too deeply nested elements: a page without an article, as far as this is concerned.
    return null;
  }
}

/** The feed that a web page names in its head, as written there; null when it names none. */
export function findFeedLink(html: string): string | null {
  const document = new DOMParser().parseFromString(html, "text/html");
  const link = document.querySelector(
    'link[rel~="alternate"][type="application/rss+xml"], link[rel~="alternate"][type="application/atom+xml"], ' +
      'link[rel~="alternate"][type="application/feed+json"]',
  );
  return link?.getAttribute("href") ?? null;
}

interface Nested {
  firstElementChild: Nested | null;
  nextElementSibling: Nested | null;
  parentElement: Nested | null;
}

/** Walks without recursion, for the depth is the sender's choice. */
function isDeeperThan(root: Nested, limit: number): boolean {
  let depth = 0;
  let node: Nested | null = root;
  while (node) {
    if (node.firstElementChild) {
      if (++depth > limit) return true;
      node = node.firstElementChild;
      continue;
    }
    while (node && node !== root && !node.nextElementSibling) {
      node = node.parentElement;
      depth--;
    }
    node = node === root ? null : node?.nextElementSibling ?? null;
  }
  return false;
}

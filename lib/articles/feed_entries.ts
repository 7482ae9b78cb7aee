import { type AnyFeed, type AtomFeed, parseFeed, parseJsonFeed } from "feedsmith";
import { htmlToText, looseTextToText } from "./html_to_text.ts";

/** One entry of a feed of any format, boiled down. Texts are plain; links are as the feed wrote them. */
export interface FeedEntry {
  id: string | null;
  link: string | null;
  title: string;
  /** The article as far as the feed carries it: its content, or else its description. */
  text: string;
  published: string | undefined;
  language: string | undefined;
}

export interface FeedDocument {
  /** What relative links stand against when the feed says so; may be relative itself. */
  base: string | null;
  language: string | undefined;
  /** One function an entry, null for one that is empty or no entry: the text is made when it is asked for. */
  entries: ((() => FeedEntry) | null)[];
}

type FeedOf<Format extends AnyFeed["format"]> = Extract<AnyFeed, { format: Format }>["feed"];

/** Reads RSS, Atom, RDF or JSON Feed. Throws feedsmith's `DetectError` or `MalformedError` for other input. */
export function parseFeedDocument(text: string): FeedDocument {
  const parsed = parseFeed(text);
  switch (parsed.format) {
    case "rss":
      return withEmptyEntries(fromRss(parsed.feed), text);
    case "atom":
      return withEmptyEntries(fromAtom(parsed.feed), text);
    case "rdf":
      return withEmptyEntries(fromRdf(parsed.feed), text);
    case "json":
      return fromJson(text, parsed.feed);
  }
}

function fromRss(feed: FeedOf<"rss">): FeedDocument {
  return {
    base: feed.xml?.base ?? feed.link ?? null,
    language: feed.language ?? feed.dc?.languages?.[0],
    entries: (feed.items ?? []).map((item) => () => ({
      id: item.guid?.value ?? null,
      // A guid is an address unless it says it is none.
      link: item.link ?? (item.guid?.isPermaLink === false ? null : item.guid?.value) ?? null,
      title: looseTextToText(item.title ?? ""),
      text: preferContent(item.content?.encoded, item.description),
      published: item.pubDate ?? item.dc?.dates?.[0],
      language: item.dc?.languages?.[0],
    })),
  };
}

function fromRdf(feed: FeedOf<"rdf">): FeedDocument {
  return {
    base: feed.link ?? null,
    language: feed.dc?.languages?.[0],
    entries: (feed.items ?? []).map((item) => () => ({
      id: item.rdf?.about ?? null,
      link: item.link ?? item.rdf?.about ?? null,
      title: looseTextToText(item.title ?? ""),
      text: preferContent(item.content?.encoded, item.description),
      published: item.dc?.dates?.[0],
      language: item.dc?.languages?.[0],
    })),
  };
}

function fromAtom(feed: FeedOf<"atom">): FeedDocument {
  return {
    base: feed.xml?.base ?? feed.links?.find((link) => isPageLink(link.rel))?.href ?? null,
    language: feed.xml?.lang,
    entries: (feed.entries ?? []).map((entry) => () => {
      const content = atomText(entry.content);
      const summary = atomText(entry.summary);
      return {
        id: entry.id ?? null,
        link: entry.links?.find((link) => isPageLink(link.rel))?.href ?? null,
        title: atomText(entry.title),
        text: content.length >= summary.length ? content : summary,
        published: entry.published ?? entry.updated,
        language: entry.xml?.lang,
      };
    }),
  };
}

function isPageLink(rel: string | undefined): boolean {
  return rel === undefined || rel === "alternate";
}

function atomText(text: AtomFeed.Text | AtomFeed.Content | undefined): string {
  const value = text?.value ?? "";
  return text?.type === "html" || text?.type === "xhtml" ? htmlToText(value) : looseTextToText(value);
}

/** JSON Feed is read item by item: feedsmith drops what is no item without a word. */
function fromJson(text: string, feed: FeedOf<"json">): FeedDocument {
  const document = JSON.parse(text) as { items?: unknown };
  const items = Array.isArray(document.items) ? document.items : [];
  return {
    base: feed.home_page_url ?? null,
    language: feed.language,
    entries: items.map((raw: unknown) => {
      const item = parseJsonFeed({ ...document, items: [raw] }).items?.[0];
      if (!item) return null;
      return () => ({
        id: item.id ?? null,
        link: item.url ?? item.external_url ?? null,
        title: looseTextToText(item.title ?? ""),
        text: preferContent(item.content_html, item.content_text) || looseTextToText(item.summary ?? ""),
        published: item.date_published ?? item.date_modified,
        language: item.language,
      });
    }),
  };
}

/** The content, unless it says less than the description: some feeds put a lone picture into it. */
function preferContent(content: string | undefined, description: string | undefined): string {
  const full = content ? htmlToText(content) : "";
  const teaser = description ? looseTextToText(description) : "";
  return full.length >= teaser.length ? full : teaser;
}

const CDATA_OR_COMMENT = /<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->/g;
const ENTRY_START = /<(?:\w+:)?(?:item|entry)(?=[\s/>])/gi;

/** feedsmith drops entries without a single field; they are added as null so that every entry is accounted for. */
function withEmptyEntries(document: FeedDocument, xml: string): FeedDocument {
  const written = xml.replace(CDATA_OR_COMMENT, "").match(ENTRY_START)?.length ?? 0;
  const missing = Math.max(0, written - document.entries.length);
  return { ...document, entries: [...document.entries, ...new Array<null>(missing).fill(null)] };
}

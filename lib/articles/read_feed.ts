import { basename } from "node:path";
import { messageOf } from "../errors.ts";
import { brokenItem, buildItem, identify } from "./build_item.ts";
import { completeTeaser, isTeaser } from "./complete_teaser.ts";
import { decodeBytes } from "./decode_bytes.ts";
import { findFeedLink } from "./extract_article.ts";
import { type FeedDocument, type FeedEntry, parseFeedDocument } from "./feed_entries.ts";
import { fetchIfChanged } from "./fetch_if_changed.ts";
import { FEED } from "./fetch_page.ts";
import { IngestError } from "./ingest_error.ts";
import { MAX_FEED_BYTES } from "./limits.ts";
import { mapInOrder } from "./map_in_order.ts";
import { normalizeArticleUrl, resolveLink } from "./normalize_article_url.ts";
import type { ReadContext } from "./read_context.ts";
import type { IngestItem } from "./types.ts";

/** Pages behind teasers that are fetched at once: most lie on one server, which should not mind. */
const PAGES_AT_ONCE = 4;

interface FeedOrigin {
  source: string;
  /** Where the feed was fetched from; null for a file. */
  address: string | null;
}

/** Fetches a feed and reads its entries. The source is the feed's normalised address. */
export async function* readFeedUrl(address: string, context: ReadContext): AsyncGenerator<IngestItem> {
  const known = context.knownVersion ?? { etag: null, lastModified: null };
  const page = await fetchIfChanged(address, FEED, known, context);
  if (!page) return;
  context.onVersion?.(page.version);
  yield* readFeedText(
    page.text,
    { source: normalizeArticleUrl(address) ?? address, address: page.address },
    context,
  );
}

/** Reads a feed that lies in a file. The source is the file's base name. */
export async function* readFeedFile(path: string, context: ReadContext): AsyncGenerator<IngestItem> {
  const size = (await Deno.stat(path)).size;
  if (size > MAX_FEED_BYTES) {
    throw new IngestError(
      `Cannot read "${path}": wanted a feed of at most ${MAX_FEED_BYTES} bytes, got ${size}; split it.`,
    );
  }
  const text = decodeBytes(await Deno.readFile(path), null);
  yield* readFeedText(text, { source: basename(path), address: null }, context);
}

/** Reads the entries of a feed. Throws `IngestError` when the text is no feed. */
export async function* readFeedText(
  text: string,
  origin: FeedOrigin,
  context: ReadContext,
): AsyncGenerator<IngestItem> {
  const feed = parse(text, origin);
  yield* mapInOrder(feed.entries, PAGES_AT_ONCE, async (makeEntry, index) => {
    const place = `entry ${index + 1}`;
    if (!makeEntry) return brokenItem(place, "is empty or no feed entry");
    try {
      return await readEntry(makeEntry(), place, feed, origin, context);
    } catch (error) {
      context.signal?.throwIfAborted();
      return brokenItem(place, messageOf(error));
    }
  });
}

/** Whether a parsed JSON document is a JSON Feed. */
export function isJsonFeed(document: unknown): boolean {
  const version = (document as { version?: unknown } | null)?.version;
  return typeof version === "string" && version.includes("jsonfeed.org");
}

async function readEntry(
  entry: FeedEntry,
  place: string,
  feed: FeedDocument,
  origin: FeedOrigin,
  context: ReadContext,
): Promise<IngestItem> {
  const link = entry.link === null ? null : resolveLink(entry.link, baseOf(feed, origin));
  const raw = { source: origin.source, externalId: entry.id, link };
  const teaser = isTeaser(entry.text);
  const wantsPage = link !== null && teaser &&
    !(await context.hasLongerText?.(identify(raw), entry.text.length));
  const page = wantsPage ? await completeTeaser(entry.text, link, context) : null;
  const item = buildItem(
    {
      ...raw,
      title: entry.title || (page?.title ?? ""),
      body: page?.text ?? entry.text,
      language: entry.language ?? feed.language ?? page?.language,
      published: entry.published,
    },
    entry.title || entry.id || place,
    context.now,
  );
  return item.kind === "article" && teaser && !page ? { ...item, isTeaser: true } : item;
}

function baseOf(feed: FeedDocument, origin: FeedOrigin): string | null {
  return (feed.base === null ? null : resolveLink(feed.base, origin.address)) ?? origin.address;
}

function parse(text: string, origin: FeedOrigin): FeedDocument {
  try {
    return parseFeedDocument(text);
  } catch {
    const shown = origin.address ?? `"${origin.source}"`;
    const isPage = /<html[\s>]/i.test(text.slice(0, 2_000));
    const link = isPage ? findFeedLink(text) : null;
    const named = link === null ? null : resolveLink(link, origin.address);
    throw new IngestError(
      `Cannot read ${shown}: wanted a feed (RSS, Atom, RDF or JSON Feed), got ` +
        (isPage ? "a web page" : "something that does not parse as one") +
        (named ? `; the page names its feed: ${named}.` : "; check the address or the file."),
    );
  }
}

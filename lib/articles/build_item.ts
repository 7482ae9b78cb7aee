import { cleanLine, cleanText, cleanTitle, titleFromBody } from "./clean_text.ts";
import { detectLanguage, normalizeLanguage } from "./detect_language.ts";
import { MAX_ENTRY_SIZE, TOO_LARGE } from "./limits.ts";
import { normalizeArticleUrl } from "./normalize_article_url.ts";
import { parseDate } from "./parse_date.ts";
import { shortenKey } from "./shorten_key.ts";
import type { IngestItem } from "./types.ts";

/** By what an article is known when it comes again, in the form that is stored. */
export interface Identity {
  source: string;
  externalId: string | null;
  url: string | null;
}

/** What every format boils an entry down to. Text is plain already; everything else is as the source had it. */
export interface RawEntry {
  source: string;
  externalId: string | null;
  /** Address of the article as the source gave it, absolute. */
  link: string | null;
  title: string;
  body: string;
  language: unknown;
  published: unknown;
}

/**
 * Turns an entry into an article: cleans its text, reads its date, settles its language and address.
 * @param where Enough for a person to find the entry.
 * @param now Dates long after it are refused.
 */
export function buildItem(raw: RawEntry, where: string, now: Date): IngestItem {
  if (raw.body.length > MAX_ENTRY_SIZE) return brokenItem(where, TOO_LARGE);
  const body = cleanText(raw.body);
  const title = cleanTitle(raw.title) || titleFromBody(body);
  if (title === "") return brokenItem(where, "has neither a title nor text");
  const identity = identify(raw);
  // Without id, address and text there is nothing to know the entry by next time but its title.
  const isNameless = identity.externalId === null && identity.url === null && body === "";
  return {
    kind: "article",
    where: cleanTitle(where),
    article: {
      ...identity,
      ...(isNameless ? { externalId: shortenKey(`title:${title}`) } : {}),
      title,
      body,
      language: normalizeLanguage(raw.language) ?? detectLanguage(body),
      publishedAt: parseDate(raw.published, now),
    },
  };
}

/** The identity of an entry as `buildItem` stores it. */
export function identify(raw: Pick<RawEntry, "source" | "externalId" | "link">): Identity {
  const externalId = cleanLine(raw.externalId ?? "");
  return {
    source: shortenKey(cleanLine(raw.source)),
    externalId: externalId === "" ? null : shortenKey(externalId),
    url: raw.link === null ? null : normalizeArticleUrl(raw.link),
  };
}

/** An entry that cannot be taken in. `where` may be anything from a feed; it is cut to one readable line. */
export function brokenItem(where: string, reason: string): IngestItem {
  return { kind: "broken", broken: { where: cleanTitle(where) || "an entry without a name", reason } };
}

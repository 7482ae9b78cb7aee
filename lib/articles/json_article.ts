import { brokenItem, buildItem } from "./build_item.ts";
import { textField } from "./front_matter.ts";
import { htmlToText, looseTextToText } from "./html_to_text.ts";
import { MAX_ENTRY_SIZE, TOO_LARGE } from "./limits.ts";
import { isWebAddress } from "./normalize_article_url.ts";
import type { IngestItem } from "./types.ts";

/** The names under which exports hold the same thing; the first that is filled counts. */
const BODY_FIELDS = ["body", "text", "content", "content_text", "summary", "description"];
const HTML_FIELDS = ["content_html", "html", "body_html"];
const ID_FIELDS = ["external_id", "externalId", "id", "guid", "slug"];
const LINK_FIELDS = ["url", "link", "permalink"];
const DATE_FIELDS = [
  "published_at",
  "publishedAt",
  "date_published",
  "published",
  "pubDate",
  "date",
  "created_at",
];

/** Makes an article of one object of a JSON or JSONL file; anything but an object is a broken entry. */
export function jsonToItem(value: unknown, source: string, where: string, now: Date): IngestItem {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return brokenItem(where, `wanted an object, got ${nameOf(value)}`);
  }
  const fields = value as Record<string, unknown>;
  const html = textField(fields, ...HTML_FIELDS);
  const text = textField(fields, ...BODY_FIELDS);
  if (html.length + text.length > MAX_ENTRY_SIZE) return brokenItem(where, TOO_LARGE);
  const address = textField(fields, ...LINK_FIELDS);
  return buildItem(
    {
      source,
      externalId: textField(fields, ...ID_FIELDS) || null,
      link: isWebAddress(address) ? address : null,
      title: looseTextToText(textField(fields, "title", "headline")),
      body: (html && htmlToText(html)) || looseTextToText(text),
      language: textField(fields, "language", "lang"),
      published: DATE_FIELDS.map((name) => fields[name]).find((date) => date !== undefined && date !== null),
    },
    where,
    now,
  );
}

function nameOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

import { createHash } from "node:crypto";
import type { IncomingArticle } from "./types.ts";

/** An article with what is counted once on its way into the table. */
export interface ArticleRow {
  source: string;
  external_id: string | null;
  url: string | null;
  title: string;
  body: string;
  /** UTF-16 code units, as JavaScript's `length` counts everywhere in Nightdesk. */
  body_chars: number;
  /** UTF-8 bytes. */
  body_bytes: number;
  body_hash: string;
  language: string | null;
  /** ISO 8601. */
  published_at: string | null;
}

/** Fills in sizes and hash of an article's text. */
export function makeRow(article: IncomingArticle): ArticleRow {
  return {
    source: article.source,
    external_id: article.externalId,
    url: article.url,
    title: article.title,
    body: article.body,
    body_chars: article.body.length,
    body_bytes: new TextEncoder().encode(article.body).length,
    body_hash: hashBody(article.body),
    language: article.language,
    published_at: article.publishedAt?.toISOString() ?? null,
  };
}

/** SHA-256 in hex of a text without regard to case and white space: the same article set differently is equal. */
function hashBody(body: string): string {
  return createHash("sha256").update(body.replace(/\s+/g, " ").trim().toLowerCase()).digest("hex");
}

/** The keys by which a second delivery is recognised; those of two articles must not meet in one chunk. */
export function rowKeys(row: ArticleRow): string[] {
  const keys: string[] = [];
  if (row.external_id !== null) keys.push(JSON.stringify(["id", row.source, row.external_id]));
  if (row.url !== null) keys.push(JSON.stringify(["url", row.url]));
  if (row.body_chars > 0) keys.push(JSON.stringify(["body", row.body_hash]));
  return keys;
}

import type { Queryable } from "../database/port.ts";
import type { ArticleRow } from "./article_row.ts";

/**
 * One statement for a chunk. ON CONFLICT without a target covers all three identities, and with them the race
 * against another process that ingests the same feed: the later of the two inserts nothing.
 */
const INSERT = `
  WITH given AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS row(
      ordinal int, source text, external_id text, url text, title text, body text, body_chars int,
      body_bytes int, body_hash text, language text, published_at timestamptz)
  ), inserted AS (
    INSERT INTO articles (source, external_id, url, title, body, body_chars, body_bytes, body_hash, language,
      published_at)
    SELECT source, external_id, url, title, body, body_chars, body_bytes, body_hash, language, published_at
    FROM given ORDER BY ordinal
    ON CONFLICT DO NOTHING
    RETURNING source, external_id, url, body_hash, title
  )
  SELECT given.ordinal FROM given JOIN inserted
    ON  inserted.source = given.source
    AND inserted.external_id IS NOT DISTINCT FROM given.external_id
    AND inserted.url IS NOT DISTINCT FROM given.url
    AND inserted.body_hash = given.body_hash
    AND inserted.title = given.title`;

/**
 * Inserts the rows that are new and returns the positions of the others. No two rows may share an identity.
 * Throws the database's error, and then nothing has been inserted.
 */
export async function insertNewArticles(db: Queryable, rows: readonly ArticleRow[]): Promise<number[]> {
  const numbered = rows.map((row, ordinal) => ({ ordinal, ...row }));
  const { rows: inserted } = await db.query<{ ordinal: number }>(INSERT, [JSON.stringify(numbered)]);
  const isNew = new Set(inserted.map((row) => row.ordinal));
  return [...rows.keys()].filter((ordinal) => !isNew.has(ordinal));
}

import type { Queryable } from "../database/port.ts";
import type { ArticleRow } from "./article_row.ts";
import { sqlStateOf } from "./sql_state.ts";

/** Most known articles are unchanged; one question finds the others, so that only they cost an update each. */
const FIND = `
  SELECT ordinal FROM jsonb_to_recordset($1::jsonb)
    AS given(ordinal int, source text, external_id text, url text, body_hash text)
  WHERE EXISTS (SELECT FROM articles stored
      WHERE stored.source = given.source AND stored.external_id = given.external_id
        AND stored.body_hash <> given.body_hash AND stored.analyzed_at IS NULL)
    OR EXISTS (SELECT FROM articles stored
      WHERE stored.url = given.url AND stored.body_hash <> given.body_hash AND stored.analyzed_at IS NULL)
  ORDER BY ordinal`;

/** The positions of those rows whose article is stored with another text that may still change. */
export async function findChangedArticles(db: Queryable, rows: readonly ArticleRow[]): Promise<number[]> {
  if (rows.length === 0) return [];
  const keys = rows.map(({ source, external_id, url, body_hash }, ordinal) => {
    return { ordinal, source, external_id, url, body_hash };
  });
  const found = await db.query<{ ordinal: number }>(FIND, [JSON.stringify(keys)]);
  return found.rows.map(({ ordinal }) => ordinal);
}

/**
 * Finds the stored article by its source's id, else by its address, and replaces the text when that changed.
 * Left alone are: an analysed article, because its analysis quotes the text; one in a live session, because its hold
 * was made for the old text; one whose new text another article already has; and one that would get a teaser ($9) in place of a longer text, because its page was not fetched
 * this time.
 */
const UPDATE = `
  UPDATE articles SET title = $4, body = $5, body_chars = $6, body_bytes = $7, body_hash = $8,
    given_up = NULL, updated_at = now()
  WHERE id = (
      SELECT id FROM articles WHERE (source = $1 AND external_id = $2) OR url = $3
      ORDER BY (source = $1 AND external_id = $2) DESC NULLS LAST, id
      LIMIT 1)
    AND analyzed_at IS NULL
    AND body_hash <> $8
    AND NOT EXISTS (SELECT FROM batch_processing_items i
      WHERE i.article_id = articles.id AND i.status IN ('PENDING', 'PROCESSING'))
    AND (NOT $9::boolean OR $6 > body_chars)
    AND NOT EXISTS (SELECT FROM articles other WHERE other.body_hash = $8 AND other.body_chars > 0)`;

const UNIQUE_VIOLATION = "23505";

/** Takes over the changed text of a stored article. Returns whether there was one to take over. */
export async function updateChangedArticle(
  db: Queryable,
  row: ArticleRow,
  isTeaser: boolean,
): Promise<boolean> {
  // A delivery without text is a source that broke, not an article that was emptied.
  if (row.body_chars === 0) return false;
  try {
    const { rowCount } = await db.query(UPDATE, [
      row.source,
      row.external_id,
      row.url,
      row.title,
      row.body,
      row.body_chars,
      row.body_bytes,
      row.body_hash,
      isTeaser,
    ]);
    return rowCount > 0;
  } catch (error) {
    // Another process stored the same text between the check and the update.
    if (sqlStateOf(error) === UNIQUE_VIOLATION) return false;
    throw error;
  }
}

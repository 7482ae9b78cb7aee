import type { Queryable } from "../database/port.ts";
import type { ArticleRow } from "./article_row.ts";
import { sqlStateOf } from "./sql_state.ts";

/**
 * Finds the stored article by its source's id, else by its address, and replaces the text when that changed.
 * Left alone are: an analysed article, because its analysis quotes the text; one whose new text another article
 * already has; and one that would lose more than half of its text, because that is a teaser standing in for a
 * page that could not be fetched this time.
 */
const UPDATE = `
  UPDATE articles SET title = $4, body = $5, body_chars = $6, body_bytes = $7, body_hash = $8, updated_at = now()
  WHERE id = (
      SELECT id FROM articles WHERE (source = $1 AND external_id = $2) OR url = $3
      ORDER BY (source = $1 AND external_id = $2) DESC NULLS LAST, id
      LIMIT 1)
    AND analyzed_at IS NULL
    AND body_hash <> $8
    AND $6 * 2 >= body_chars
    AND NOT EXISTS (SELECT FROM articles other WHERE other.body_hash = $8 AND other.body_chars > 0)`;

const UNIQUE_VIOLATION = "23505";

/** Takes over the changed text of a stored article. Returns whether there was one to take over. */
export async function updateChangedArticle(db: Queryable, row: ArticleRow): Promise<boolean> {
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
    ]);
    return rowCount > 0;
  } catch (error) {
    // Another process stored the same text between the check and the update.
    if (sqlStateOf(error) === UNIQUE_VIOLATION) return false;
    throw error;
  }
}

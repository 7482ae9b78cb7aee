/** Takes back that articles were given up, because a person says that the provider takes them now. */
import type { Queryable } from "../database/port.ts";

/*
 * A new session finds them again, and so does a recovery of the sessions that they failed in. Told of each article once,
 * and of each of its items in the trail of that session.
 */
const TRY_AGAIN = `
WITH freed AS MATERIALIZED (
  SELECT id, given_up FROM articles
  WHERE given_up IS NOT NULL AND analyzed_at IS NULL AND ($1::bigint[] IS NULL OR id = ANY ($1))
  ORDER BY id
  FOR UPDATE
),
articles_freed AS (UPDATE articles a SET given_up = NULL FROM freed f WHERE a.id = f.id),
items AS (
  UPDATE batch_processing_items i SET permanent = false FROM freed f
  WHERE i.article_id = f.id AND i.status = 'FAILED' AND i.permanent
  RETURNING i.session_id, i.batch_id, i.item_id
),
told AS (
  INSERT INTO session_events (session_id, batch_id, item_id, actor, action, detail)
  SELECT NULL, NULL, NULL, $2, 'article_freed', jsonb_build_object('article', id, 'given_up', given_up) FROM freed
  UNION ALL
  SELECT session_id, batch_id, item_id, $2, 'item_freed', NULL FROM items
)
SELECT id FROM freed ORDER BY id`;

/**
 * Returns the articles that were given up and are not any more.
 * @param articleIds Null: every one.
 */
export async function tryAgain(
  db: Queryable,
  articleIds: readonly number[] | null,
  actor: string,
): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>(TRY_AGAIN, [articleIds, actor]);
  return rows.map(({ id }) => id);
}

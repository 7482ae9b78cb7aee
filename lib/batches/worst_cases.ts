/** Brings the worst cases of an ended session up to date: texts, prompts and prices move, holds are made from them. */
import type { Queryable } from "../database/port.ts";
import type { Micros } from "../money.ts";

/**
 * Needs the session's lock.
 * @param worstCaseOf The most that an analysis of a text of so many UTF-8 bytes can cost now.
 */
export async function renewWorstCases(
  tx: Queryable,
  sessionId: string,
  worstCaseOf: (textBytes: number) => Micros,
): Promise<void> {
  const { rows } = await tx.query<{ item_id: number; text_bytes: number; worst_case: Micros }>(
    `SELECT i.item_id, a.text_bytes, i.worst_case
     FROM batch_processing_items i JOIN articles a ON a.id = i.article_id
     WHERE i.session_id = $1 AND i.status IN ('FAILED', 'SKIPPED')`,
    [sessionId],
  );
  const changed = rows
    .map(({ item_id, text_bytes, worst_case }) => ({ item_id, worst_case, renewed: worstCaseOf(text_bytes) }))
    .filter(({ worst_case, renewed }) => renewed !== worst_case);
  if (changed.length === 0) return;
  await tx.query(
    `UPDATE batch_processing_items i SET worst_case = n.worst_case
     FROM unnest($1::bigint[], $2::bigint[]) AS n (item_id, worst_case)
     WHERE i.item_id = n.item_id`,
    [changed.map(({ item_id }) => item_id), changed.map(({ renewed }) => renewed)],
  );
}

/** Figures about a session that cost more to read than its progress: for monitoring, not for every look. */
import { countQuotes } from "../alerts/count_quotes.ts";
import type { Queryable } from "../database/port.ts";

/** Analyses, newest first, over which the signal strength is averaged: all of them in an ordinary session. */
const STRENGTH_SAMPLE = 1_000;

export interface Health {
  /** Mean signal strength of the newest analyses, 0..1; null before the first one. */
  meanSignalStrength: number | null;
  /** Evidence quotes of the newest analyses that stand in their article, and those that were dropped. */
  quotesKept: number;
  quotesDropped: number;
}

export async function readHealth(db: Queryable, sessionId: string): Promise<Health> {
  const { rows: [row] } = await db.query<{ strength: number | null; kept: number; dropped: number }>(
    `SELECT quotes.*, (SELECT avg(signal_strength) FROM (SELECT signal_strength FROM article_analyses
       WHERE session_id = $1 ORDER BY analysis_id DESC LIMIT $2) newest) AS strength
     FROM (${countQuotes("$1")}) quotes`,
    [sessionId, STRENGTH_SAMPLE],
  );
  return { meanSignalStrength: row.strength, quotesKept: row.kept, quotesDropped: row.dropped };
}

/** Rows that nobody needs any more. The ledger and the audit trail are not among them: they are kept for good. */
import type { Queryable } from "../database/port.ts";

interface OldRows {
  table: string;
  /** SQL: the time from which the row's age counts; null: it is kept. */
  age: string;
  /** A PostgreSQL interval. */
  keep: string;
}

/** Every table that is cleaned, and how long its rows are kept. */
const OLD_ROWS: readonly OldRows[] = [
  { table: "workers", age: "seen_at", keep: "1 hour" },
  // Deliveries go with their alert. What lasts stays until it is over.
  { table: "alerts", age: "CASE WHEN lasting THEN resolved_at ELSE created_at END", keep: "90 days" },
  { table: "alert_mutes", age: "least(until, ended_at)", keep: "90 days" },
  // A bot forgets its own sooner; these are of a bot that is gone, or was off.
  { table: "telegram_updates", age: "coalesce(handled_at, received_at)", keep: "7 days" },
  // Of sessions that ended long ago: most were closed then, some belong to a chat that is gone.
  {
    table: "telegram_progress",
    age:
      "(SELECT finished_at FROM batch_processing_sessions s WHERE s.session_id = telegram_progress.session_id)",
    keep: "30 days",
  },
  // Longer than anybody repeats a wish; what came of it stands in the audit trail.
  { table: "recovery_requests", age: "created_at", keep: "30 days" },
  // What was answered yes stands in the audit trail.
  { table: "telegram_confirmations", age: "expires_at", keep: "30 days" },
];

/** Rows a statement: no delete holds up others for long. */
const CHUNK = 5_000;

/** How many rows went, by table; tables that lost none are left out. */
export async function deleteOldRows(db: Queryable, now: Date | null = null): Promise<Record<string, number>> {
  const deleted: Record<string, number> = {};
  for (const { table, age, keep } of OLD_ROWS) {
    for (let gone = CHUNK; gone === CHUNK;) {
      ({ rowCount: gone } = await db.query(
        `DELETE FROM ${table} WHERE ctid IN (
           SELECT ctid FROM ${table} WHERE ${age} < coalesce($1::timestamptz, now()) - $2::interval LIMIT $3)`,
        [now, keep, CHUNK],
      ));
      if (gone > 0) deleted[table] = (deleted[table] ?? 0) + gone;
    }
  }
  return deleted;
}

/**
 * The rows of telegram_progress: which chat watches which run of a session, and how far its message is. A row is
 * claimed by pushing its `next_at` on, so that of several processes one edits a message. Rows belong to a bot: the service
 * and a chat in a terminal share a database, but neither can edit what the other sent.
 */
import type { Database, Queryable } from "../../lib/database/port.ts";
import type { Place } from "../speak.ts";

export type ProgressState = "new" | "sending" | "live" | "lost" | "closing" | "closed";

export interface ProgressRow {
  progress_id: number;
  session_id: string;
  number: number;
  chat_id: number;
  thread_id: number;
  message_id: number | null;
  state: ProgressState;
  shown: string | null;
  tries: number;
  /** The session has ended. */
  ended: boolean;
}

/** A claimed row belongs to the process that claimed it for this long; a call to Telegram takes 20 s at most. */
const CLAIM_SECONDS = 45;
const ROWS_AT_ONCE = 20;

/** How often it was begun again after an end. The partial index session_events_reopened is made for this. */
const RUN = `(SELECT count(*)::integer FROM session_events e WHERE e.session_id = s.session_id
  AND e.batch_id IS NULL AND e.item_id IS NULL AND e.from_state IN ('COMPLETED', 'PARTIAL', 'FAILED', 'CANCELLED'))`;

/**
 * Makes the place watch the session's present run. With a message of its own (a question that was answered, a status
 * that was asked for) that one is edited from now on, and an older one is left as it is.
 * @param inMs When it is shown for the first time.
 * @returns the id of the message that was edited before; null: none.
 */
export async function watchSession(
  db: Queryable,
  botId: number,
  sessionId: string,
  place: Place,
  message: number | null,
  inMs: number,
): Promise<number | null> {
  const { rows: [row] } = await db.query<{ before: number | null }>(
    `WITH was AS (
       SELECT p.message_id FROM telegram_progress p JOIN batch_processing_sessions s USING (session_id)
       WHERE p.session_id = $1 AND p.bot_id = $5 AND p.chat_id = $2 AND p.thread_id = $3 AND p.run = ${RUN}
     )
     INSERT INTO telegram_progress AS p (session_id, run, bot_id, chat_id, thread_id, message_id, state, next_at)
     SELECT s.session_id, ${RUN}, $5, $2, $3, $4::bigint, CASE WHEN $4::bigint IS NULL THEN 'new' ELSE 'live' END,
       now() + $6 * interval '1 ms'
     FROM batch_processing_sessions s WHERE s.session_id = $1
     ON CONFLICT (session_id, run, bot_id, chat_id, thread_id) DO UPDATE
       SET message_id = coalesce(excluded.message_id, p.message_id), next_at = excluded.next_at, shown = NULL, tries = 0,
         state = CASE WHEN excluded.message_id IS NULL THEN p.state ELSE 'live' END
     RETURNING (SELECT message_id FROM was) AS before`,
    [sessionId, place.chat, place.thread ?? 0, message, botId, inMs],
  );
  return row?.before ?? null;
}

/**
 * Live sessions that nobody watches are watched by these places, so that a session which a cron, the page or a terminal
 * started is seen too. Sessions that ended a moment ago count: short ones are over before anybody looks.
 */
export async function adoptSessions(db: Queryable, botId: number, places: readonly Place[]): Promise<void> {
  await db.query(
    `INSERT INTO telegram_progress (session_id, run, bot_id, chat_id, thread_id)
     SELECT s.session_id, ${RUN}, $3, p.chat_id, p.thread_id
     FROM batch_processing_sessions s, unnest($1::bigint[], $2::bigint[]) AS p (chat_id, thread_id)
     WHERE (s.status IN ('INITIATED', 'PROCESSING', 'PAUSED') OR s.finished_at > now() - interval '30 seconds')
       AND NOT EXISTS (SELECT FROM telegram_progress t WHERE t.session_id = s.session_id AND t.bot_id = $3 AND t.run = ${RUN})
     ON CONFLICT DO NOTHING`,
    [places.map(({ chat }) => chat), places.map(({ thread }) => thread ?? 0), botId],
  );
}

/**
 * Rows that are due, for this process alone. One that is to be sent becomes `sending` in the same statement, so that no
 * crash lets it be sent twice; `state` is what it was before.
 */
export async function claimDue(db: Database, botId: number): Promise<ProgressRow[]> {
  const { rows } = await db.query<ProgressRow>(
    `UPDATE telegram_progress p
     SET next_at = now() + $1 * interval '1 s', state = CASE WHEN d.state = 'new' THEN 'sending' ELSE d.state END
     FROM (
       SELECT t.progress_id, t.state, s.number, s.finished_at IS NOT NULL AS ended
       FROM telegram_progress t JOIN batch_processing_sessions s USING (session_id)
       WHERE t.bot_id = $3 AND t.next_at <= now() AND t.state <> 'closed' AND (t.state <> 'lost' OR s.finished_at IS NOT NULL)
       ORDER BY t.next_at LIMIT $2 FOR UPDATE OF t SKIP LOCKED
     ) d
     WHERE p.progress_id = d.progress_id
     RETURNING p.progress_id, p.session_id, d.number, p.chat_id, p.thread_id, p.message_id, d.state, p.shown, p.tries,
       d.ended`,
    [CLAIM_SECONDS, ROWS_AT_ONCE, botId],
  );
  return rows;
}

export interface RowChange {
  state?: ProgressState;
  message?: number;
  shown?: string;
  edited?: boolean;
  /** When it is looked at again, ms from now. */
  againInMs: number;
  /** Null: it went well. */
  error?: string | null;
}

/**
 * Writes down what became of a claimed row. A message that took its place meanwhile (a status that was asked for) stays:
 * then only the old message's outcome is forgotten.
 */
export async function updateRow(db: Queryable, row: ProgressRow, change: RowChange): Promise<void> {
  await db.query(
    `UPDATE telegram_progress SET state = coalesce($3, state), message_id = coalesce($4, message_id),
       shown = coalesce($5, shown), edited_at = CASE WHEN $6 THEN now() ELSE edited_at END,
       next_at = now() + $7 * interval '1 ms', error = $8, tries = CASE WHEN $8::text IS NULL THEN 0 ELSE tries + 1 END
     WHERE progress_id = $1 AND message_id IS NOT DISTINCT FROM $2`,
    [
      row.progress_id,
      row.message_id,
      change.state ?? null,
      change.message ?? null,
      change.shown ?? null,
      change.edited ?? false,
      change.againInMs,
      change.error ?? null,
    ],
  );
}

/** Somebody changed the session: its messages are due as soon as the pause between edits allows. */
export async function hurrySession(db: Queryable, sessionId: string, pauseMs: number): Promise<void> {
  await db.query(
    `UPDATE telegram_progress SET next_at = least(next_at, coalesce(edited_at + $2 * interval '1 ms', now()))
     WHERE session_id = $1 AND state IN ('new', 'live')`,
    [sessionId, pauseMs],
  );
}

/** A button was pressed on a message whose arrival was in doubt: it is there, and goes on being edited. */
export async function findMessage(
  db: Queryable,
  botId: number,
  sessionId: string,
  place: Place,
  message: number,
): Promise<void> {
  await db.query(
    `UPDATE telegram_progress SET state = 'live', message_id = $4, next_at = now()
     WHERE session_id = $1 AND bot_id = $5 AND chat_id = $2 AND thread_id = $3 AND state = 'lost' AND message_id IS NULL`,
    [sessionId, place.chat, place.thread ?? 0, message, botId],
  );
}

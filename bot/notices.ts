/**
 * Which message told of which alert, so that what follows soon is added to it and answers point at it. A row is written
 * before the call to Telegram and completed after it: what a lost answer or a crash leaves open is told again, and says
 * that it may be a repeat.
 *
 *     (none) -> begun -> told
 *         ^------'  surely not told
 */
import { type Alert, ALERT_COLUMNS } from "../lib/alerts/types.ts";
import type { Database, Queryable } from "../lib/database/port.ts";

export type NoticeKind = "raised" | "resolved";

/** Alerts of one group share a message while it is this young, s. */
const GROUP_SECONDS = 120;
/** More than this in one message is no longer read. */
const GROUP_SIZE = 6;

export interface NewNotice {
  alert: Alert;
  notice: NoticeKind;
  sink: string;
  chat: number;
  /** Null: one of its own, which has no id yet. */
  message: number | null;
  loudness: number;
}

/** What stands together: the alerts of one session, and those of the desk. */
export function groupOf({ number }: Alert): string {
  return number === null ? "desk" : String(number);
}

/** It is about to be told; what was told before stays told. */
export async function beginNotice(db: Queryable, notice: NewNotice): Promise<void> {
  await writeNotice(db, notice, false);
}

export async function recordNotice(db: Queryable, notice: NewNotice & { message: number }): Promise<void> {
  await writeNotice(db, notice, true);
}

async function writeNotice(
  db: Queryable,
  { alert, notice, sink, chat, message, loudness }: NewNotice,
  told: boolean,
): Promise<void> {
  await db.query(
    `INSERT INTO telegram_notices AS n (alert_id, notice, sink, chat_id, message_id, alert_group, loudness, told)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (alert_id, notice, sink) DO UPDATE
       SET chat_id = excluded.chat_id, message_id = excluded.message_id, sent_at = now(), told = excluded.told
       WHERE NOT n.told`,
    [alert.alert_id, notice, sink, chat, message, groupOf(alert), loudness, told],
  );
}

/** It was surely not told: the next try is the first. */
export async function forgetNotice(
  db: Queryable,
  { alert, notice, sink }: Pick<NewNotice, "alert" | "notice" | "sink">,
): Promise<void> {
  await db.query(
    "DELETE FROM telegram_notices WHERE alert_id = $1 AND notice = $2 AND sink = $3 AND NOT told",
    [alert.alert_id, notice, sink],
  );
}

export interface Attempt {
  message_id: number | null;
  told: boolean;
}

/** What was begun to tell of it here, and whether that is known to have arrived; null: nothing. */
export async function findAttempt(
  db: Queryable,
  { alert, notice, sink }: Pick<NewNotice, "alert" | "notice" | "sink">,
): Promise<Attempt | null> {
  const { rows: [row] } = await db.query<Attempt>(
    "SELECT message_id, told FROM telegram_notices WHERE alert_id = $1 AND notice = $2 AND sink = $3",
    [alert.alert_id, notice, sink],
  );
  return row ?? null;
}

/** The message that told of it here; null: none did. */
export async function findNotice(
  db: Queryable,
  alertId: number,
  notice: NoticeKind,
  sink: string,
): Promise<{ chat_id: number; message_id: number } | null> {
  const { rows: [row] } = await db.query<{ chat_id: number; message_id: number }>(
    "SELECT chat_id, message_id FROM telegram_notices WHERE alert_id = $1 AND notice = $2 AND sink = $3 AND told",
    [alertId, notice, sink],
  );
  return row ?? null;
}

/** A young message of the same group that rang at least as loudly, and has room. */
export async function findGroupMessage(
  db: Queryable,
  { alert, notice, sink, loudness }: Omit<NewNotice, "chat" | "message">,
): Promise<number | null> {
  const { rows: [row] } = await db.query<{ message_id: number }>(
    `SELECT message_id FROM telegram_notices
     WHERE sink = $1 AND notice = $2 AND alert_group = $3 AND told
     GROUP BY message_id
     HAVING max(sent_at) > now() - $4 * interval '1 s' AND max(loudness) >= $5 AND count(*) < $6
     ORDER BY message_id DESC LIMIT 1`,
    [sink, notice, groupOf(alert), GROUP_SECONDS, loudness, GROUP_SIZE],
  );
  return row?.message_id ?? null;
}

/** The alerts that a message tells of, as they are now, oldest first. */
export async function listAlertsOf(
  db: Database,
  chat: number,
  message: number,
  notice: NoticeKind = "raised",
): Promise<Alert[]> {
  const { rows } = await db.query<Alert>(
    `SELECT ${ALERT_COLUMNS} FROM telegram_notices n JOIN alerts a USING (alert_id)
     LEFT JOIN batch_processing_sessions s USING (session_id)
     WHERE n.chat_id = $1 AND n.message_id = $2 AND n.notice = $3 AND n.told ORDER BY a.alert_id`,
    [chat, message, notice],
  );
  return rows;
}

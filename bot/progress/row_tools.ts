/** What the steps of a progress message share. */
import type { Api } from "grammy";
import type { Database } from "../../lib/database/port.ts";
import type { Desk } from "../../lib/desk.ts";
import type { Log } from "../../lib/log.ts";
import type { CallFailure } from "../call_outcome.ts";
import type { Place } from "../speak.ts";
import type { ProgressRow } from "./rows.ts";

export interface RowTools {
  db: Database;
  desk: Pick<Desk, "progress" | "session">;
  api: Api;
  log: Log;
  now: () => Date;
  zone: string;
  /** Chats that are told of a session's end by an alert. */
  alertPlaces: readonly Place[];
}

/** The least time between two edits of a message, ms. */
export const EDIT_PAUSE_MS = 5_000;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 300_000;

/** When a call that failed so is made again. */
export function retry(row: ProgressRow, failure: CallFailure): { againInMs: number; error: string } {
  const againInMs = failure.kind === "later"
    ? failure.retryAfterMs
    : Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(row.tries, 10));
  return { againInMs, error: failure.error };
}

export function placeOf(row: ProgressRow): Place {
  return { chat: row.chat_id, thread: row.thread_id === 0 ? null : row.thread_id };
}

/**
 * Updates on their way to their handlers, the same way for polling, webhook and terminal: written down first, so that
 * Telegram need not send them again and a crash loses none; each handled once, in order within a chat, and chats beside
 * each other, so that one slow answer keeps nobody else waiting.
 *
 * An update whose handler died with the process is handled once more. That is safe because nothing here spends by being
 * repeated: starts carry a key, questions are answered once (confirmations.ts), pausing twice is pausing.
 */
import type { Update } from "grammy/types";
import pLimit from "p-limit";
import type { Database } from "../lib/database/port.ts";
import { messageOf } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";

/** A process that has not renewed it for so long is gone; another one may try, s. */
const LEASE_SECONDS = 60;
/** Tries before an update is put aside: it may be what brings the process down. */
const MAX_TRIES = 3;
/** Chats that are served at the same time. */
const CHATS_AT_ONCE = 8;
/** Telegram keeps updates for a day, so repeats come within that; h. */
const REMEMBER_HOURS = 48;

export interface Inbox {
  /**
   * Writes the updates down and begins to handle those that are new. Resolves when they are written: from then on
   * Telegram need not send them again. Rejects when the database is away: then they are not taken.
   */
  take(updates: readonly Update[]): Promise<void>;
  /** Begins to handle what a former process left, and forgets what is old. */
  sweep(): Promise<void>;
  /** How many nobody has handled yet. */
  waiting(): Promise<number>;
  /** Resolves when nothing is left to handle here. */
  idle(): Promise<void>;
  /** Begins nothing new; resolves when what was begun is done. The rest waits for the next process. */
  stop(): Promise<void>;
  /** Whether this update was begun before by a process that did not finish it. */
  isRetried(update: Update): boolean;
}

export interface InboxOptions {
  db: Database;
  log: Log;
  botId: number;
  /** Nothing is handled before. False: nothing will be handled here. */
  ready: Promise<boolean>;
  /** Never rejects for what a person did; a rejection is a defect, or the database went away. */
  handle: (update: Update) => Promise<void>;
  /** Handlers that end after it was aborted were cut short: the next process handles their updates again. */
  cut?: AbortSignal;
  /** For tests. @default 60 s */
  leaseMs?: number;
}

export function createInbox(
  { db, log, botId, ready, handle, cut, leaseMs = LEASE_SECONDS * 1_000 }: InboxOptions,
): Inbox {
  const lanes = new Map<string, Promise<unknown>>();
  let stopped = false;
  const retried = new WeakSet<Update>();
  const gate = pLimit(CHATS_AT_ONCE);
  /** Waiting for their turn here. */
  const queued = new Set<number>();

  /** Puts it behind what is under way in its chat. */
  const line = (lane: string, updateId: number) => {
    if (queued.has(updateId)) return;
    queued.add(updateId);
    const before = lanes.get(lane) ?? ready;
    const turn = before.then(() => gate(() => work(updateId))).catch((error) =>
      log("error", { update: updateId, error: messageOf(error) }, "could not handle an update")
    );
    lanes.set(lane, turn);
    void turn.then(() => {
      queued.delete(updateId);
      if (lanes.get(lane) === turn) lanes.delete(lane);
    });
  };

  const work = async (updateId: number) => {
    if (stopped || !await ready) return;
    const claimed = await claim(db, botId, updateId, leaseMs);
    if (!claimed) return;
    const { body, tries } = claimed;
    if (tries > 1) retried.add(body);
    const beat = setInterval(() => {
      renew(db, botId, updateId, tries, leaseMs).catch(() => {});
    }, leaseMs / 3);
    try {
      await handle(body);
      if (cut?.aborted) await giveBack(db, botId, updateId, tries);
      else await finish(db, botId, updateId, null);
    } catch (error) {
      const put_aside = tries >= MAX_TRIES;
      log(
        "error",
        { update: updateId, tries, put_aside, error: messageOf(error) },
        "an update's handler failed",
      );
      if (put_aside) await finish(db, botId, updateId, messageOf(error));
    } finally {
      clearInterval(beat);
    }
  };

  const idle = async () => {
    while (lanes.size > 0) await Promise.all(lanes.values());
  };

  return {
    async take(updates) {
      if (updates.length === 0) return;
      const { rows } = await db.query<{ update_id: number }>(
        `INSERT INTO telegram_updates (bot_id, update_id, body)
         SELECT $1, (u ->> 'update_id')::bigint, u FROM jsonb_array_elements($2::jsonb) AS u
         ON CONFLICT DO NOTHING RETURNING update_id`,
        [botId, JSON.stringify(updates, storable)],
      );
      const fresh = new Set(rows.map((row) => row.update_id));
      for (const update of updates) {
        if (fresh.delete(update.update_id)) line(laneOf(update), update.update_id);
      }
    },
    async sweep() {
      const { rows } = await db.query<{ update_id: number; body: Update }>(
        `SELECT update_id, body FROM telegram_updates
         WHERE bot_id = $1 AND handled_at IS NULL AND (lease_until IS NULL OR lease_until < now())
         ORDER BY update_id LIMIT 200`,
        [botId],
      );
      for (const { update_id, body } of rows) line(laneOf(body), update_id);
      await db.query(
        "DELETE FROM telegram_updates WHERE handled_at < now() - $1 * interval '1 hour'",
        [REMEMBER_HOURS],
      );
    },
    async waiting() {
      const { rows: [{ waiting }] } = await db.query<{ waiting: number }>(
        "SELECT count(*) AS waiting FROM telegram_updates WHERE bot_id = $1 AND handled_at IS NULL",
        [botId],
      );
      return waiting;
    },
    idle,
    async stop() {
      stopped = true;
      await idle();
    },
    isRetried: (update) => retried.has(update),
  };
}

/** Null when it is handled, or being handled by somebody. */
async function claim(
  db: Database,
  botId: number,
  updateId: number,
  leaseMs: number,
): Promise<{ body: Update; tries: number } | null> {
  const { rows: [row] } = await db.query<{ body: Update; tries: number }>(
    `UPDATE telegram_updates SET tries = tries + 1, lease_until = now() + $3 * interval '1 ms'
     WHERE bot_id = $1 AND update_id = $2 AND handled_at IS NULL AND (lease_until IS NULL OR lease_until < now())
     RETURNING body, tries`,
    [botId, updateId, leaseMs],
  );
  return row ?? null;
}

/** Long texts to a slow Telegram may take longer than a lease. `tries` tells our claim from a later one. */
async function renew(
  db: Database,
  botId: number,
  updateId: number,
  tries: number,
  leaseMs: number,
): Promise<void> {
  await db.query(
    `UPDATE telegram_updates SET lease_until = now() + $4 * interval '1 ms'
     WHERE bot_id = $1 AND update_id = $2 AND handled_at IS NULL AND tries = $3`,
    [botId, updateId, tries, leaseMs],
  );
}

/** For whoever comes next, at once. */
async function giveBack(db: Database, botId: number, updateId: number, tries: number): Promise<void> {
  await db.query(
    `UPDATE telegram_updates SET lease_until = NULL
     WHERE bot_id = $1 AND update_id = $2 AND handled_at IS NULL AND tries = $3`,
    [botId, updateId, tries],
  );
}

async function finish(db: Database, botId: number, updateId: number, error: string | null): Promise<void> {
  await db.query(
    `UPDATE telegram_updates SET handled_at = now(), lease_until = NULL, body = NULL, error = $3
     WHERE bot_id = $1 AND update_id = $2`,
    [botId, updateId, error],
  );
}

function laneOf({ message, callback_query: press, update_id }: Update): string {
  return String(message?.chat.id ?? press?.message?.chat.id ?? `update ${update_id}`);
}

/** Postgres takes neither NUL nor half a surrogate pair, and one such text must not hold up all the others. */
function storable(_key: string, value: unknown): unknown {
  return typeof value === "string" ? value.replaceAll("\0", "").toWellFormed() : value;
}

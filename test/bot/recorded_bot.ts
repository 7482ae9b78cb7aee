/** The bot with a Bot API inside the process that takes every call and writes it down. */
import type { Transformer } from "grammy";
import type { Update, UserFromGetMe } from "grammy/types";
import { createBot, type DeskBot } from "../../bot/create_bot.ts";
import type { Pictures } from "../../bot/pictures.ts";
import { readConfig } from "../../lib/config.ts";
import type { Database } from "../../lib/database/port.ts";
import type { Desk } from "../../lib/desk.ts";
import { createLog } from "../../lib/log.ts";

export interface RecordedCall {
  method: string;
  payload: Record<string, unknown>;
}

export interface RecordedBot {
  bot: DeskBot;
  calls: RecordedCall[];
  logged: Record<string, unknown>[];
  /** Hands it over as if it had come out of the inbox. */
  handle(update: Update): Promise<void>;
  /** Texts of messages and toasts, in order. */
  said(): string[];
}

export const OPERATOR = 1001;
export const VIEWER = 1003;
export const GROUP = -100200;
export const ALERT_GROUP = -100300;

const TOKEN = "7001:AAabcdefghijklmnopqrstuvwxyz0123456789";

const ME = {
  id: 7001,
  is_bot: true,
  first_name: "Nightdesk",
  username: "nightdesk_bot",
} as UserFromGetMe;

export interface RecordedOptions {
  desk: Desk;
  db: Database;
  now?: () => Date;
  env?: Record<string, string>;
  /** What becomes of a call; it succeeds unless this throws (its answer is lost) or says what Telegram answers. */
  fate?: (call: RecordedCall) => ApiRefusal | null | Promise<null>;
  pictures?: Pictures;
}

export interface ApiRefusal {
  error_code: number;
  description: string;
  parameters?: { retry_after?: number; migrate_to_chat_id?: number };
}

export function makeRecordedBot(
  { desk, db, now, env = {}, fate = () => null, pictures }: RecordedOptions,
): RecordedBot {
  const calls: RecordedCall[] = [];
  const logged: Record<string, unknown>[] = [];
  const answer: Transformer = async (_prev, method, payload) => {
    const call = { method, payload: { ...payload } };
    calls.push(call);
    const refusal = await fate(call);
    if (refusal) return { ok: false, ...refusal };
    const { chat_id } = payload as { chat_id?: number };
    const sent = {
      message_id: calls.length,
      date: 1,
      chat: { id: chat_id, type: "private", first_name: "P" },
    };
    const result = method.startsWith("send") ? sent : method === "getMe" ? ME : true;
    return { ok: true, result } as Awaited<ReturnType<typeof _prev>>;
  };
  const bot = createBot({
    desk,
    db,
    config: readConfig({
      TELEGRAM_OPERATORS: String(OPERATOR),
      TELEGRAM_VIEWERS: String(VIEWER),
      TELEGRAM_CHATS: String(GROUP),
      TELEGRAM_ALERT_CHATS: `${ALERT_GROUP}:7`,
      ...env,
    }),
    log: createLog({ level: "debug", secrets: [TOKEN], write: (line) => logged.push(JSON.parse(line)) }),
    wake: () => Promise.resolve(),
    pictures: pictures ?? null,
    token: TOKEN,
    apiRoot: "http://127.0.0.1:1",
    transformers: [answer],
    botInfo: ME,
    now,
  });
  return {
    bot,
    calls,
    logged,
    handle: (update) => bot.bot.handleUpdate(update),
    said: () =>
      calls.flatMap(({ payload }) => [payload.text, payload.caption].filter((text) => text)) as string[],
  };
}

/** A desk on which every action and read is written down instead of done. */
export function makeWatchedDesk(): { desk: Desk; asked: string[] } {
  const asked: string[] = [];
  const desk = new Proxy({}, {
    get: (_, name) => () => {
      asked.push(String(name));
      return Promise.reject(new Error(`${String(name)} was asked`));
    },
  }) as Desk;
  return { desk, asked };
}

let updates = 0;

export interface Said {
  from: number;
  /** The private chat with that person unless given. */
  chat?: number;
  message?: Record<string, unknown>;
}

export function textUpdate(text: string, { from, chat = from, message = {} }: Said): Update {
  return {
    update_id: ++updates,
    message: {
      message_id: updates,
      date: Math.floor(Date.now() / 1_000),
      chat: chatOf(chat),
      from: { id: from, is_bot: false, first_name: "P" },
      text,
      ...message,
    },
  } as Update;
}

export function pressUpdate(
  data: string,
  { from, chat = from, messageId = 1 }: Said & { messageId?: number },
): Update {
  return {
    update_id: ++updates,
    callback_query: {
      id: String(updates),
      from: { id: from, is_bot: false, first_name: "P" },
      chat_instance: "1",
      data,
      message: { message_id: messageId, date: 1, chat: chatOf(chat), text: "x" },
    },
  } as Update;
}

function chatOf(id: number) {
  return id > 0 ? { id, type: "private", first_name: "P" } : { id, type: "supergroup", title: "G" };
}

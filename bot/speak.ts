/** How handlers speak: long texts in parts, in the topic they were asked in, and without link previews. */
import type { FormattedString } from "@grammyjs/parse-mode";
import { type Api, GrammyError, type InlineKeyboard } from "grammy";
import type { Message } from "grammy/types";
import { explainFailure } from "./call_outcome.ts";
import type { DeskContext } from "./context.ts";
import { splitMessage } from "./split_message.ts";

/** A chat, or one of its topics. */
export interface Place {
  chat: number;
  /** Null: no topic. */
  thread: number | null;
}

export interface Saying {
  text: FormattedString;
  keyboard?: InlineKeyboard;
  /** Without sound. */
  silent?: boolean;
  /** The message that it answers. */
  replyTo?: number;
}

/** Telegram shows at most this much in a toast. */
const TOAST_LENGTH = 200;

/** Sends all parts in order, the buttons under the last one, and returns that one's message. */
export async function say(api: Api, place: Place, saying: Saying, signal?: AbortSignal): Promise<Message> {
  const parts = splitMessage(saying.text).filter((part) => part.text.trim() !== "");
  let last: Message | undefined;
  for (const [index, part] of parts.entries()) {
    last = await api.sendMessage(place.chat, part.text, {
      entities: part.entities,
      message_thread_id: place.thread ?? undefined,
      link_preview_options: { is_disabled: true },
      disable_notification: saying.silent,
      reply_markup: index === parts.length - 1 ? saying.keyboard : undefined,
      reply_parameters: index === 0 && saying.replyTo !== undefined
        ? { message_id: saying.replyTo, allow_sending_without_reply: true }
        : undefined,
      // grammY's signal type is that of an older polyfill with the same three members.
    }, signal as Parameters<Api["sendMessage"]>[3]);
  }
  if (!last) throw new RangeError("a message must have a text");
  return last;
}

/** Answers where the person asked. In a group the answer points at the question. */
export async function reply(ctx: DeskContext, saying: Saying): Promise<Message> {
  const asked = ctx.message;
  const replyTo = asked && asked.chat.type !== "private" ? asked.message_id : undefined;
  return await say(ctx.api, placeOf(ctx), { replyTo, ...saying });
}

export function placeOf(ctx: DeskContext): Place {
  const message = ctx.msg;
  const chat = ctx.chatId;
  if (chat === undefined) throw new TypeError("an admitted update has a chat");
  // A reply in a group without topics has a thread id too, but it is none to send to.
  const topic = message && "is_topic_message" in message && message.is_topic_message;
  return { chat, thread: topic ? message.message_thread_id ?? null : null };
}

/** Changes the message whose button was pressed; one that cannot be changed any more is said anew. */
export async function change(ctx: DeskContext, saying: Saying): Promise<void> {
  const pressed = ctx.callbackQuery?.message;
  const [part, ...more] = splitMessage(saying.text);
  if (!pressed || more.length > 0) return void await reply(ctx, saying);
  try {
    await edit(ctx.api, { chat: pressed.chat.id, message: pressed.message_id }, part, saying.keyboard);
  } catch (error) {
    const failure = explainFailure(error);
    if (failure.kind === "unchanged") return;
    // A picture has no text to change.
    if (
      failure.kind !== "gone" &&
      !(error instanceof GrammyError && /no text in the message/.test(error.description))
    ) {
      throw error;
    }
    await reply(ctx, saying);
  }
}

/** @throws what grammY throws, also for an edit that changes nothing. */
export async function edit(
  api: Api,
  { chat, message }: { chat: number; message: number },
  text: FormattedString,
  keyboard?: InlineKeyboard,
  signal?: AbortSignal,
): Promise<void> {
  await api.editMessageText(chat, message, text.text, {
    entities: text.entities,
    link_preview_options: { is_disabled: true },
    reply_markup: keyboard,
  }, signal as Parameters<Api["editMessageText"]>[4]);
}

/**
 * A few words over the chat for whoever pressed a button. `loud`: to be dismissed by a tap. False: the press is so old
 * that Telegram takes no answer to it any more.
 */
export async function toast(ctx: DeskContext, text = "", loud = false): Promise<boolean> {
  if (!ctx.callbackQuery || ctx.answered) return true;
  ctx.answered = true;
  try {
    await ctx.answerCallbackQuery({ text: text.slice(0, TOAST_LENGTH).toWellFormed(), show_alert: loud });
    return true;
  } catch (error) {
    // Telegram takes an answer for a short while only; what was pressed long ago needs none any more.
    if (!(error instanceof GrammyError) || error.error_code !== 400) throw error;
    return false;
  }
}

/** Messages as they stand in Telegram's answers and updates. */
import type { Chat, Message } from "grammy/types";
import type { StoredMessage } from "./world.ts";

export function toJson(message: StoredMessage): Message {
  const { chat, from, extra, now } = message;
  const { photo } = extra;
  const entities = now.entities.length > 0 ? now.entities : undefined;
  return clean({
    message_id: message.message_id,
    date: Math.floor(message.versions[0]!.at / 1000),
    edit_date: message.edits > 0 ? Math.floor(now.at / 1000) : undefined,
    chat: chat.info,
    from: from ?? undefined,
    sender_chat: extra.senderChat,
    message_thread_id: extra.thread,
    is_topic_message: extra.thread === undefined || chat.topics === null ? undefined : true,
    reply_to_message: extra.replyTo && toJson(extra.replyTo),
    ...(photo
      ? {
        photo: [{
          file_id: photo.fileId,
          file_unique_id: `u${photo.fileId}`,
          width: photo.width,
          height: photo.height,
          file_size: photo.bytes.length,
        }],
        caption: now.text === "" ? undefined : now.text,
        caption_entities: entities,
      }
      : { text: now.text, entities }),
    reply_markup: now.keyboard ? { inline_keyboard: now.keyboard } : undefined,
    ...extra.fields,
  });
}

function clean(fields: Record<string, unknown>): Message {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as unknown as
    & Message
    & { chat: Chat };
}

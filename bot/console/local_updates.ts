/** What a person does in the terminal, as the updates that Telegram would make of it. */
import type { Chat, Message, MessageEntity, Update, User } from "grammy/types";

export interface LocalPerson {
  user: User;
  chat: Chat.PrivateChat;
}

/** @param updateId Rises with every update. */
export function makeTextUpdate(
  { user, chat }: LocalPerson,
  updateId: number,
  messageId: number,
  text: string,
): Update {
  const command = /^\/[A-Za-z0-9_]+(?:@\w+)?/.exec(text)?.[0];
  const entities: MessageEntity[] = command
    ? [{ type: "bot_command", offset: 0, length: command.length }]
    : [];
  const date = Math.floor(Date.now() / 1000);
  return { update_id: updateId, message: { message_id: messageId, date, chat, from: user, text, entities } };
}

export function makePressUpdate(
  { user, chat }: LocalPerson,
  updateId: number,
  message: Message,
  data: string,
): Update {
  return {
    update_id: updateId,
    callback_query: {
      id: String(updateId),
      from: user,
      chat_instance: String(chat.id),
      message: { ...message, chat } as Message,
      data,
    },
  };
}

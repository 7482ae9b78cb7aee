/** Finds the chat, the topic and the message that a call means, or answers as Telegram does when there is none. */
import { ApiError, badRequest, forbidden } from "./api_error.ts";
import type { Params } from "./params.ts";
import type { ChatState, StoredMessage, World } from "./world.ts";

export function findChat(world: World, params: Params): ChatState {
  const id = params.whole("chat_id");
  if (id === null) throw badRequest("chat_id is empty");
  const chat = world.chats.get(id);
  if (!chat) throw badRequest("chat not found");
  const { refusal } = chat;
  if (refusal === "blocked") throw forbidden("bot was blocked by the user");
  if (refusal === "never_started") throw forbidden("bot can't initiate conversation with a user");
  if (refusal === "kicked") {
    throw forbidden(`bot was kicked from the ${chat.info.type} chat`);
  }
  if (refusal !== null) {
    throw new ApiError(400, "Bad Request: group chat was upgraded to a supergroup chat", {
      migrate_to_chat_id: refusal.migratedTo,
    });
  }
  return chat;
}

export function findThread(chat: ChatState, params: Params): number | undefined {
  const thread = params.whole("message_thread_id");
  if (thread === null) return undefined;
  if (!chat.topics?.has(thread)) throw badRequest("message thread not found");
  return thread;
}

/** @param what As Telegram names it: "message to edit". */
export function findMessage(chat: ChatState, id: number | null, what: string): StoredMessage {
  if (id === null) throw badRequest("message identifier is not specified");
  const message = chat.messages.find(({ message_id, deleted }) => message_id === id && !deleted);
  if (!message) throw badRequest(`${what} not found`);
  return message;
}

export function findReplyTo(chat: ChatState, params: Params): StoredMessage | undefined {
  const reply = params.json("reply_parameters") as
    | { message_id: number; allow_sending_without_reply?: boolean }
    | null;
  if (!reply) return undefined;
  const found = chat.messages.find(({ message_id, deleted }) => message_id === reply.message_id && !deleted);
  if (!found && !reply.allow_sending_without_reply) throw badRequest("message to be replied not found");
  return found;
}

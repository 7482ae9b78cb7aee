/** The methods of the Bot API that bots of this kind use. Each gives the `result` of its answer, or throws `ApiError`. */
import type { User } from "grammy/types";
import { toJson } from "./as_json.ts";
import { badRequest } from "./api_error.ts";
import type { Callbacks } from "./callbacks.ts";
import { checkCommands } from "./commands.ts";
import { findChat, findMessage, findReplyTo, findThread } from "./find_targets.ts";
import { MAX_ENTITIES, readText } from "./formatted_text.ts";
import type { Flood } from "./flood.ts";
import { type Keyboard, readKeyboard } from "./keyboard.ts";
import type { Params } from "./params.ts";
import { readPhoto } from "./photos.ts";
import type { UpdateQueue } from "./update_queue.ts";
import type { Webhook } from "./webhook.ts";
import { ApiError } from "./api_error.ts";
import type { ChatState, StoredMessage, World } from "./world.ts";

export interface Server {
  me: User;
  world: World;
  queue: UpdateQueue;
  webhook: Webhook;
  callbacks: Callbacks;
  flood: Flood;
  /** As the bot set them, by scope (JSON) and language. */
  commands: Map<string, unknown>;
}

export type Method = (server: Server, params: Params, gone: AbortSignal) => unknown;

export const METHODS: Readonly<Record<string, Method>> = {
  getMe: ({ me }) => ({
    ...me,
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
  }),
  async getUpdates({ queue, webhook }, params, gone) {
    if (webhook.hook) {
      throw new ApiError(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    }
    setAllowed(queue, params);
    const [offset, limit, timeout] = ["offset", "limit", "timeout"].map((name) => params.whole(name)) as [
      number | null,
      number | null,
      number | null,
    ];
    return await queue.take({ offset, limit, timeout, gone });
  },
  setWebhook({ queue, webhook }, params) {
    setAllowed(queue, params);
    webhook.set(params);
    return true;
  },
  deleteWebhook({ queue, webhook }, params) {
    if (params.flag("drop_pending_updates")) queue.drop();
    webhook.hook = null;
    return true;
  },
  getWebhookInfo: ({ webhook }) => webhook.info(),
  sendMessage(server, params) {
    const chat = findChat(server.world, params);
    const { text, entities } = readText(params, "text");
    return send(server, chat, params, text, entities);
  },
  async sendPhoto(server, params) {
    const chat = findChat(server.world, params);
    const { text, entities } = readText(params, "caption");
    return send(server, chat, params, text, entities, await readPhoto(server.world, params));
  },
  editMessageText(server, params) {
    const { chat, message } = findOwn(server, params);
    if (message.photo) throw badRequest("there is no text in the message to edit");
    const { text, entities } = readText(params, "text");
    return edit(server, chat, message, { text, entities, keyboard: readKeyboard(params) });
  },
  editMessageCaption(server, params) {
    const { chat, message } = findOwn(server, params);
    if (!message.photo) throw badRequest("there is no caption in the message to edit");
    const { text, entities } = readText(params, "caption");
    return edit(server, chat, message, { text, entities, keyboard: readKeyboard(params) });
  },
  editMessageReplyMarkup(server, params) {
    const { chat, message } = findOwn(server, params);
    const { text, entities } = message.now;
    return edit(server, chat, message, { text, entities, keyboard: readKeyboard(params) });
  },
  deleteMessage({ world }, params) {
    findMessage(findChat(world, params), params.whole("message_id"), "message to delete").deleted = true;
    world.changed();
    return true;
  },
  pinChatMessage({ world }, params) {
    findMessage(findChat(world, params), params.whole("message_id"), "message to pin").pinned = true;
    world.changed();
    return true;
  },
  unpinChatMessage({ world }, params) {
    findMessage(findChat(world, params), params.whole("message_id"), "message to unpin").pinned = false;
    world.changed();
    return true;
  },
  answerCallbackQuery({ callbacks, world }, params) {
    callbacks.answer(params);
    world.changed();
    return true;
  },
  sendChatAction({ world }, params) {
    findChat(world, params);
    if (params.text("action") === null) throw badRequest("wrong parameter action in request");
    return true;
  },
  getChat: ({ world }, params) => findChat(world, params).info,
  setMyCommands({ commands, world }, params) {
    commands.set(commandKey(params), checkCommands(world, params));
    return true;
  },
  getMyCommands: ({ commands }, params) => commands.get(commandKey(params)) ?? [],
  deleteMyCommands: ({ commands }, params) => {
    commands.delete(commandKey(params));
    return true;
  },
};

function setAllowed(queue: UpdateQueue, params: Params): void {
  const allowed = params.json("allowed_updates") as string[] | null;
  // An empty list means the default; no list keeps what was set last.
  if (allowed) queue.allowed = allowed.length > 0 ? allowed : null;
}

function commandKey(params: Params): string {
  return `${JSON.stringify(params.json("scope") ?? { type: "default" })} ${
    params.text("language_code") ?? ""
  }`;
}

function send(
  { world, flood, me }: Server,
  chat: ChatState,
  params: Params,
  text: string,
  entities: StoredMessage["now"]["entities"],
  photo?: StoredMessage["photo"],
): unknown {
  const keyboard = readKeyboard(params);
  const thread = findThread(chat, params);
  const replyTo = findReplyTo(chat, params);
  flood.admit(chat, "messages");
  if (entities.length > MAX_ENTITIES) flood.report(chat, "entities");
  const version = { at: Date.now(), text, entities: entities.slice(0, MAX_ENTITIES), keyboard };
  const silent = params.flag("disable_notification");
  return toJson(world.addMessage(chat, me, version, { photo, thread, replyTo, silent }));
}

/** A message that the bot wrote; others it cannot edit. */
function findOwn({ world, me }: Server, params: Params): { chat: ChatState; message: StoredMessage } {
  const chat = findChat(world, params);
  const message = findMessage(chat, params.whole("message_id"), "message to edit");
  if (message.from?.id !== me.id) throw badRequest("message can't be edited");
  return { chat, message };
}

function edit(
  { world, flood }: Server,
  chat: ChatState,
  message: StoredMessage,
  next: { text: string; entities: StoredMessage["now"]["entities"]; keyboard: Keyboard | null },
): unknown {
  const { text, entities, keyboard } = message.now;
  if (
    JSON.stringify([text, entities, keyboard]) === JSON.stringify([next.text, next.entities, next.keyboard])
  ) {
    throw badRequest(
      "message is not modified: specified new message content and reply markup are exactly the same as a current " +
        "content and reply markup of the message",
    );
  }
  flood.admit(chat, "edits");
  if (next.entities.length > MAX_ENTITIES) flood.report(chat, "entities");
  message.versions.push({ at: Date.now(), ...next, entities: next.entities.slice(0, MAX_ENTITIES) });
  world.changed();
  return toJson(message);
}

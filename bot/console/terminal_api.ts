/**
 * The Bot API methods that the bot uses, answered in this process for a chat in a terminal: nothing leaves it. What
 * Telegram refuses and the bot knows how to take (an edit that changes nothing, a message that is gone) is refused here
 * in the same words.
 */
import { InputFile, type Transformer } from "grammy";
import type { BotCommand, InlineKeyboardMarkup, Message, MessageEntity, UserFromGetMe } from "grammy/types";
import type { LocalChat, LocalMessage } from "./local_chat.ts";

/** Who hears of what the bot does. */
export interface TerminalView {
  /** A new message. */
  show(message: LocalMessage): void;
  /** @param was As it was shown before. */
  edit(message: LocalMessage, was: LocalMessage): void;
  /** What the bot answers to a press; not empty. */
  tell(text: string): void;
  /** What can be typed. */
  learn(commands: readonly BotCommand[]): void;
}

export interface TerminalApiOptions {
  me: UserFromGetMe;
  /** Id of the chat and of the person in it. */
  chatId: number;
  chat: LocalChat;
  view: TerminalView;
  /** Stores a picture and returns its path. */
  savePicture(name: string, bytes: Uint8Array): Promise<string>;
}

interface Payload {
  chat_id?: number | string;
  message_id?: number;
  text?: string;
  entities?: MessageEntity[];
  caption?: string;
  caption_entities?: MessageEntity[];
  photo?: unknown;
  reply_markup?: Partial<InlineKeyboardMarkup>;
  commands?: BotCommand[];
}

class Refusal extends Error {
  constructor(readonly code: number, readonly description: string) {
    super(description);
  }
}

/** For `createBot`: answers every call, so none goes on to the network. */
export function createTerminalApi(options: TerminalApiOptions): Transformer {
  const methods = createMethods(options);
  return (async (_next: unknown, method: string, payload: Payload) => {
    try {
      const handler = methods[method];
      if (!handler) throw new Refusal(404, `Not Found: the terminal does not know ${method}`);
      return { ok: true, result: await handler(payload) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { ok: false, error_code: error.code, description: error.description };
    }
  }) as unknown as Transformer;
}

function createMethods(
  { me, chatId, chat, view, savePicture }: TerminalApiOptions,
): Record<string, (payload: Payload) => unknown> {
  const nothing = () => true;
  const answer = (message: LocalMessage) => toMessage(message, me, chatId);
  const send = (payload: Payload, text: string, entities: MessageEntity[], picture: string | null) => {
    if (Number(payload.chat_id) !== chatId) throw new Refusal(400, "Bad Request: chat not found");
    const date = Math.floor(Date.now() / 1000);
    const message = chat.add({ text, entities, date, picture, keyboard: keyboardOf(payload) });
    view.show(message);
    return answer(message);
  };
  const edit = (payload: Payload, change: (message: LocalMessage) => void) => {
    const message = chat.find(payload.message_id ?? 0);
    if (!message) throw new Refusal(400, "Bad Request: message to edit not found");
    const was = { ...message };
    change(message);
    message.keyboard = keyboardOf(payload);
    if (isSame(message, was)) throw new Refusal(400, "Bad Request: message is not modified");
    view.edit(message, was);
    return answer(message);
  };
  return {
    getMe: () => me,
    sendMessage: (payload) => send(payload, payload.text ?? "", payload.entities ?? [], null),
    async sendPhoto(payload) {
      const { photo } = payload;
      if (!(photo instanceof InputFile)) {
        throw new Refusal(400, "Bad Request: there is no photo in the request");
      }
      const path = await savePicture(photo.filename ?? "picture.png", await readFile(photo));
      return send(payload, payload.caption ?? "", payload.caption_entities ?? [], path);
    },
    editMessageText: (payload) =>
      edit(payload, (message) => {
        if (message.picture !== null) {
          throw new Refusal(400, "Bad Request: there is no text in the message to edit");
        }
        message.text = payload.text ?? "";
        message.entities = payload.entities ?? [];
      }),
    editMessageCaption: (payload) =>
      edit(payload, (message) => {
        message.text = payload.caption ?? "";
        message.entities = payload.caption_entities ?? [];
      }),
    editMessageReplyMarkup: (payload) => edit(payload, () => {}),
    deleteMessage: (payload) => chat.remove(payload.message_id ?? 0),
    answerCallbackQuery({ text }) {
      if (text) view.tell(text);
      return true;
    },
    setMyCommands({ commands }) {
      view.learn(commands ?? []);
      return true;
    },
    deleteMyCommands: nothing,
    sendChatAction: nothing,
    setMessageReaction: nothing,
    pinChatMessage: nothing,
    unpinChatMessage: nothing,
  };
}

function keyboardOf({ reply_markup }: Payload): LocalMessage["keyboard"] {
  return (reply_markup?.inline_keyboard ?? []).filter((row) => row.length > 0);
}

function isSame(a: LocalMessage, b: LocalMessage): boolean {
  const shown = ({ text, entities, keyboard }: LocalMessage) => JSON.stringify([text, entities, keyboard]);
  return shown(a) === shown(b);
}

async function readFile(file: InputFile): Promise<Uint8Array> {
  const raw = await file.toRaw();
  return raw instanceof Uint8Array
    ? raw
    : new Uint8Array(await new Response(ReadableStream.from(raw)).arrayBuffer());
}

/** As Telegram gives a message back: the bot reads its id and chat. */
export function toMessage(message: LocalMessage, me: UserFromGetMe, chatId: number): Message {
  const { id, date, text, entities, keyboard, picture } = message;
  return {
    message_id: id,
    date,
    chat: { id: chatId, type: "private", first_name: "Terminal" },
    from: me,
    ...(picture === null
      ? { text, entities: [...entities] }
      : { photo: [], caption: text, caption_entities: [...entities] }),
    ...(keyboard.length > 0 && { reply_markup: { inline_keyboard: keyboard.map((row) => [...row]) } }),
  } as unknown as Message;
}

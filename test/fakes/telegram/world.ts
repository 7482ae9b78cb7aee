/** Who and what exists in the fake Telegram: people, chats and messages with the history of their edits. */
import type { Chat, MessageEntity, User } from "grammy/types";
import type { Keyboard } from "./keyboard.ts";
import type { Upload } from "./params.ts";

/** What a message showed from one moment on. */
export interface Version {
  /** ms since 1970. */
  at: number;
  /** The text, or a photo's caption. */
  text: string;
  entities: MessageEntity[];
  keyboard: Keyboard | null;
}

export interface Photo extends Upload {
  fileId: string;
  width: number;
  height: number;
}

/** A message as a person sees it. */
export class StoredMessage {
  deleted = false;
  pinned = false;
  readonly versions: Version[];

  constructor(
    readonly chat: ChatState,
    readonly message_id: number,
    readonly from: User | null,
    version: Version,
    readonly extra: {
      photo?: Photo;
      /** Topic of a forum. */
      thread?: number;
      replyTo?: StoredMessage;
      /** Channel or anonymous group in whose name it was written. */
      senderChat?: Chat;
      /** Fields that only some messages have, as Telegram writes them. */
      fields?: Record<string, unknown>;
      silent?: boolean;
    } = {},
  ) {
    this.versions = [version];
  }

  get now(): Version {
    return this.versions.at(-1)!;
  }
  get text(): string {
    return this.now.text;
  }
  get photo(): Photo | undefined {
    return this.extra.photo;
  }
  /** What stands on the buttons, row by row. */
  get buttons(): string[][] {
    return (this.now.keyboard ?? []).map((row) => row.map(({ text }) => text));
  }
  get edits(): number {
    return this.versions.length - 1;
  }
}

export interface ChatState {
  /** As it stands in updates. */
  readonly info: Chat;
  readonly messages: StoredMessage[];
  /** Why the bot may not write here; null: it may. */
  refusal: "blocked" | "kicked" | "never_started" | { migratedTo: number } | null;
  /** Ids of the topics of a forum; null: it has none. */
  topics: Set<number> | null;
}

export class World {
  readonly chats = new Map<number, ChatState>();
  readonly files = new Map<string, Photo>();
  readonly #listeners = new Set<() => void>();

  addChat(info: Chat, refusal: ChatState["refusal"] = null): ChatState {
    const chat: ChatState = { info, messages: [], refusal, topics: null };
    this.chats.set(info.id, chat);
    return chat;
  }

  addMessage(
    chat: ChatState,
    from: User | null,
    version: Version,
    extra: StoredMessage["extra"] = {},
  ): StoredMessage {
    // Ids of a private chat are shared by all of a bot's private chats; here each chat counts for itself.
    const message = new StoredMessage(chat, chat.messages.length + 1, from, version, extra);
    chat.messages.push(message);
    this.changed();
    return message;
  }

  /** Something happened that a waiting test may have waited for. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /**
   * Resolves with the first value that `look` gives, now or after a change.
   * @param what Ends the sentence "Waited … ms for" when nothing comes.
   */
  until<T>(look: () => T | null | undefined, what: string, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = look();
        if (found === null || found === undefined) return;
        end();
        resolve(found);
      };
      const end = () => {
        clearTimeout(timer);
        this.#listeners.delete(check);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`Waited ${timeoutMs} ms for ${what}\n${this.transcript()}`));
      }, timeoutMs);
      this.#listeners.add(check);
      check();
    });
  }

  transcript(): string {
    return [...this.chats.values()].map(describeChat).join("\n");
  }
}

/** A chat as a person would read it, for error messages and for looking at. */
export function describeChat(chat: ChatState): string {
  const name = "title" in chat.info ? chat.info.title : chat.info.first_name;
  const messages = chat.messages.map((message) => {
    const who = message.from?.first_name ?? name;
    const edited = message.edits > 0 ? ` (${message.edits} edits)` : "";
    const photo = message.photo ? ` [photo ${message.photo.width}x${message.photo.height}]` : "";
    const buttons = message.buttons.map((row) => `\n    ${row.map((text) => `[ ${text} ]`).join(" ")}`).join(
      "",
    );
    const gone = message.deleted ? " (deleted)" : "";
    return `  #${message.message_id} ${who}${edited}${gone}:${photo} ${
      message.text.replaceAll("\n", "\n    ")
    }${buttons}`;
  });
  return [`${chat.info.type} ${name} (${chat.info.id})`, ...messages].join("\n");
}

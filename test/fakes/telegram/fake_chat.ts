/** A chat as a test sees it: what stands in it, and waiting for what will. */
import type { MessageEntity, Update, User } from "grammy/types";
import { toJson } from "./as_json.ts";
import type { Server } from "./methods.ts";
import { type ChatState, describeChat, type StoredMessage, type Version } from "./world.ts";

export type Wanted = RegExp | string | ((message: StoredMessage) => boolean);

export class FakeChat {
  constructor(
    readonly server: Server,
    readonly state: ChatState,
    readonly waitMs: number,
    /** A topic of a forum: what is written here is written there. */
    readonly thread?: number,
  ) {}

  get id(): number {
    return this.state.info.id;
  }

  get messages(): readonly StoredMessage[] {
    return this.state.messages.filter((message) => message.extra.thread === this.thread || !this.thread);
  }

  /** What the bot wrote, oldest first. */
  get fromBot(): readonly StoredMessage[] {
    return this.messages.filter((message) => message.from?.id === this.server.me.id && !message.deleted);
  }

  /**
   * Resolves with the first message of the bot that fits as it stands now, at once or as soon as one does.
   * @param after Only messages that were sent after this one.
   */
  message(wanted: Wanted, after?: StoredMessage): Promise<StoredMessage> {
    const fits = asTest(wanted);
    return this.server.world.until(
      () =>
        this.fromBot.find((message) => message.message_id > (after?.message_id ?? 0) && fits(message)) ??
          null,
      `a message in chat ${this.id} that fits ${wanted}`,
      this.waitMs,
    );
  }

  /** Resolves as soon as this message shows what is wanted. */
  async shows(message: StoredMessage, wanted: Wanted): Promise<StoredMessage> {
    const fits = asTest(wanted);
    await this.server.world.until(
      () => fits(message) || null,
      `message ${message.message_id} of chat ${this.id} to show ${wanted}`,
      this.waitMs,
    );
    return message;
  }

  topic(thread: number): FakeChat {
    this.state.topics ??= new Set();
    this.state.topics.add(thread);
    return new FakeChat(this.server, this.state, this.waitMs, thread);
  }

  /** A post of a channel, or a message in the name of a group: both come without a person. */
  posts(text: string, from: User | null = null): Update | null {
    const { info } = this.state;
    const message = this.server.world.addMessage(this.state, from, written(text), {
      senderChat: info,
      thread: this.thread,
    });
    return this.server.queue.add(
      info.type === "channel"
        ? { channel_post: toJson(message) as Update["channel_post"] }
        : { message: toJson(message) as Update["message"] },
    );
  }

  /** The group becomes a supergroup with another id; the old one is refused from now on. */
  migratesTo(chat: FakeChat): void {
    this.state.refusal = { migratedTo: chat.id };
  }

  /** The bot may no longer write here, until it is let in again. */
  kicks(): void {
    this.state.refusal = "kicked";
  }
  admits(): void {
    this.state.refusal = null;
  }

  transcript(): string {
    return describeChat(this.state);
  }
}

function asTest(wanted: Wanted): (message: StoredMessage) => boolean {
  if (typeof wanted === "function") return wanted;
  return ({ text }) => typeof wanted === "string" ? text.includes(wanted) : wanted.test(text);
}

/** A text as a person types it, with the commands in it marked as Telegram marks them. */
export function written(text: string): Version {
  const entities: MessageEntity[] = [...text.matchAll(/(?<=^|\s)\/[A-Za-z0-9_]{1,64}(?:@\w+)?/g)].map(
    (match) => ({ type: "bot_command", offset: match.index, length: match[0].length }),
  );
  return { at: Date.now(), text, entities, keyboard: null };
}

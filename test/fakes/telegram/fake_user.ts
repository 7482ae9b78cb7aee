/** A person with a phone: types, presses buttons, edits, forwards, blocks. */
import type { CallbackQuery, Update, User } from "grammy/types";
import { toJson } from "./as_json.ts";
import type { CallbackAnswer } from "./callbacks.ts";
import { type FakeChat, type Wanted, written } from "./fake_chat.ts";
import type { Server } from "./methods.ts";
import type { StoredMessage } from "./world.ts";

export interface SaysOptions {
  /** The private chat with the bot unless given. */
  in?: FakeChat;
  replyTo?: StoredMessage;
  /** Further fields of the message, as Telegram writes them. */
  fields?: Record<string, unknown>;
}

export interface AsksOptions extends SaysOptions {
  expecting?: Wanted;
}

export class FakeUser {
  constructor(
    readonly server: Server,
    readonly info: User,
    /** The private chat with the bot; opened by the first message. */
    readonly chat: FakeChat,
  ) {}

  get id(): number {
    return this.info.id;
  }

  /** Sends a text. In a group the bot sees only commands and replies to itself, as with Telegram's privacy mode. */
  says(text: string, { in: chat = this.chat, replyTo, fields }: SaysOptions = {}): StoredMessage {
    if (chat.state.refusal === "never_started") chat.state.refusal = null;
    const message = this.server.world.addMessage(chat.state, this.info, written(text), {
      thread: chat.thread,
      replyTo,
      fields,
    });
    if (this.#seenByBot(message)) this.server.queue.add({ message: toJson(message) as Update["message"] });
    return message;
  }

  /** Sends a text and resolves with the bot's next message in that chat, or the next one that fits. */
  async asks(text: string, { expecting = () => true, ...options }: AsksOptions = {}): Promise<StoredMessage> {
    const said = this.says(text, options);
    return await (options.in ?? this.chat).message(expecting, said);
  }

  edits(message: StoredMessage, text: string): void {
    message.versions.push(written(text));
    this.server.queue.add({ edited_message: toJson(message) as Update["edited_message"] });
  }

  /** Passes on what somebody wrote elsewhere. */
  forwards(text: string, from: User, options: SaysOptions = {}): StoredMessage {
    const origin = { type: "user", sender_user: from, date: Math.floor(Date.now() / 1000) };
    return this.says(text, { ...options, fields: { forward_origin: origin } });
  }

  /** Presses a button and resolves with the first thing the bot answers to the press. */
  async presses(label: string, message: StoredMessage): Promise<CallbackAnswer> {
    const id = this.taps(label, message);
    const { callbacks, world } = this.server;
    return await world.until(
      () => callbacks.answers.get(id)?.[0],
      `an answer to the button ${label} of message ${message.message_id}`,
      this.chat.waitMs,
    );
  }

  /**
   * Presses a button without waiting; returns the id of the press.
   * @param version Which version of the message the person still sees; the newest unless given.
   */
  taps(label: string, message: StoredMessage, version = message.versions.length - 1): string {
    const buttons = (message.versions[version]?.keyboard ?? []).flat();
    const button = buttons.find(({ text }) => text === label) ??
      buttons.find(({ text }) => text.includes(label));
    if (!button || !("callback_data" in button)) {
      throw new Error(
        `no button ${label} on message ${message.message_id}: ${JSON.stringify(message.buttons)}`,
      );
    }
    return this.sendsPress(button.callback_data!, message);
  }

  /** A press with any data, as a forged client could send it. Null: of a message that Telegram no longer has. */
  sendsPress(data: string, message: StoredMessage | null): string {
    const id = this.server.callbacks.open();
    const shown = message && toJson(message);
    const press = {
      id,
      from: this.info,
      chat_instance: String(message?.chat.info.id ?? 0),
      data,
      ...(shown && { message: shown }),
    } as CallbackQuery;
    this.server.queue.add({ callback_query: press });
    return id;
  }

  blocks(): void {
    this.#changeMembership("blocked", "member", "kicked");
  }
  unblocks(): void {
    this.#changeMembership(null, "kicked", "member");
  }

  #changeMembership(refusal: "blocked" | null, from: string, to: string): void {
    this.chat.state.refusal = refusal;
    const member = (status: string) => ({ status, user: this.server.me, until_date: 0 });
    this.server.queue.add({
      my_chat_member: {
        chat: this.chat.state.info,
        from: this.info,
        date: Math.floor(Date.now() / 1000),
        old_chat_member: member(from),
        new_chat_member: member(to),
      } as Update["my_chat_member"],
    });
  }

  #seenByBot({ chat, text, extra }: StoredMessage): boolean {
    const { me } = this.server;
    if (chat.info.type === "private" || extra.replyTo?.from?.id === me.id) return true;
    // A command with another bot's name is that one's alone.
    const addressed = /^\/\w+(?:@(\w+))?/.exec(text);
    if (!addressed) return text.includes(`@${me.username}`);
    return addressed[1] === undefined || addressed[1].toLowerCase() === me.username!.toLowerCase();
  }
}

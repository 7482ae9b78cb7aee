/** The chat of the terminal: its messages as they are now, and the number that stands before each button. */
import type { InlineKeyboardButton, MessageEntity } from "grammy/types";

export interface LocalMessage {
  readonly id: number;
  /** s since 1970. */
  readonly date: number;
  text: string;
  entities: readonly MessageEntity[];
  keyboard: readonly (readonly InlineKeyboardButton[])[];
  /** Where the picture was saved. */
  readonly picture: string | null;
}

export interface NumberedButton {
  number: number;
  messageId: number;
  label: string;
  data: string;
}

export class LocalChat {
  readonly #messages = new Map<number, LocalMessage>();
  readonly #buttons: NumberedButton[] = [];
  #nextId: number;

  /** @param firstId Ids go on rising from one chat to the next: what is stored about an old message stays its own. */
  constructor(firstId: number) {
    this.#nextId = firstId;
  }

  add(message: Omit<LocalMessage, "id">): LocalMessage {
    const added: LocalMessage = { ...message, id: this.#nextId++ };
    this.#messages.set(added.id, added);
    return added;
  }

  /** An id for what the person writes; it is not kept. */
  takeId(): number {
    return this.#nextId++;
  }

  find(id: number): LocalMessage | undefined {
    return this.#messages.get(id);
  }

  remove(id: number): boolean {
    return this.#messages.delete(id);
  }

  /**
   * The number of a button: the same as long as its message has it, and never that of another one, so that a number
   * that was read a moment ago cannot press something that has come since.
   */
  numberOf(message: LocalMessage, button: InlineKeyboardButton.CallbackButton): number {
    const known = this.#buttons.find(({ messageId, data }) =>
      messageId === message.id && data === button.callback_data
    );
    if (known) return known.number;
    const number = this.#buttons.length + 1;
    this.#buttons.push({ number, messageId: message.id, label: button.text, data: button.callback_data });
    return number;
  }

  /** The message and the button with this number; null: there never was one, or its message has it no more. */
  press(number: number): { message: LocalMessage; data: string } | null {
    const button = this.#buttons[number - 1];
    const message = button && this.#messages.get(button.messageId);
    const there = message?.keyboard.flat().some((each) =>
      "callback_data" in each && each.callback_data === button!.data
    );
    return message && there ? { message, data: button!.data } : null;
  }
}

/** Button presses and the bot's answers to them. */
import { badRequest } from "./api_error.ts";
import type { Params } from "./params.ts";

export interface CallbackAnswer {
  /** Shown for a moment, or in a window with `alert`. Empty: only the button's spinner ends. */
  text: string;
  alert: boolean;
}

/** Characters of an answer. */
const MAX_ANSWER = 200;

export class Callbacks {
  readonly answers = new Map<string, CallbackAnswer[]>();
  #next = 1;

  /** The id of a new press. */
  open(): string {
    const id = String(4_000_000_000_000_000 + this.#next++);
    this.answers.set(id, []);
    return id;
  }

  /** What Telegram does when the bot takes too long: the press can no longer be answered. */
  expire(id: string): void {
    this.answers.delete(id);
  }

  answer(params: Params): void {
    const given = this.answers.get(params.text("callback_query_id") ?? "");
    if (!given) {
      throw badRequest("query is too old and response timeout expired or query ID is invalid");
    }
    const text = params.text("text") ?? "";
    if (text.length > MAX_ANSWER) throw badRequest("MESSAGE_TOO_LONG");
    given.push({ text, alert: params.flag("show_alert") });
  }
}

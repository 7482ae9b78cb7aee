/** The bot's features on a database: what an operator writes and presses, and what the bot says to it. */
import { beforeEach } from "vitest";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import { exhaustBudget } from "../../lib/batches/change_session.ts";
import type { Session } from "../../lib/batches/types.ts";
import { readConfig } from "../../lib/config.ts";
import type { Database } from "../../lib/database/port.ts";
import { createDesk, type Desk } from "../../lib/desk.ts";
import { addWork, analyse, claim } from "../batches/work_session.ts";
import {
  makeRecordedBot,
  OPERATOR,
  pressUpdate,
  type RecordedBot,
  type Said,
  textUpdate,
} from "./recorded_bot.ts";

/** The second operator. */
export const OTHER = 1002;
export const ENV = { TELEGRAM_OPERATORS: `${OPERATOR},${OTHER}` };

type Button = { text: string; callback_data: string };

export interface SentMessage {
  text: string;
  messageId: number;
  buttons: Button[];
}

export interface FeatureBench {
  readonly desk: Desk;
  readonly recorded: RecordedBot;
  /** The bot's clock; it stands still. */
  now: Date;
  /** What the bot wrote last, with its buttons. */
  last(): SentMessage;
  /** Writes as the operator, unless `said` names another one; what the bot wrote last then. */
  ask(text: string, said?: Partial<Said>): Promise<SentMessage>;
  /** Presses the button whose text contains `label`; what the bot answered. */
  press(message: SentMessage, label: string, from?: number, chat?: number): Promise<unknown>;
  toasts(): unknown[];
  edited(): string[];
  /** A session of four articles whose budget is used up after the first. */
  endShort(): Promise<Session>;
}

/** Anew for every test of a file. */
export function useFeatureBench(test: { readonly db: Database }): FeatureBench {
  let desk: Desk;
  let recorded: RecordedBot;
  let now: Date;
  beforeEach(() => {
    const config = readConfig({});
    desk = createDesk({ db: test.db, config, analysts: createAnalysts(config) });
    now = new Date();
    recorded = makeRecordedBot({ desk, db: test.db, env: ENV, now: () => now });
  });
  const payloads = (wanted: string) =>
    recorded.calls.filter(({ method }) => method === wanted).map(({ payload }) => payload);
  const toasts = () => payloads("answerCallbackQuery").map(({ text }) => text);
  const last = () => {
    const at = recorded.calls.findLastIndex(({ method }) => method === "sendMessage");
    const { payload } = recorded.calls[at];
    const markup = payload.reply_markup as { inline_keyboard: Button[][] } | undefined;
    // The recorded Bot API numbers messages by calls.
    return { text: String(payload.text), messageId: at + 1, buttons: markup?.inline_keyboard.flat() ?? [] };
  };
  return {
    get desk() {
      return desk;
    },
    get recorded() {
      return recorded;
    },
    get now() {
      return now;
    },
    set now(value) {
      now = value;
    },
    last,
    async ask(text, said = {}) {
      await recorded.handle(textUpdate(text, { from: OPERATOR, ...said }));
      return last();
    },
    async press({ buttons, messageId }, label, from = OPERATOR, chat = OPERATOR) {
      const button = buttons.find(({ text }) => text.includes(label));
      if (!button) throw new Error(`no button ${label}: ${JSON.stringify(buttons)}`);
      await recorded.handle(pressUpdate(button.callback_data, { from, chat, messageId }));
      return toasts().at(-1);
    },
    toasts,
    edited: () => payloads("editMessageText").map(({ text }) => String(text)),
    async endShort() {
      const session = await addWork(test.db, 4, 100_000);
      await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 1));
      await exhaustBudget(test.db, session.session_id, "budget", "test", () => Promise.resolve(true));
      return (await desk.progress(session.number)).session;
    },
  };
}

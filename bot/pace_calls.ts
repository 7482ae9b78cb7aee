/**
 * Keeps within what Telegram lets a bot send, so that it rarely has to say so: about a message a second in a chat, and 20
 * messages and 20 edits a minute in a group (core.telegram.org/bots/faq). Short waits are waited out; a long one is
 * answered as Telegram would, with "429, come back then", and whoever called decides.
 */
import type { Transformer } from "grammy";
import { sleep } from "../lib/sleep.ts";

const BURST = { most: 3, windowMs: 3_000 };
const GROUP_MINUTE = { most: 20, windowMs: 60_000 };
/** Longer waits go back to the caller, ms. */
const LONGEST_WAIT_MS = 3_000;

const SENDS: ReadonlySet<string> = new Set(["sendMessage", "sendPhoto"]);
const EDITS: ReadonlySet<string> = new Set([
  "editMessageText",
  "editMessageCaption",
  "editMessageReplyMarkup",
]);

/** One for all calls of a bot: what one part sends, another must not send too. */
export function paceCalls(now: () => number = () => performance.now()): Transformer {
  const bursts = new SlidingWindow(BURST.most, BURST.windowMs);
  const sends = new SlidingWindow(GROUP_MINUTE.most, GROUP_MINUTE.windowMs);
  const edits = new SlidingWindow(GROUP_MINUTE.most, GROUP_MINUTE.windowMs);

  return async (prev, method, payload, signal) => {
    const chat = "chat_id" in payload ? String(payload.chat_id) : "";
    const isGroup = chat.startsWith("-");
    const windows = SENDS.has(method)
      ? [bursts, ...(isGroup ? [sends] : [])]
      : EDITS.has(method) && isGroup
      ? [edits]
      : [];
    while (true) {
      const wait = Math.max(0, ...windows.map((window) => window.waitMs(chat, now())));
      if (wait === 0) break;
      if (wait > LONGEST_WAIT_MS) {
        return {
          ok: false,
          error_code: 429,
          description: "Too Many Requests: kept back to stay within the limits",
          parameters: { retry_after: Math.ceil(wait / 1000) },
        };
      }
      await sleep(wait, (signal as AbortSignal | undefined) ?? NEVER);
    }
    for (const window of windows) window.take(chat, now());
    return await prev(method, payload, signal);
  };
}

const NEVER = new AbortController().signal;

/** At most so many in any stretch of time as long as the window. */
export class SlidingWindow {
  readonly #taken = new Map<string, number[]>();

  constructor(readonly most: number, readonly windowMs: number) {}

  /** ms until one more is allowed; 0: now. */
  waitMs(key: string, now: number): number {
    const recent = this.#recent(key, now);
    return recent.length < this.most ? 0 : recent[recent.length - this.most] + this.windowMs - now;
  }

  take(key: string, now: number): void {
    const recent = this.#recent(key, now);
    // What was not used for long is at the front, and goes.
    this.#taken.delete(key);
    for (const [oldest] of this.#taken) {
      if (this.#recent(oldest, now).length > 0) break;
      this.#taken.delete(oldest);
    }
    this.#taken.set(key, [...recent, now]);
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#taken.size;
  }

  #recent(key: string, now: number): number[] {
    return (this.#taken.get(key) ?? []).filter((at) => at > now - this.windowMs);
  }
}

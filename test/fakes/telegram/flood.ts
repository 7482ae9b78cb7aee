/** Telegram's flood control: a few messages a second in a chat, 20 messages and 20 edits a minute in a group. */
import { tooManyRequests } from "./api_error.ts";
import type { ChatState } from "./world.ts";

export interface FloodLimits {
  /** Messages a chat takes on average, a second. */
  perSecond: number;
  /** … and in one burst. */
  burst: number;
  /** Messages, and edits, that a group takes in `minuteMs`. */
  perGroupMinute: number;
  minuteMs: number;
}

const LIMITS: FloodLimits = { perSecond: 1, burst: 3, perGroupMinute: 20, minuteMs: 60_000 };

export interface Violation {
  at: number;
  chat: number;
  rule: "messages a second" | "messages a minute" | "edits a minute" | "entities";
}

export class Flood {
  readonly violations: Violation[] = [];
  readonly #limits: FloodLimits;
  readonly #sent = new Map<string, number[]>();
  readonly #buckets = new Map<number, { level: number; at: number }>();

  /** @param enforce Answer 429 besides counting the violation. */
  constructor(readonly enforce: boolean, limits: Partial<FloodLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  /** Counts a message or an edit. Throws 429 when it is too many and limits are enforced. */
  admit(chat: ChatState, kind: "messages" | "edits"): void {
    const now = Date.now();
    const waits = [kind === "messages" ? this.#fillBucket(chat.info.id, now) : 0];
    if (chat.info.type !== "private") waits.push(this.#countMinute(chat.info.id, kind, now));
    const wait = Math.max(...waits);
    if (wait > 0 && this.enforce) throw tooManyRequests(Math.ceil(wait / 1000));
  }

  report(chat: ChatState, rule: Violation["rule"]): void {
    this.violations.push({ at: Date.now(), chat: chat.info.id, rule });
  }

  /** @returns ms to wait. */
  #fillBucket(chat: number, now: number): number {
    const { perSecond, burst } = this.#limits;
    const bucket = this.#buckets.get(chat) ?? { level: 0, at: now };
    bucket.level = Math.max(0, bucket.level - (now - bucket.at) * perSecond / 1000);
    bucket.at = now;
    this.#buckets.set(chat, bucket);
    if (bucket.level + 1 <= burst) {
      bucket.level++;
      return 0;
    }
    this.violations.push({ at: now, chat, rule: "messages a second" });
    if (!this.enforce) bucket.level++;
    return (bucket.level + 1 - burst) * 1000 / perSecond;
  }

  #countMinute(chat: number, kind: "messages" | "edits", now: number): number {
    const { perGroupMinute, minuteMs } = this.#limits;
    const key = `${kind} ${chat}`;
    const recent = (this.#sent.get(key) ?? []).filter((at) => at > now - minuteMs);
    this.#sent.set(key, recent);
    if (recent.length < perGroupMinute) {
      recent.push(now);
      return 0;
    }
    this.violations.push({ at: now, chat, rule: `${kind} a minute` });
    if (!this.enforce) recent.push(now);
    return recent[0]! + minuteMs - now;
  }
}

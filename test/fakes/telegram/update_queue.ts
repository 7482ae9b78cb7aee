/** Updates that wait for the bot: kept until it confirms them, handed out again until then. */
import type { Update } from "grammy/types";
import { ApiError, badRequest } from "./api_error.ts";

type Kind = Exclude<keyof Update, "update_id">;

/** Kinds that Telegram leaves out unless they are asked for by name. */
const ON_REQUEST: readonly Kind[] = ["chat_member", "message_reaction", "message_reaction_count"];
const MAX_BATCH = 100;

export interface Poll {
  offset: number | null;
  limit: number | null;
  /** s. */
  timeout: number | null;
  /** Aborted when the bot hangs up. */
  gone: AbortSignal;
}

export class UpdateQueue {
  readonly pending: Update[] = [];
  /** Ids that the bot confirmed, or answered to a webhook with 200, in that order. */
  readonly confirmed: number[] = [];
  /** Null: all but those on request. */
  allowed: string[] | null = null;
  /** Called when an update was added. */
  onAdded: () => void = () => {};
  #nextId = 100_000_000 + Math.floor(Math.random() * 1_000_000);
  #poller: { stop: (why: ApiError | null) => void; look: () => void } | null = null;

  constructor(readonly changed: () => void) {}

  /** Null when the bot did not ask for this kind. */
  add(update: Omit<Update, "update_id">): Update | null {
    const [kind] = Object.keys(update) as [Kind];
    const wanted = this.allowed === null ? !ON_REQUEST.includes(kind) : this.allowed.includes(kind);
    if (!wanted) return null;
    const numbered = { update_id: this.#nextId++, ...update };
    this.pending.push(numbered);
    this.#poller?.look();
    this.onAdded();
    return numbered;
  }

  /** Every update with a smaller id is done with. */
  confirmBelow(offset: number): void {
    // A negative offset counts from the end and forgets what is before.
    const below = offset < 0 ? this.pending.at(offset)?.update_id ?? 0 : offset;
    while (this.pending.length > 0 && this.pending[0]!.update_id < below) {
      this.confirmed.push(this.pending.shift()!.update_id);
    }
    this.changed();
  }

  confirm(updateId: number): void {
    const index = this.pending.findIndex(({ update_id }) => update_id === updateId);
    if (index >= 0) this.pending.splice(index, 1);
    this.confirmed.push(updateId);
    this.changed();
  }

  drop(): void {
    this.pending.length = 0;
    this.changed();
  }

  /** Long polling: answers at once when there is something, else when something comes or the time is over. */
  take({ offset, limit, timeout, gone }: Poll): Promise<Update[]> {
    if (limit !== null && (limit < 1 || limit > MAX_BATCH)) throw badRequest("invalid limit specified");
    if (offset !== null && offset !== 0) this.confirmBelow(offset);
    this.#poller?.stop(
      new ApiError(
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
      ),
    );
    return new Promise((resolve, reject) => {
      const end = (why: ApiError | null) => {
        clearTimeout(timer);
        gone.removeEventListener("abort", onGone);
        if (this.#poller === poller) this.#poller = null;
        if (why) reject(why);
        else resolve(this.pending.slice(0, limit ?? MAX_BATCH));
      };
      const onGone = () => end(null);
      const poller = {
        stop: end,
        look: () => {
          if (this.pending.length > 0) end(null);
        },
      };
      const timer = setTimeout(() => end(null), (timeout ?? 0) * 1000);
      gone.addEventListener("abort", onGone);
      this.#poller = poller;
      this.changed();
      poller.look();
    });
  }

  get polling(): boolean {
    return this.#poller !== null;
  }

  stopPolling(): void {
    this.#poller?.stop(null);
  }
}

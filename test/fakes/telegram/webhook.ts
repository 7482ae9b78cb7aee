/** Delivers updates to a webhook as Telegram does: chat by chat in order, again until the answer is a 200. */
import type { Update } from "grammy/types";
import { messageOf } from "../../../lib/errors.ts";
import { badRequest } from "./api_error.ts";
import type { Params } from "./params.ts";
import type { UpdateQueue } from "./update_queue.ts";

export interface WebhookOptions {
  /** Telegram takes https only and comes from outside; deliveries really go to this origin. */
  origin?: string;
  /** How long Telegram waits for the answer (default 10 s), ms. */
  timeoutMs?: number;
  /** Before an update is sent again (default 1 s), ms. */
  resendMs?: number;
}

export interface Delivery {
  updateId: number;
  at: number;
  /** HTTP status, or what went wrong. */
  outcome: number | string;
}

interface Hook {
  url: string;
  secret: string | null;
}

export class Webhook {
  hook: Hook | null = null;
  readonly deliveries: Delivery[] = [];
  lastError: string | null = null;
  readonly #underWay = new Set<string>();
  #stopped = new AbortController();

  constructor(
    readonly queue: UpdateQueue,
    readonly options: WebhookOptions,
    /** Carries out a call that stands in the answer to an update. */
    readonly perform: (method: string, values: Record<string, unknown>) => void,
  ) {
    queue.onAdded = () => this.deliver();
  }

  set(params: Params): void {
    const url = params.text("url") ?? "";
    const secret = params.text("secret_token");
    if (url !== "" && !url.startsWith("https://")) {
      throw badRequest("bad webhook: An HTTPS URL must be provided for webhook");
    }
    if (secret !== null && !/^[\w-]{1,256}$/.test(secret)) {
      throw badRequest("secret token contains unallowed characters");
    }
    if (params.flag("drop_pending_updates")) this.queue.drop();
    this.hook = url === "" ? null : { url, secret };
    this.queue.stopPolling();
    this.deliver();
  }

  info(): Record<string, unknown> {
    return {
      url: this.hook?.url ?? "",
      has_custom_certificate: false,
      pending_update_count: this.queue.pending.length,
      ...(this.lastError !== null && { last_error_message: this.lastError }),
    };
  }

  /** Starts on the first waiting update of every chat that none is under way of. */
  deliver(): void {
    if (!this.hook || this.#stopped.signal.aborted) return;
    for (const update of this.queue.pending) {
      const lane = laneOf(update);
      if (this.#underWay.has(lane)) continue;
      this.#underWay.add(lane);
      void this.#send(update, this.hook).then((taken) => {
        this.#underWay.delete(lane);
        this.queue.changed();
        if (taken) return this.deliver();
        const timer = setTimeout(() => this.deliver(), this.options.resendMs ?? 1_000);
        this.#stopped.signal.addEventListener("abort", () => clearTimeout(timer));
      });
    }
  }

  /** Sends an update that was delivered before once more, as Telegram does when it did not see the answer. */
  async repeat(update: Update): Promise<void> {
    if (!this.hook) throw new Error("no webhook is set");
    await this.#send(update, this.hook);
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #send(update: Update, { url, secret }: Hook): Promise<boolean> {
    const { origin, timeoutMs = 10_000 } = this.options;
    const { pathname, search } = new URL(url);
    const target = origin ? new URL(pathname + search, origin) : url;
    const delivery: Delivery = { updateId: update.update_id, at: Date.now(), outcome: "under way" };
    this.deliveries.push(delivery);
    try {
      const response = await fetch(target, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(secret !== null && { "x-telegram-bot-api-secret-token": secret }),
        },
        body: JSON.stringify(update),
        redirect: "manual",
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#stopped.signal]),
      });
      const body = await response.text();
      delivery.outcome = response.status;
      if (response.status !== 200) {
        this.lastError = `Wrong response from the webhook: ${response.status} ${response.statusText}`;
        return false;
      }
      this.queue.confirm(update.update_id);
      this.#performAnswer(body);
      return true;
    } catch (error) {
      delivery.outcome = messageOf(error);
      this.lastError = `Connection failed: ${delivery.outcome}`;
      return false;
    }
  }

  #performAnswer(body: string): void {
    if (!body.startsWith("{")) return;
    const { method, ...values } = JSON.parse(body) as { method?: string };
    if (method) this.perform(method, values);
  }
}

/** Updates of one chat (or one person's button presses) are delivered one after the other. */
function laneOf(update: Update): string {
  const message = update.message ?? update.edited_message ?? update.channel_post ??
    update.callback_query?.message;
  return String(message?.chat.id ?? update.callback_query?.from.id ?? "other");
}

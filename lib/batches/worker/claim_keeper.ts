/** Renews the claims of a worker for as long as it holds them, and lets go of those that were taken away. */
import { clearTimeout, setTimeout } from "node:timers";
import type { ClaimedItem } from "../../budget/ledger/hold_items.ts";
import { messageOf } from "../../errors.ts";
import { renewLeases } from "../leases.ts";
import type { ServingOptions } from "./active_session.ts";

/**
 * After a renewal that failed the next one is tried this soon, ms: once a database that was away is back, all claims have
 * run out, and they are ours only until somebody takes them back (outage_grace.ts waits for this).
 */
const AGAIN_MS = 1_000;

export interface Claim {
  item: Pick<ClaimedItem, "item_id" | "article_id" | "lease_token">;
  /** Fires when the claim was lost. */
  controller: AbortController;
  /** When the claim runs out unless it is renewed, by this process's clock (ms since 1970). */
  leaseUntil: number;
  /** What became of it is being written; whether the claim was still ours is for that write to say. */
  writing: boolean;
}

export interface ClaimKeeperOptions extends Pick<ServingOptions, "db" | "log"> {
  leaseMs: number;
  /** By their items. What is settled meanwhile leaves. */
  claims: ReadonlyMap<number, Claim>;
}

export class ClaimKeeper {
  readonly #options: ClaimKeeperOptions;
  #timer: NodeJS.Timeout | undefined;
  #on = false;

  constructor(options: ClaimKeeperOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#on) return;
    this.#on = true;
    this.#next(this.#options.leaseMs / 4);
  }

  stop(): void {
    this.#on = false;
    clearTimeout(this.#timer);
  }

  #next(waitMs: number): void {
    if (!this.#on) return;
    this.#timer = setTimeout(async () => {
      const { leaseMs } = this.#options;
      this.#next(await this.#renew() ? leaseMs / 4 : Math.min(AGAIN_MS, leaseMs / 4));
    }, waitMs);
  }

  /** Whether the database took it. */
  async #renew(): Promise<boolean> {
    const { db, log, leaseMs, claims } = this.#options;
    const held = [...claims.values()];
    if (held.length === 0) return true;
    const leaseUntil = Date.now() + leaseMs;
    try {
      const kept = await renewLeases(db, held.map(({ item }) => item), leaseMs);
      for (const claim of held) {
        const { item, controller } = claim;
        if (kept.has(item.item_id)) claim.leaseUntil = leaseUntil;
        if (kept.has(item.item_id) || claim.writing || !claims.has(item.item_id)) continue;
        log("warn", { article: item.article_id }, "lost the claim on an article");
        controller.abort();
      }
      return true;
    } catch (error) {
      log("warn", { error: messageOf(error) }, "leases not renewed; trying again");
      return false;
    }
  }
}

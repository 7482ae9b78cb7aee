/**
 * When the next search may leave: after "come back later" none does until then, over all articles of this worker. Then
 * one asks whether it is later, and the others wait for its answer.
 *
 *     open --429--> closed --time is over--> one tries --answered--> open
 *                     ^                         |
 *                     +----------429------------+
 *
 * Apart from the model's gate (call_gate.ts): that a search engine is busy is no reason to keep the model waiting.
 */
import { sleep } from "../../sleep.ts";
import { Recall } from "./recall.ts";

/** A search that may leave. */
export interface Turn {
  /** @param waitMs The provider wants everybody to come back after this long, ms; null: it does not want that. */
  answered(waitMs: number | null): void;
  /** It did not leave after all. */
  giveBack(): void;
}

export interface Wait {
  signal: AbortSignal;
  /** How long it still makes sense to wait, ms. */
  leftMs: () => number;
  /** Called when it has to wait. */
  onWait: () => void;
}

export class SearchGate {
  /** Searches at once: what waited together must not leave together. */
  readonly #most: number;
  #out = 0;
  #opensAt = 0;
  /** When the provider last said "come back later"; null: an answer since then showed that it is later. */
  #toldAt: number | null = null;
  #tried = false;
  readonly #changed = new Recall();

  constructor(most: number) {
    this.#most = most;
  }

  /** "too_late": before it may leave there would be no time left. "stopped": the signal fired. */
  async pass({ signal, leftMs, onWait }: Wait): Promise<Turn | "too_late" | "stopped"> {
    while (!signal.aborted) {
      const closedMs = this.#opensAt - performance.now();
      if (closedMs <= 0 && !this.#tried && this.#out < this.#most) return this.#leave();
      if (closedMs >= leftMs()) return "too_late";
      onWait();
      const changed = AbortSignal.any([signal, this.#changed.signal]);
      await sleep(closedMs > 0 ? closedMs : Math.max(0, leftMs()), changed);
    }
    return "stopped";
  }

  #leave(): Turn {
    const tries = this.#toldAt !== null;
    const leftAt = performance.now();
    this.#tried = tries;
    this.#out++;
    const end = () => {
      this.#out--;
      if (tries) this.#tried = false;
      this.#changed.fire();
    };
    return {
      answered: (waitMs) => {
        if (waitMs !== null) {
          this.#toldAt = performance.now();
          this.#opensAt = Math.max(this.#opensAt, this.#toldAt + waitMs);
        } else if (this.#toldAt !== null && leftAt >= this.#toldAt) {
          // What left before says nothing about later.
          this.#toldAt = null;
        }
        end();
      },
      giveBack: end,
    };
  }
}

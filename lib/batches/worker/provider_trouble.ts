/**
 * What a failed request means for everything else that would be sent: nothing, stay away for a moment, pause the
 * session, or search no more. Keeps what it takes to tell a rate limit that passes from one that does not.
 */
import type { Failure } from "../../analysis/port.ts";
import type { ComeBack } from "../change_session.ts";
import type { CallGate } from "./call_gate.ts";
import {
  afterOutage,
  afterQuota,
  afterRateLimit,
  STAYS,
  TROUBLE_TIMING,
  type TroubleTiming,
} from "./come_back.ts";

export type Consequence =
  | { kind: "none" }
  /** The gate is closed; what has not been sent goes back. */
  | { kind: "stay_away" }
  | { kind: "pause"; reason: string; comeBack: ComeBack }
  | { kind: "stop_research" };

export class ProviderTrouble {
  readonly #gate: CallGate;
  readonly #timing: TroubleTiming;
  /** When the provider first said "come back later" since its last answer; null: it did not. */
  #waitingSince: number | null = null;
  /** When the provider last said it, to this process or to another. */
  #toldAt = 0;

  constructor(gate: CallGate, timing: TroubleTiming = TROUBLE_TIMING) {
    this.#gate = gate;
    this.#timing = timing;
  }

  /** The last word was "come back later": one request asks whether it is later, instead of all at once. */
  get waiting(): boolean {
    return this.#waitingSince !== null;
  }

  /** Another process was told "come back later". */
  heardOfWait(): void {
    this.#toldAt = performance.now();
    this.#waitingSince ??= this.#toldAt;
  }

  /**
   * The model has answered a question.
   * @param sentAt When that left (`performance.now()`): an answer to what was under way when somebody was told to wait
   * says nothing about later.
   */
  succeeded(sentAt: number): void {
    if (sentAt >= this.#toldAt) this.#waitingSince = null;
  }

  /** Another session: how long the one before it had waited is nothing to it. */
  forget(): void {
    this.#waitingSince = null;
  }

  /** Closes the gate where that is enough; everything else is the caller's to do. */
  heed(failure: Failure): Consequence {
    switch (failure.action) {
      case "wait":
        return this.#wait(failure.waitMs ?? 0);
      case "pause":
        return { kind: "pause", reason: "provider_outage", comeBack: afterOutage(this.#timing, failure) };
      case "stop_session":
        return {
          kind: "pause",
          reason: failure.failure,
          comeBack: failure.waitMs === undefined ? STAYS : afterQuota(this.#timing, failure.waitMs),
        };
      case "stop_research":
        return { kind: "stop_research" };
      case "retry":
      case "give_up":
        return { kind: "none" };
    }
  }

  #wait(toldMs: number): Consequence {
    const now = performance.now();
    this.#toldAt = now;
    this.#waitingSince ??= now;
    const { longestWaitMs, patienceMs } = this.#timing;
    if (toldMs > longestWaitMs || now - this.#waitingSince >= patienceMs) {
      return { kind: "pause", reason: "rate_limited", comeBack: afterRateLimit(this.#timing, toldMs) };
    }
    this.#gate.close(toldMs);
    return { kind: "stay_away" };
  }
}

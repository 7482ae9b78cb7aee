/**
 * Groups settlements: while one group is being written the next one gathers, so that a busy worker makes few large
 * writes and an idle one writes at once.
 */
import { setImmediate } from "node:timers/promises";
import {
  settleCalls,
  type Settlement,
  type SettleResult,
  type SettleVerdict,
} from "../../budget/ledger/settle_calls.ts";
import { isConnectionLost } from "../../database/connection_lost.ts";
import type { Database } from "../../database/port.ts";
import { messageOf } from "../../errors.ts";
import { sleep } from "../../sleep.ts";

interface Waiting {
  sessionId: string;
  settlement: Settlement;
  resolve: (verdict: SettleVerdict) => void;
}

export interface SettlementQueueOptions {
  db: Database;
  actor: string;
  /**
   * How long a write is tried again that the database answers with an error, ms. Time in which it cannot be reached does
   * not count, because nobody can take the claim meanwhile; only at the end of the process it does.
   */
  giveUpMs: number;
  onSettled: (sessionId: string, session: SettleResult["session"]) => void;
  onTrouble: (message: string, settlements: number) => void;
}

/** A group larger than this is cut: one statement should not hold the session's row for long. */
const LARGEST_GROUP = 64;

export class SettlementQueue {
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;
  #stopping = false;

  constructor(readonly options: SettlementQueueOptions) {}

  get size(): number {
    return this.#waiting.length;
  }

  /** The process ends: what cannot be written within `giveUpMs` is left. */
  stop(): void {
    this.#stopping = true;
  }

  /** Resolves when it is written. "stale": the claim was lost, nothing was changed. Never rejects. */
  settle(sessionId: string, settlement: Settlement): Promise<SettleVerdict> {
    return new Promise((resolve) => {
      this.#waiting.push({ sessionId, settlement, resolve });
      this.#running ??= this.#run().finally(() => this.#running = null);
    });
  }

  async #run(): Promise<void> {
    // Lets everything that is finished in this turn of the event loop into the first group.
    await setImmediate();
    while (this.#waiting.length > 0) {
      const { sessionId } = this.#waiting[0];
      const group: Waiting[] = [];
      const rest: Waiting[] = [];
      for (const entry of this.#waiting) {
        (entry.sessionId === sessionId && group.length < LARGEST_GROUP ? group : rest).push(entry);
      }
      this.#waiting = rest;
      await this.#write(sessionId, group);
    }
  }

  /** Tries until it is written: a repeated write is recognised by its outcome_id. */
  async #write(sessionId: string, group: Waiting[]): Promise<void> {
    let triedMs = 0;
    for (let pause = 50;; pause = Math.min(pause * 2, 2_000)) {
      const began = performance.now();
      try {
        const settlements = group.map((entry) => entry.settlement);
        const { verdicts, session } = await settleCalls(
          this.options.db,
          sessionId,
          settlements,
          this.options.actor,
        );
        for (const entry of group) entry.resolve(verdicts.get(entry.settlement.outcome_id) ?? "stale");
        this.options.onSettled(sessionId, session);
        return;
      } catch (error) {
        this.options.onTrouble(messageOf(error), group.length);
        if (refusesData(error)) return await this.#isolate(sessionId, group, error);
        if (triedMs > this.options.giveUpMs) return group.forEach((entry) => entry.resolve("stale"));
        await sleep(pause, NEVER);
        if (this.#stopping || !isUnreachable(error)) triedMs += performance.now() - began;
      }
    }
  }

  /** One row that the database refuses must not take the others with it. */
  async #isolate(sessionId: string, group: Waiting[], error: unknown): Promise<void> {
    if (group.length > 1) {
      for (const entry of group) await this.#write(sessionId, [entry]);
      return;
    }
    const [entry] = group;
    // Without its analysis there is nothing left to refuse; a second refusal is a defect and gives the claim up.
    if (entry.settlement.analysis === null && entry.settlement.research === null) {
      return entry.resolve("stale");
    }
    entry.settlement = withoutContent(entry.settlement, messageOf(error));
    await this.#write(sessionId, [entry]);
  }
}

const NEVER = new AbortController().signal;

function withoutContent(settlement: Settlement, message: string): Settlement {
  const hadAnalysis = settlement.analysis !== null;
  return {
    ...settlement,
    analysis: null,
    research: null,
    item: hadAnalysis
      ? {
        ...settlement.item,
        to: "FAILED",
        stage: "ANALYSIS",
        permanent: true,
        error_class: "not_storable",
        error: `the database refused the analysis: ${message}`,
      }
      : settlement.item,
  };
}

/** Whether the database did not answer. One that goes silent in the middle of a write is not there either. */
function isUnreachable(error: unknown): boolean {
  return isConnectionLost(error) || messageOf(error) === "Query read timeout";
}

/** SQLSTATE classes 22 (data exception), 23 (constraint), 42 (wrong statement): trying again changes nothing. */
function refusesData(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^(22|23|42)/.test(code);
}

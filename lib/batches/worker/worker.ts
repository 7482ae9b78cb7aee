/**
 * The worker of a process: claims due items of live sessions, keeps `concurrency` of them under way, settles in
 * groups, renews its leases, and stops without losing anything.
 *
 *     due items --claim+hold--> ready --start--> under way --answer--> settling --commit--> done
 *                                                    |                                  (slot free at the answer)
 *                                                    +-- lease lost: aborted, its write changes nothing
 *
 * A wake-up (queue message, finished call, timer) only makes it look; what there is to do stands in Postgres.
 */
import { clearTimeout, setTimeout } from "node:timers";
import type { Failure } from "../../analysis/port.ts";
import { ensureDay } from "../../budget/ledger/day_budget.ts";
import { holdCall, type HoldRequest } from "../../budget/ledger/hold_call.ts";
import { type ClaimedItem, holdItems } from "../../budget/ledger/hold_items.ts";
import { messageOf } from "../../errors.ts";
import { finishIfDone, pauseSession, switchResearchOff } from "../change_session.ts";
import { renewLeases } from "../leases.ts";
import { type ActiveSession, chooseSession, type ServingOptions, utcDay } from "./active_session.ts";
import { analyseItem } from "./analyse_item.ts";
import { decideEmptyClaim } from "./empty_claim.ts";
import { putBack, unsentOutcome } from "./outcomes.ts";
import { SettlementQueue } from "./settlement_queue.ts";

/** How long a claim lives without renewal, ms: a worker that died is noticed after this. */
const LEASE_MS = 30_000;
/** With nothing to do the worker looks this often, ms: work that another process started begins within it. */
const IDLE_LOOK_MS = 1_000;
/** A run of failures without one success pauses the session instead of burning its budget. */
const FAILURE_RUN_LIMIT = 10;
/** Calls faster than this make it worth claiming ahead; slower ones hide a claim, and a claim ahead is money held. */
const CLAIM_AHEAD_BELOW_MS = 1_000;
const MOST_ROUNDS_AHEAD = 4;

export interface WorkerOptions extends ServingOptions {
  concurrency: number;
  leaseMs?: number;
}

interface Holding {
  item: ClaimedItem;
  active: ActiveSession;
  controller: AbortController;
}

export class Worker {
  readonly #options: WorkerOptions;
  readonly #leaseMs: number;
  readonly #settlements: SettlementQueue;
  /** Every item whose lease is ours, from claim to commit. */
  readonly #holdings = new Map<number, Holding>();
  #ready: Holding[] = [];
  #underWay = 0;
  #active: ActiveSession | null = null;
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  #timer: NodeJS.Timeout | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #stopping = new AbortController();
  /** Sessions that the provider made us stop, until their pause is written: nothing more of theirs is sent. */
  readonly #halted = new Set<string>();
  /** Sessions whose searches cannot succeed any more; their row says so a moment later. */
  readonly #researchOff = new Set<string>();
  #meanCallMs = Infinity;
  #meanClaimMs = 0;
  #idle: (() => void)[] = [];

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#settlements = new SettlementQueue({
      db: options.db,
      actor: options.workerId,
      giveUpMs: this.#leaseMs * 2,
      onSettled: (sessionId, session) => this.#afterSettlement(sessionId, session),
      onTrouble: (error, settlements) =>
        options.log("warn", { error, settlements }, "settlement not written yet"),
    });
  }

  /** Begins to look for work. */
  start(): void {
    this.#heartbeat ??= setInterval(() => void this.#renew(), this.#leaseMs / 4);
    this.wake();
  }

  /** There may be something to do. Cheap, and harmless when there is not. */
  wake(): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#looking = this.#look().finally(() => {
      this.#looking = null;
      if (this.#lookAgain) {
        this.#lookAgain = false;
        this.wake();
      }
    });
  }

  /** Number of articles whose claim is ours. */
  get holding(): number {
    return this.#holdings.size;
  }

  /**
   * Starts nothing new, lets what was sent finish, gives back what was not.
   * @param graceMs After this long, requests that are still out are aborted; their calls become UNKNOWN.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    for (const holding of this.#ready.splice(0)) this.#giveBack(holding);
    const cut = setTimeout(() => {
      for (const { controller } of this.#holdings.values()) controller.abort();
    }, graceMs);
    await this.#looking;
    for (const holding of this.#ready.splice(0)) this.#giveBack(holding);
    if (this.#holdings.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    clearTimeout(cut);
    clearInterval(this.#heartbeat);
  }

  async #look(): Promise<void> {
    let nextMs = IDLE_LOOK_MS;
    try {
      while (!this.#stopping.signal.aborted) {
        const wanted = this.#wanted();
        if (wanted <= 0) return;
        if (this.#options.gate.closedMs > 0) {
          nextMs = this.#options.gate.closedMs;
          break;
        }
        if (this.#active?.day !== utcDay()) this.#active = null;
        const active = this.#active ??
          await this.#chooseSession((waitMs) => nextMs = Math.min(nextMs, waitMs));
        this.#active = active;
        if (!active) break;
        const asked = performance.now();
        const items = await holdItems(this.#options.db, {
          sessionId: active.session.session_id,
          limit: wanted,
          worker: this.#options.workerId,
          leaseMs: this.#leaseMs,
        });
        this.#meanClaimMs = this.#meanClaimMs * 0.8 + (performance.now() - asked) * 0.2;
        for (const item of items) this.#take(item, active);
        this.#startReady();
        if (items.length > 0) continue;
        const decision = await decideEmptyClaim(this.#options, active.session.session_id);
        if (decision.again) continue;
        if (decision.leave) this.#active = null;
        nextMs = Math.min(nextMs, decision.waitMs);
        break;
      }
    } catch (error) {
      this.#options.log("warn", { error: messageOf(error) }, "could not look for work; trying again");
      this.#active = null;
    }
    if (!this.#stopping.signal.aborted) this.#timer = setTimeout(() => this.wake(), Math.max(5, nextMs));
  }

  /** How many more claims are useful now. */
  #wanted(): number {
    const { concurrency } = this.#options;
    // As many as can be called while the next claim is on its way, and a full round at least.
    const rounds = Math.min(MOST_ROUNDS_AHEAD, 1 + this.#meanClaimMs / this.#meanCallMs);
    const ahead = this.#meanCallMs < CLAIM_AHEAD_BELOW_MS ? Math.ceil(concurrency * rounds) : 0;
    const settlingBound = 4 * concurrency + ahead;
    return Math.min(
      concurrency + ahead - this.#underWay - this.#ready.length,
      settlingBound - this.#holdings.size,
    );
  }

  #take(item: ClaimedItem, active: ActiveSession): void {
    const holding = { item, active, controller: new AbortController() };
    this.#holdings.set(item.item_id, holding);
    if (this.#mayNotSend(active)) this.#giveBack(holding);
    else this.#ready.push(holding);
  }

  #startReady(): void {
    while (this.#underWay < this.#options.concurrency) {
      const holding = this.#ready.shift();
      if (!holding) return;
      this.#underWay++;
      void this.#work(holding);
    }
  }

  async #work(holding: Holding): Promise<void> {
    const { item, active, controller } = holding;
    const { session } = active;
    const started = performance.now();
    const timeout = setTimeout(() => controller.abort(), session.settings.articleTimeoutMs);
    let open = true;
    const callsDone = () => {
      if (!open) return;
      open = false;
      this.#underWay--;
      const took = performance.now() - started;
      this.#meanCallMs = Number.isFinite(this.#meanCallMs) ? this.#meanCallMs * 0.9 + took * 0.1 : took;
      this.#startReady();
      this.wake();
    };
    try {
      await analyseItem(
        {
          ...active.context,
          researcher: this.#researchOff.has(session.session_id) ? null : active.context.researcher,
          callsDone,
          settle: (settlement) => this.#settlements.settle(session.session_id, settlement),
          hold: (kind, provider, model, amount) => this.#hold(holding, { kind, provider, model, amount }),
        },
        item,
        controller.signal,
      );
    } catch (error) {
      // A defect or a lost database: the lease runs out and cleanup takes the item back, charging what was held.
      this.#options.log(
        "error",
        { error: messageOf(error), article: item.article_id },
        "article left to its lease",
      );
    } finally {
      clearTimeout(timeout);
      callsDone();
      this.#drop(holding);
    }
  }

  async #hold(
    { item, active }: Holding,
    call: Pick<HoldRequest, "kind" | "provider" | "model" | "amount">,
  ): Promise<number | "no_room" | "lost"> {
    const { db, workerId, dayBudget } = this.#options;
    const { session_id: sessionId, simulated } = active.session;
    const request = {
      sessionId,
      itemId: item.item_id,
      leaseToken: item.lease_token,
      worker: workerId,
      ...call,
    };
    const held = await holdCall(db, request);
    if (held !== "no_room") return held;
    // Just after midnight there is no room only because the new day has no row yet.
    await ensureDay(db, simulated, dayBudget);
    return await holdCall(db, request);
  }

  #giveBack(holding: Holding): void {
    const { item, active } = holding;
    const settlement = {
      outcome_id: crypto.randomUUID(),
      item_id: item.item_id,
      lease_token: item.lease_token,
      call: unsentOutcome(item.call_id, "the worker stopped before it was sent"),
      item: putBack(),
      analysis: null,
      research: null,
    };
    void this.#settlements.settle(active.session.session_id, settlement).then(() => this.#drop(holding));
  }

  #drop(holding: Holding): void {
    // What was put back may be ours again already, under a new claim that must stay.
    const { item_id } = holding.item;
    if (this.#holdings.get(item_id) === holding) this.#holdings.delete(item_id);
    if (this.#holdings.size === 0) this.#idle.splice(0).forEach((resolve) => resolve());
    this.wake();
  }

  #chooseSession(later: (waitMs: number) => void): Promise<ActiveSession | null> {
    return chooseSession(this.#options, {
      stopping: this.#stopping.signal,
      halted: this.#halted,
      later,
      onFailure: (sessionId, failure) => this.#onFailure(sessionId, failure),
    });
  }

  #onFailure(sessionId: string, failure: Failure): void {
    const { db, workerId, gate, log } = this.#options;
    log("warn", { failure: failure.failure, action: failure.action }, failure.message);
    if (failure.action === "wait") gate.close(failure.waitMs ?? IDLE_LOOK_MS);
    if (failure.action === "stop_session") {
      this.#halt(
        sessionId,
        pauseSession(db, sessionId, workerId, failure.failure, { error: failure.message }),
      );
    }
    if (failure.action === "stop_research") {
      this.#researchOff.add(sessionId);
      this.#active = null;
      this.#background(switchResearchOff(db, sessionId, workerId, failure.message));
    }
  }

  #afterSettlement(sessionId: string, session: { status: string; failure_run: number; open: number }): void {
    const { db, workerId } = this.#options;
    if (session.open === 0) this.#background(finishIfDone(db, sessionId, workerId));
    else if (session.failure_run >= FAILURE_RUN_LIMIT && session.status === "PROCESSING") {
      this.#halt(
        sessionId,
        pauseSession(db, sessionId, workerId, "failing", { failures: session.failure_run }),
      );
    }
  }

  /** Sends nothing more of this session while its pause is being written; what was claimed ahead goes back. */
  #halt(sessionId: string, pause: Promise<unknown>): void {
    this.#halted.add(sessionId);
    this.#active = null;
    const back = this.#ready.filter(({ active }) => active.session.session_id === sessionId);
    this.#ready = this.#ready.filter((holding) => !back.includes(holding));
    for (const holding of back) this.#giveBack(holding);
    this.#background(pause.finally(() => this.#halted.delete(sessionId)));
  }

  #mayNotSend(active: ActiveSession): boolean {
    return this.#stopping.signal.aborted || this.#halted.has(active.session.session_id);
  }

  #background(work: Promise<unknown>): void {
    work.then(() => this.wake()).catch((error) =>
      this.#options.log(
        "warn",
        { error: messageOf(error) },
        "a follow-up was not written; it is repeated when it is still needed",
      )
    );
  }

  /** Keeps the claims, and lets go of those that were taken away. */
  async #renew(): Promise<void> {
    const held = [...this.#holdings.values()];
    if (held.length === 0) return;
    try {
      const kept = await renewLeases(this.#options.db, held.map(({ item }) => item), this.#leaseMs);
      for (const { item, controller } of held) {
        if (kept.has(item.item_id) || !this.#holdings.has(item.item_id)) continue;
        this.#options.log("warn", { article: item.article_id }, "lost the claim on an article");
        controller.abort();
      }
    } catch (error) {
      this.#options.log("warn", { error: messageOf(error) }, "leases not renewed; trying again");
    }
  }
}

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
import { type ClaimedItem, holdItems } from "../../budget/ledger/hold_items.ts";
import { messageOf } from "../../errors.ts";
import { spareTime } from "../../spare_time.ts";
import type { Settlement, SettleResult, SettleVerdict } from "../../budget/ledger/settle_calls.ts";
import { resumeDue } from "../resume_due.ts";
import { type ActiveSession, chooseSession, type ServingOptions, utcDay } from "./active_session.ts";
import { analyseItem } from "./analyse_item.ts";
import { ArticleClock } from "./article_clock.ts";
import type { TroubleTiming } from "./come_back.ts";
import { ClaimKeeper } from "./claim_keeper.ts";
import { decideEmptyClaim } from "./empty_claim.ts";
import { FollowUps } from "./follow_ups.ts";
import { holdMore } from "./hold_more.ts";
import { canBeOurs, type Holding } from "./holding.ts";
import { unsentSettlement } from "./outcomes.ts";
import { Pace } from "./pace.ts";
import { SearchGate } from "./search_gate.ts";
import { SettlementQueue } from "./settlement_queue.ts";

/** How long a claim lives without renewal, ms: a worker that died is noticed after this. */
const LEASE_MS = 30_000;
/** With nothing to do the worker looks this often, ms: work that another process started begins within it. */
const IDLE_LOOK_MS = 1_000;

export interface WorkerOptions extends ServingOptions {
  concurrency: number;
  leaseMs?: number;
  idleLookMs?: number;
  /** How long sessions wait for a provider; a test is quicker. */
  troubleTiming?: TroubleTiming;
}

export class Worker {
  readonly #options: WorkerOptions;
  readonly #leaseMs: number;
  readonly #settlements: SettlementQueue;
  /** Every item whose lease is ours, from claim to commit. */
  readonly #holdings = new Map<number, Holding>();
  #ready: Holding[] = [];
  #underWay = 0;
  /** Within this millisecond. */
  #started = 0;
  #startTimer: NodeJS.Timeout | undefined;
  #active: ActiveSession | null = null;
  #lastServed: string | null = null;
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  #timer: NodeJS.Timeout | undefined;
  #resting = false;
  readonly #claims: ClaimKeeper;
  #stopping = new AbortController();
  readonly #pace: Pace;
  readonly #searches: SearchGate;
  readonly #followUps: FollowUps;
  readonly #unable = new Map<number, string>();
  #idle: (() => void)[] = [];

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    const { db, log } = options;
    this.#claims = new ClaimKeeper({ db, log, leaseMs: this.#leaseMs, claims: this.#holdings });
    this.#pace = new Pace(options.concurrency);
    this.#searches = new SearchGate(options.concurrency);
    this.#followUps = new FollowUps({
      ...options,
      timing: options.troubleTiming,
      giveBack: (sessionId) => this.#giveBackReady(sessionId),
      chooseAnew: () => this.#active = null,
      wake: () => this.wake(),
    });
    this.#settlements = new SettlementQueue({
      db: options.db,
      actor: options.workerId,
      giveUpMs: this.#leaseMs * 2,
      onSettled: (sessionId, session) => this.#afterSettlement(sessionId, session),
      onTrouble: (error, settlements) =>
        options.log("warn", { error, settlements }, "settlement not written yet"),
    });
  }

  /** Begins to look for work, or goes on after a rest. */
  start(): void {
    this.#resting = false;
    this.#claims.start();
    this.wake();
  }

  /** Claims nothing more until it is started again: what was sent is taken in, what was not goes back. */
  rest(): void {
    this.#resting = true;
    clearTimeout(this.#timer);
    for (const holding of this.#ready.splice(0)) this.#giveBack(holding);
  }

  /** There may be something to do. Cheap, and harmless when there is not. */
  wake(): void {
    if (this.#mayNotClaim) return;
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
    this.#settlements.stop();
    this.rest();
    const cut = setTimeout(() => {
      for (const { controller } of this.#holdings.values()) controller.abort();
    }, graceMs);
    await this.#looking;
    for (const holding of this.#ready.splice(0)) this.#giveBack(holding);
    if (this.#holdings.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    clearTimeout(cut);
    this.#claims.stop();
  }

  async #look(): Promise<void> {
    let nextMs = this.#options.idleLookMs ?? IDLE_LOOK_MS;
    try {
      while (!this.#mayNotClaim) {
        const wanted = this.#pace.wanted(this.#underWay, this.#ready.length, this.#holdings.size);
        if (wanted <= 0) return;
        if (this.#active?.day !== utcDay()) this.#active = null;
        const active = this.#active ??
          await this.#chooseSession((waitMs) => nextMs = Math.min(nextMs, waitMs));
        this.#active = active;
        if (!active) {
          if ((await resumeDue(this.#options.db, this.#options.workerId)).length > 0) continue;
          break;
        }
        if (!active.session.simulated && this.#options.gate.closedMs > 0) {
          nextMs = this.#options.gate.closedMs;
          break;
        }
        const tries = this.#mustTry(active);
        if (tries && [...this.#holdings.values()].some((holding) => holding.tries)) return;
        if (this.#underWay === 0) this.#expectStarts(active, wanted);
        const asked = performance.now();
        const leaseUntil = Date.now() + this.#leaseMs;
        const items = await holdItems(this.#options.db, {
          sessionId: active.session.session_id,
          limit: tries ? 1 : wanted,
          worker: this.#options.workerId,
          leaseMs: this.#leaseMs,
        });
        this.#pace.claimTook(performance.now() - asked);
        for (const item of items) this.#take(item, active, tries, leaseUntil);
        this.#startReady();
        void this.#prepareReady();
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
    if (!this.#mayNotClaim) this.#timer = setTimeout(() => this.wake(), Math.max(5, nextMs));
  }

  /** What is claimed now starts at once: while the database answers, connections open and places are reserved. */
  #expectStarts({ session, context }: ActiveSession, wanted: number): void {
    context.analyst.expect?.(Math.min(wanted, this.#options.concurrency));
    if (!session.simulated) this.#options.gate.expect();
  }

  /** It is not known whether the provider works again: one article has to find out before the others follow. */
  #mustTry({ session, resumeTries }: ActiveSession): boolean {
    return !session.simulated && (resumeTries > 0 || this.#followUps.trouble.waiting);
  }

  #take(item: ClaimedItem, active: ActiveSession, tries: boolean, leaseUntil: number): void {
    const holding = { item, active, controller: new AbortController(), tries, leaseUntil, writing: false };
    this.#holdings.set(item.item_id, holding);
    if (this.#mayNotSend(active)) this.#giveBack(holding);
    else this.#ready.push(holding);
  }

  #startReady(): void {
    while (this.#underWay < this.#options.concurrency && this.#started < this.#pace.startsPerMs) {
      const holding = this.#ready.shift();
      if (!holding) return;
      this.#started++;
      this.#startTimer ??= setTimeout(() => {
        this.#started = 0;
        this.#startTimer = undefined;
        this.#startReady();
      }, 1);
      this.#underWay++;
      void this.#work(holding);
    }
  }

  /** Builds the requests of what waits for a slot, so that each can leave in the moment an answer frees one. */
  async #prepareReady(): Promise<void> {
    await spareTime();
    for (const { item, active } of this.#ready) active.context.analyst.prepare?.(item.article);
  }

  async #work(holding: Holding): Promise<void> {
    const { item, active, controller } = holding;
    const { session } = active;
    const started = performance.now();
    const clock = new ArticleClock(controller, session.settings.articleTimeoutMs);
    let open = true;
    let sentAt = 0;
    const callsDone = () => {
      if (!open) return;
      open = false;
      this.#underWay--;
      this.#pace.callTook(performance.now() - started);
      this.#startReady();
      this.wake();
    };
    try {
      await analyseItem(
        {
          ...active.context,
          ...this.#followUps.researchIsOff(session.session_id),
          callsDone,
          maySearch: (signal) =>
            this.#searches.pass({
              signal: AbortSignal.any([signal, this.#stopping.signal, this.#followUps.halt.signal]),
              leftMs: () => clock.leftMs,
              onWait: callsDone,
            }),
          mayCall: async (signal, patient) => {
            clock.stop();
            const may = await active.context.mayCall(signal, patient);
            clock.go();
            sentAt = performance.now();
            return may && canBeOurs(holding);
          },
          onSuccess: () => this.#followUps.afterSuccess(session.session_id, sentAt),
          onFailure: (failure) => this.#followUps.afterFailure(session.session_id, item.article_id, failure),
          settle: (settlement) => this.#settle(holding, settlement),
          hold: (kind, provider, model, amount) =>
            holdMore(this.#options, session, item, { kind, provider, model, amount }),
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
      clock.stop();
      callsDone();
      this.#drop(holding);
    }
  }

  async #settle(holding: Holding, settlement: Settlement): Promise<SettleVerdict> {
    holding.writing = true;
    const verdict = await this.#settlements.settle(holding.active.session.session_id, settlement);
    holding.writing = false;
    return verdict;
  }

  #giveBack(holding: Holding): void {
    void this.#settle(holding, unsentSettlement(holding.item)).then(() => this.#drop(holding));
  }

  #drop(holding: Holding): void {
    // What was put back may be ours again already, under a new claim that must stay.
    const { item_id } = holding.item;
    if (this.#holdings.get(item_id) === holding) this.#holdings.delete(item_id);
    if (this.#holdings.size === 0) this.#idle.splice(0).forEach((resolve) => resolve());
    this.wake();
  }

  async #chooseSession(later: (waitMs: number) => void): Promise<ActiveSession | null> {
    const { halted, stayAway, halt, trouble } = this.#followUps;
    const active = await chooseSession(this.#options, {
      stopping: this.#stopping.signal,
      unable: this.#unable,
      halted,
      stayAway,
      halt,
      later,
    });
    if (active && active.session.session_id !== this.#lastServed) {
      this.#lastServed = active.session.session_id;
      trouble.forget();
    }
    return active;
  }

  #afterSettlement(sessionId: string, session: SettleResult["session"]): void {
    if (this.#active?.session.session_id === sessionId) this.#active.resumeTries = session.resume_tries;
    this.#followUps.afterSettlement(sessionId, session);
  }

  #giveBackReady(sessionId: string | null): void {
    const back = this.#ready.filter(({ active: { session } }) =>
      sessionId === null ? !session.simulated : session.session_id === sessionId
    );
    this.#ready = this.#ready.filter((holding) => !back.includes(holding));
    for (const holding of back) this.#giveBack(holding);
  }

  get #mayNotClaim(): boolean {
    return this.#resting || this.#stopping.signal.aborted;
  }

  #mayNotSend({ session }: ActiveSession): boolean {
    return this.#mayNotClaim || this.#followUps.halted.has(session.session_id) ||
      (!session.simulated && this.#options.gate.closedMs > 0);
  }
}

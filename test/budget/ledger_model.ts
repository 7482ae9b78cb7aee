/**
 * A session with simulated workers: takes the steps of a scenario with the real ledger, remembers what the ledger said
 * it did, and brings the session to its end. Providers and processes are make-believe; every statement is real.
 */
import { expect } from "vitest";
import { changeBudget } from "../../lib/batches/change_budget.ts";
import {
  cancelSession,
  finishIfDone,
  pauseSession,
  resumeSession,
} from "../../lib/batches/change_session.ts";
import { reclaimExpired, renewLeases } from "../../lib/batches/leases.ts";
import { findOrphanedSessions } from "../../lib/batches/reconcile/orphaned_calls.ts";
import { isOutOfBalance } from "../../lib/batches/reconcile/session_books.ts";
import { recoverSession } from "../../lib/batches/recover_items.ts";
import { resolveUnknown, type UnknownVerdict } from "../../lib/batches/resolve_unknown.ts";
import { startSession } from "../../lib/batches/start_session.ts";
import { isLive, type SessionStatus } from "../../lib/batches/types.ts";
import { decideEmptyClaim } from "../../lib/batches/worker/empty_claim.ts";
import { analyzed, researching } from "../../lib/batches/worker/outcomes.ts";
import { ensureDay } from "../../lib/budget/ledger/day_budget.ts";
import { holdCall } from "../../lib/budget/ledger/hold_call.ts";
import { holdItems } from "../../lib/budget/ledger/hold_items.ts";
import { settleCalls, type Settlement, type SettleVerdict } from "../../lib/budget/ledger/settle_calls.ts";
import type { Database } from "../../lib/database/port.ts";
import { UserError } from "../../lib/errors.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, TEST_SETTINGS } from "../helpers/articles.ts";
import { findViolations } from "./ledger_invariants.ts";
import { amountOf, type Claim, endOfCall, settlementOf, writeOf } from "./ledger_settlements.ts";
import type { Bill, Ending, Scenario, SingleStep, Step } from "./ledger_steps.ts";

const LEASE_MS = 60_000;
/** More turns than any session of these sizes needs to end. */
const DRAIN_TURNS = 400;

interface Sent {
  settlement: Settlement;
  verdict: SettleVerdict;
}

interface Charge {
  state: string;
  spent: number;
  overrun: number;
}

export class LedgerModel {
  #claims: Claim[] = [];
  readonly #sent: Sent[] = [];
  /** What the ledger must say of every call whose end it confirmed. */
  readonly #charges = new Map<number, Charge>();
  /** The same of every call that an operator resolved: that word is the last. */
  readonly #resolved = new Map<number, Charge>();
  #dayCap: number | null;
  /** Inside `together` what others do at the same time cannot be told. */
  #alone = true;

  private constructor(
    readonly db: Database,
    readonly sessionId: string,
    readonly number: number,
    readonly scenario: Scenario,
    private now: Date,
  ) {
    this.#dayCap = scenario.dayCap;
  }

  static async begin(db: Database, scenario: Scenario, now: Date): Promise<LedgerModel> {
    const articles = await addArticles(db, scenario.worstCases.length, 40);
    await ensureDay(db, scenario.simulated, capOf(scenario.dayCap), now);
    const session = await startSession(db, {
      provider: "gemini",
      model: "gemini-3.1-flash-lite",
      simulated: scenario.simulated,
      budget: micros(scenario.budget),
      estimatedCost: micros(articles.length),
      worstCost: micros(articles.length),
      items: articles.map((articleId, index) => ({
        articleId,
        worstCase: micros(scenario.worstCases[index]),
      })),
      settings: {
        ...TEST_SETTINGS,
        batchSize: scenario.batchSize,
        maxAttempts: scenario.maxAttempts,
        retryBaseMs: scenario.retryBaseMs,
      },
      warnPercent: 67,
      criticalPercent: 83,
      startedBy: "test",
    });
    return new LedgerModel(db, session.session_id, session.number, scenario, now);
  }

  async take(step: Step): Promise<void> {
    if (step.step === "together") {
      this.#alone = false;
      await Promise.all(step.steps.map((one) => this.#takeOne(one)));
      this.#alone = true;
    } else {
      await this.#takeOne(step);
    }
  }

  /** Throws with the broken rules. What cleanup takes for a fault of somebody else must never be the program's own. */
  async check(): Promise<void> {
    expect(await findViolations(this.db, this.sessionId)).toEqual([]);
    expect(await isOutOfBalance(this.db, this.sessionId)).toBe(false);
    expect(await findOrphanedSessions(this.db)).toEqual(new Set());
  }

  /** Every worker dies; new ones work until nothing is left to do. Then all money and states must be final. */
  async drain(): Promise<void> {
    this.#claims = [];
    for (let turn = 0; turn < DRAIN_TURNS; turn++) {
      if (await this.#drainTurn()) return await this.#checkEnd();
      await this.check();
    }
    throw new Error("the session did not come to its end");
  }

  async #drainTurn(): Promise<boolean> {
    const { status, under_way } = await this.#readState();
    if (under_way > 0) {
      this.#pass(LEASE_MS * 2);
      await reclaimExpired(this.db, "cleanup", this.now);
      return false;
    }
    if (!isLive(status)) return true;
    if (status === "PAUSED") {
      if (!await finishIfDone(this.db, this.sessionId, "cleanup")) {
        await resumeSession(this.db, this.sessionId, "test");
      }
      return false;
    }
    await this.#takeOne({ step: "claim", worker: 0, limit: 20 });
    if (this.#claims.length === 0) {
      const decision = await this.#decideEmptyClaim();
      if (!decision.again && Number.isFinite(decision.waitMs)) this.#pass(decision.waitMs + 1);
      return false;
    }
    const picks = this.#claims.map((_, index) => index);
    await this.#settle(picks, [{ kind: "analysed", bill: "small" }], false);
    return false;
  }

  async #checkEnd(): Promise<void> {
    const { rows: calls } = await this.db.query<Charge & { call_id: number; failure: string | null }>(
      "SELECT call_id, state, spent, overrun, failure FROM paid_calls WHERE session_id = $1",
      [this.sessionId],
    );
    for (const { call_id, state, spent, overrun, failure } of calls) {
      const charge = this.#resolved.get(call_id) ?? this.#charges.get(call_id);
      // What no worker has ended, cleanup has: nobody knows what it cost.
      if (charge) expect({ call_id, state, spent, overrun }).toEqual({ call_id, ...charge });
      else expect({ call_id, state, failure }).toEqual({ call_id, state: "UNKNOWN", failure: "worker_lost" });
    }
    const { rows: [{ held }] } = await this.db.query<{ held: number }>(
      "SELECT held FROM batch_processing_sessions WHERE session_id = $1",
      [this.sessionId],
    );
    expect(held).toBe(0);
  }

  async #takeOne(step: SingleStep): Promise<void> {
    switch (step.step) {
      case "claim":
        return await this.#claim(step.worker, step.limit);
      case "settle":
        return await this.#settle(step.picks, step.endings, step.twiceAtOnce);
      case "hold":
        return await this.#hold(step.pick, step.kind, step.amount);
      case "research_answer":
        return await this.#answerResearch(step.pick, step.bill, step.last);
      case "repeat":
        return await this.#repeat(step.picks);
      case "renew":
        return await this.#renew(step.worker);
      case "reclaim":
        this.#pass(step.laterMs);
        await reclaimExpired(this.db, "cleanup", this.now);
        return;
      case "empty_claim":
        await this.#decideEmptyClaim();
        return;
      case "finish":
        await finishIfDone(this.db, this.sessionId, "monitor");
        return;
      case "pause":
        return await this.#move(
          ["PROCESSING", "PAUSED"],
          (id) => pauseSession(this.db, id, "test", "operator"),
        );
      case "resume":
        return await this.#move(["PROCESSING", "PAUSED"], (id) => resumeSession(this.db, id, "test"));
      case "cancel":
        return await this.#move(
          ["PROCESSING", "PAUSED", "CANCELLED"],
          (id) => cancelSession(this.db, id, "test"),
        );
      case "recover":
        return await this.#recover(step.raiseBy);
      case "budget":
        return await this.#changeBudget(step.by);
      case "resolve":
        return await this.#resolve(step.pick, step.verdict, step.bill);
      case "resolve_all": {
        const { resolved } = await resolveUnknown(this.db, { session: this.number }, step.verdict, "test");
        for (const { call_id, amount } of resolved) this.#settleByWord(call_id, step.verdict, amount, amount);
        return;
      }
      case "time":
        return this.#pass(step.ms);
      case "day_cap":
        this.#dayCap = step.cap;
        await ensureDay(this.db, this.scenario.simulated, capOf(step.cap), this.now);
    }
  }

  async #claim(worker: number, limit: number): Promise<void> {
    const items = await holdItems(this.db, {
      sessionId: this.sessionId,
      limit,
      worker: `w${worker}`,
      leaseMs: LEASE_MS,
      now: this.now,
    });
    for (const item of items) {
      const open = { callId: item.call_id, amount: item.amount };
      this.#claims.push({ item, worker, stage: "ANALYSIS", open, busy: false });
    }
  }

  async #settle(picks: number[], endings: Ending[], twiceAtOnce: boolean): Promise<void> {
    const claims = this.#pickClaims(picks, (claim) => claim.stage === "ANALYSIS");
    const writes = claims.map((claim, index) => {
      const ending = endings[index % endings.length];
      return { claim, settlement: settlementOf(claim, ending, this.scenario.retryBaseMs) };
    });
    await this.#write(writes, twiceAtOnce);
  }

  async #hold(pick: number, kind: "search" | "validation", amount: number): Promise<void> {
    const [claim] = this.#pickClaims([pick], ({ stage, open }) => stage === "RESEARCH" && open === null);
    if (!claim) return;
    const callId = await holdCall(this.db, {
      sessionId: this.sessionId,
      itemId: claim.item.item_id,
      leaseToken: claim.item.lease_token,
      worker: `w${claim.worker}`,
      kind,
      provider: kind === "search" ? "tavily" : "gemini",
      model: kind,
      amount: micros(amount),
      now: this.now,
    });
    claim.busy = false;
    if (typeof callId === "number") claim.open = { callId, amount };
    else if (callId === "lost") this.#claims = this.#claims.filter((other) => other !== claim);
  }

  async #answerResearch(pick: number, bill: Bill, last: boolean): Promise<void> {
    const [claim] = this.#pickClaims(
      [pick],
      ({ stage, open }) => stage === "RESEARCH" && (last || open !== null),
    );
    if (!claim) return;
    const settlement = writeOf(claim, endOfCall(claim, "SETTLED", bill), last ? analyzed() : researching());
    if (last) {
      settlement.research = {
        status: "INCONCLUSIVE",
        reason: "sources disagree",
        queries: ["q"],
        sources: [],
      };
    }
    await this.#write([{ claim, settlement }], false);
  }

  /** Writes a group; `twiceAtOnce`: the same group comes again while the first is still being written. */
  async #write(writes: { claim: Claim; settlement: Settlement }[], twiceAtOnce: boolean): Promise<void> {
    if (writes.length === 0) return;
    const group = writes.map((write) => write.settlement);
    const isLiveClaim = this.#alone ? await this.#readLiveTokens() : null;
    const results = await Promise.all(
      (twiceAtOnce ? [group, group] : [group]).map((one) =>
        settleCalls(this.db, this.sessionId, one, `w${writes[0].claim.worker}`, this.now)
      ),
    );
    for (const { claim, settlement } of writes) {
      const verdicts = results.map(({ verdicts }) => verdicts.get(settlement.outcome_id));
      const applied = verdicts.includes("applied");
      if (applied && twiceAtOnce) expect(verdicts.sort()).toEqual(["already", "applied"]);
      if (isLiveClaim) expect(applied).toBe(isLiveClaim.has(settlement.lease_token));
      this.#sent.push({ settlement, verdict: applied ? "applied" : "stale" });
      if (applied) this.#remember(claim, settlement);
      if (applied && settlement.item.to === "PROCESSING") {
        Object.assign(claim, { stage: "RESEARCH", open: null });
      } else this.#claims = this.#claims.filter((other) => other !== claim);
      claim.busy = false;
    }
  }

  #remember({ open }: Claim, { call }: Settlement): void {
    if (!call || !open) return;
    const { amount } = open;
    const bill = call.bill ?? amount;
    this.#charges.set(call.call_id, {
      state: call.state,
      spent: call.state === "SETTLED" ? Math.min(bill, amount) : call.state === "UNKNOWN" ? amount : 0,
      overrun: call.state === "SETTLED" ? Math.max(bill - amount, 0) : 0,
    });
  }

  /** Sends writes again whose answers were lost, as one group. */
  async #repeat(picks: number[]): Promise<void> {
    if (this.#sent.length === 0) return;
    const again = [...new Set(picks.map((pick) => this.#sent[pick % this.#sent.length]))];
    const { verdicts } = await settleCalls(
      this.db,
      this.sessionId,
      again.map((sent) => sent.settlement),
      "w0",
      this.now,
    );
    for (const { settlement, verdict } of again) {
      expect(verdicts.get(settlement.outcome_id)).toBe(verdict === "applied" ? "already" : "stale");
    }
  }

  async #renew(worker: number): Promise<void> {
    const leases = this.#claims.filter((claim) => claim.worker === worker).map((claim) => claim.item);
    await renewLeases(this.db, leases, LEASE_MS, this.now);
  }

  async #recover(raiseBy: number | null): Promise<void> {
    const { status, budget, spent, held } = await this.#readState();
    const wanted = raiseBy === null ? null : micros(budget + raiseBy);
    const work = recoverSession(this.db, this.sessionId, wanted, "test", { now: this.now });
    const refused = await refusal(work);
    if (!this.#alone) return;
    const mayNot = isLive(status) || (wanted !== null && (wanted < spent + held || wanted <= 0));
    expect(refused !== null, refused ?? "recovered").toBe(mayNot);
  }

  async #changeBudget(by: number): Promise<void> {
    const { budget, spent, held } = await this.#readState();
    const refused = await refusal(changeBudget(this.db, this.sessionId, micros(budget + by), "test"));
    if (!this.#alone) return;
    expect(refused !== null, refused ?? "changed").toBe(budget + by < spent + held || budget + by <= 0);
  }

  /** One that is unknown, or one that was resolved before: then nothing changes. */
  async #resolve(pick: number, verdict: UnknownVerdict, bill: Bill): Promise<void> {
    const { rows: calls } = await this.db.query<{ call_id: number; state: string; amount: number }>(
      `SELECT call_id, state, amount FROM paid_calls
       WHERE session_id = $1 AND (state = 'UNKNOWN' OR call_id = ANY ($2)) ORDER BY call_id`,
      [this.sessionId, [...this.#resolved.keys()]],
    );
    if (calls.length === 0) return;
    const { call_id, state, amount } = calls[pick % calls.length];
    const paid = verdict === "paid" ? amountOf(bill, amount) ?? undefined : undefined;
    const { resolved, earlier } = await resolveUnknown(
      this.db,
      { call: call_id, bill: paid },
      verdict,
      "test",
    );
    if (resolved.length > 0) this.#settleByWord(call_id, verdict, amount, paid ?? amount);
    if (!this.#alone) return;
    expect({ resolved: resolved.length, earlier: earlier !== null }).toEqual({
      resolved: state === "UNKNOWN" ? 1 : 0,
      earlier: state !== "UNKNOWN",
    });
  }

  #settleByWord(callId: number, verdict: UnknownVerdict, amount: number, bill: number): void {
    this.#resolved.set(
      callId,
      verdict === "paid"
        ? { state: "SETTLED", spent: Math.min(bill, amount), overrun: Math.max(bill - amount, 0) }
        : { state: "RELEASED", spent: 0, overrun: 0 },
    );
  }

  /** A move that is refused in every state but these. */
  async #move(from: SessionStatus[], move: (sessionId: string) => Promise<unknown>): Promise<void> {
    const { status } = await this.#readState();
    const refused = await refusal(move(this.sessionId));
    if (this.#alone) expect(refused === null, refused ?? "done").toBe(from.includes(status));
  }

  async #decideEmptyClaim() {
    const deciding = { db: this.db, workerId: "w0", dayBudget: capOf(this.#dayCap) };
    return await decideEmptyClaim(deciding, this.sessionId, this.now);
  }

  async #readState() {
    const { rows: [state] } = await this.db.query<
      { status: SessionStatus; budget: number; spent: number; held: number; under_way: number }
    >(
      `SELECT status, budget, spent, held, (SELECT count(*) FROM batch_processing_items i
         WHERE i.session_id = s.session_id AND i.status = 'PROCESSING') AS under_way
       FROM batch_processing_sessions s WHERE session_id = $1`,
      [this.sessionId],
    );
    return state;
  }

  async #readLiveTokens(): Promise<Set<string>> {
    const { rows } = await this.db.query<{ lease_token: string }>(
      "SELECT lease_token FROM batch_processing_items WHERE session_id = $1 AND status = 'PROCESSING'",
      [this.sessionId],
    );
    return new Set(rows.map((row) => row.lease_token));
  }

  #pickClaims(picks: number[], fits: (claim: Claim) => boolean): Claim[] {
    const free = this.#claims.filter((claim) => !claim.busy && fits(claim));
    const chosen = free.length === 0 ? [] : [...new Set(picks.map((pick) => free[pick % free.length]))];
    for (const claim of chosen) claim.busy = true;
    return chosen;
  }

  #pass(ms: number): void {
    this.now = new Date(this.now.getTime() + ms);
  }
}

function capOf(cap: number | null) {
  return cap === null ? null : micros(cap);
}

/** The line a person would read; null when it was done. Anything else that goes wrong is a fault. */
async function refusal(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

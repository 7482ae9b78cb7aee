/** Which session a worker serves now, with everything that its articles need. */
import type { Analyst, Failure, Researcher } from "../../analysis/port.ts";
import { ensureDay } from "../../budget/ledger/day_budget.ts";
import { type HandPrice, requirePrice } from "../../budget/prices.ts";
import type { Database } from "../../database/port.ts";
import { UserError } from "../../errors.ts";
import type { Micros } from "../../money.ts";
import { pauseSession } from "../change_session.ts";
import { type Session, SESSION_COLUMNS } from "../types.ts";
import type { ItemContext } from "./analyse_item.ts";
import type { CallGate } from "./call_gate.ts";
import { decideEmptyClaim } from "./empty_claim.ts";

export interface ServingOptions {
  db: Database;
  workerId: string;
  gate: CallGate;
  dayBudget: Micros | null;
  handPrice: HandPrice | null;
  /** Throws `UserError` when this process cannot do the session's work (no key, for example). */
  makeAnalyst: (provider: "gemini" | "offline", model: string) => Analyst;
  makeResearcher: (provider: "gemini" | "offline") => Researcher | null;
  log: (level: "debug" | "info" | "warn" | "error", fields: Record<string, unknown>, message: string) => void;
}

export interface ActiveSession {
  session: Session;
  /** The UTC day it was prepared on: prices have dates. */
  day: string;
  context: Omit<ItemContext, "callsDone" | "settle" | "hold">;
}

/** What the worker knows and the session's articles must heed. */
export interface Serving {
  stopping: AbortSignal;
  /** Sessions of which nothing more may be sent. */
  halted: ReadonlySet<string>;
  /** Told when sessions that have nothing due now will have, ms. */
  later(waitMs: number): void;
  onFailure(sessionId: string, failure: Failure): void;
}

/**
 * The first session that has something due and that this process can serve; null when there is none. One that it
 * cannot serve is paused with the reason.
 */
export async function chooseSession(
  options: ServingOptions,
  serving: Serving,
): Promise<ActiveSession | null> {
  const { db, workerId, dayBudget } = options;
  const { rows } = await db.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM batch_processing_sessions WHERE status = 'PROCESSING' ORDER BY number`,
  );
  for (const session of rows) {
    const sessionId = session.session_id;
    if (serving.halted.has(sessionId)) continue;
    try {
      await ensureDay(db, session.simulated, dayBudget);
      const decision = await decideEmptyClaim(options, sessionId);
      serving.later(decision.waitMs);
      if (decision.leave) continue;
      return { session, day: utcDay(), context: prepareSession(session, options, serving) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      await pauseSession(db, sessionId, workerId, "not_possible_here", { error: error.message });
    }
  }
  return null;
}

function prepareSession(
  session: Session,
  options: ServingOptions,
  serving: Serving,
): ActiveSession["context"] {
  const { gate, handPrice, makeAnalyst, makeResearcher } = options;
  const { stopping, halted } = serving;
  const sessionId = session.session_id;
  const analyst = makeAnalyst(session.provider, session.model);
  const researchMode = session.research_off ? "off" : session.settings.research;
  return {
    analyst,
    researcher: researchMode === "off" ? null : makeResearcher(session.provider),
    researchMode,
    price: requirePrice(session.model, new Date(), handPrice),
    retryBaseMs: session.settings.retryBaseMs,
    mayCall: async (signal) => {
      const may = analyst.simulated || await gate.pass(AbortSignal.any([signal, stopping]));
      return may && !signal.aborted && !halted.has(sessionId);
    },
    onFailure: (failure) => serving.onFailure(sessionId, failure),
  };
}

/** Today's date in UTC, as text. */
export function utcDay(): string {
  return new Date().toISOString().slice(0, 10);
}

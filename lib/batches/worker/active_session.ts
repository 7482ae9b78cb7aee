/** Which session a worker serves now, with everything that its articles need. */
import type { Analyst, Researcher } from "../../analysis/port.ts";
import { ensureDay } from "../../budget/ledger/day_budget.ts";
import { type HandPrice, type ModelPrice, requirePrice } from "../../budget/prices.ts";
import type { Database } from "../../database/port.ts";
import { UserError } from "../../errors.ts";
import type { Micros } from "../../money.ts";
import { pauseSession } from "../change_session.ts";
import { type Session, SESSION_COLUMNS } from "../types.ts";
import type { ItemContext } from "./analyse_item.ts";
import type { CallGate } from "./call_gate.ts";
import { decideEmptyClaim } from "./empty_claim.ts";
import type { Recall } from "./recall.ts";
import { tellAble, tellUnable } from "./unable.ts";

export interface ServingOptions {
  db: Database;
  workerId: string;
  gate: CallGate;
  dayBudget: Micros | null;
  handPrice: HandPrice | null;
  /** Throws `UserError` when this process cannot do the session's work (no key, for example). */
  makeAnalyst: (provider: "gemini" | "offline", model: string) => Analyst;
  makeResearcher: (provider: "gemini" | "offline") => Researcher | null;
  /** Lets one request try although the provider's circuit breaker is open. */
  tryNow: (provider: "gemini" | "offline") => void;
  log: (level: "debug" | "info" | "warn" | "error", fields: Record<string, unknown>, message: string) => void;
}

export interface ActiveSession {
  session: Session;
  /** The UTC day it was prepared on: prices have dates. */
  day: string;
  /** As the last settlement told; over 0 one article at a time tries whether a provider's trouble is over. */
  resumeTries: number;
  context: Omit<ItemContext, "callsDone" | "onSuccess" | "onFailure" | "settle" | "hold" | "maySearch">;
}

/** What the worker knows and the session's articles must heed. */
export interface Serving {
  stopping: AbortSignal;
  /** Numbers of sessions that this process lacks something for, and what. */
  unable: Map<number, string>;
  /** Sessions of which nothing more may be sent. */
  halted: ReadonlySet<string>;
  /** Fires when a provider asks everybody to wait, and when a session is halted. */
  stayAway: Recall;
  halt: Recall;
  /** Told when sessions that have nothing due now will have, ms. */
  later(waitMs: number): void;
}

/**
 * The first session that has something due and that this process can serve; null when there is none. One that it
 * cannot serve is left to the others, and paused with the reason when there is nobody else who could.
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
      const context = prepareSession(session, options, serving);
      if (serving.unable.delete(session.number)) await tellAble(db, workerId, session.number);
      if (session.resume_tries > 0) options.tryNow(session.provider);
      return { session, day: utcDay(), resumeTries: session.resume_tries, context };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      await leaveToOthers(options, serving, session, error.message);
    }
  }
  return null;
}

async function leaveToOthers(
  { db, workerId, log }: ServingOptions,
  { unable }: Serving,
  { session_id: sessionId, number }: Session,
  error: string,
): Promise<void> {
  if (await tellUnable(db, workerId, number, error)) {
    if (unable.get(number) !== error) {
      log("warn", { session: number, error }, "this process cannot serve the session; left to the others");
    }
    unable.set(number, error);
    return;
  }
  await pauseSession(db, sessionId, workerId, "not_possible_here", { error });
}

function prepareSession(
  session: Session,
  options: ServingOptions,
  serving: Serving,
): ActiveSession["context"] {
  const { gate, handPrice, makeAnalyst, makeResearcher } = options;
  const { stopping, halted, stayAway, halt } = serving;
  const sessionId = session.session_id;
  const analyst = makeAnalyst(session.provider, session.model);
  const { settings: { research: researchMode }, research_off: researchOff } = session;
  return {
    analyst,
    researcher: researchMode === "off" || researchOff !== null ? null : makeResearcher(session.provider),
    researchMode,
    researchOff,
    price: priceByDay(session.model, handPrice),
    session: session.number,
    retryBaseMs: session.settings.retryBaseMs,
    mayCall: async (signal, patient) => {
      const stop = [signal, stopping, halt.signal, ...(patient ? [] : [stayAway.signal])];
      const may = analyst.simulated || await gate.pass(AbortSignal.any(stop));
      return may && !signal.aborted && !halted.has(sessionId);
    },
  };
}

/** Asked anew on every UTC day: an article may wait past midnight for its turn, and be dearer then. */
function priceByDay(model: string, handPrice: HandPrice | null): () => ModelPrice {
  let asked = { day: utcDay(), price: requirePrice(model, new Date(), handPrice) };
  return () => {
    const day = utcDay();
    if (day !== asked.day) asked = { day, price: requirePrice(model, new Date(), handPrice) };
    return asked.price;
  };
}

/** Today's date in UTC, as text. */
export function utcDay(): string {
  return new Date().toISOString().slice(0, 10);
}

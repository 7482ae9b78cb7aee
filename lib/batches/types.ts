/** States and rows of sessions, batches and items (DESIGN 3), in the words that the tables use. */
import type { Micros } from "../money.ts";

/**
 *     INITIATED -> PROCESSING <-> PAUSED -> COMPLETED | PARTIAL | FAILED | CANCELLED
 *
 * COMPLETED: every item ANALYZED. PARTIAL: some are not, `reason` says why. FAILED: none is. A session that ended goes
 * on only by recovery: to PROCESSING, or to PAUSED while another one is active.
 */
export type SessionStatus =
  | "INITIATED"
  | "PROCESSING"
  | "PAUSED"
  | "COMPLETED"
  | "PARTIAL"
  | "FAILED"
  | "CANCELLED";

export const LIVE: readonly SessionStatus[] = ["INITIATED", "PROCESSING", "PAUSED"];

export function isLive(status: SessionStatus): boolean {
  return LIVE.includes(status);
}

/** What a session was started with; later edits of the environment do not change it. */
export interface SessionSettings {
  batchSize: number;
  batchDelayMs: number;
  articleTimeoutMs: number;
  maxAttempts: number;
  retryBaseMs: number;
  research: "off" | "top" | "all";
  promptVersion: string;
}

export interface Session {
  session_id: string;
  number: number;
  status: SessionStatus;
  reason: string | null;
  provider: "gemini" | "offline";
  model: string;
  simulated: boolean;
  budget: Micros;
  held: Micros;
  spent: Micros;
  unknown: Micros;
  overrun: Micros;
  estimated_cost: Micros;
  worst_cost: Micros;
  total: number;
  analyzed: number;
  failed: number;
  skipped: number;
  retries: number;
  failure_run: number;
  stale_writes: number;
  ungrounded: number;
  research_off: string | null;
  /** Articles that earned a search and were not researched; counted at the end. */
  research_missing: number;
  /** It is PAUSED and comes back by itself then; null: somebody must resume it. */
  resume_at: Date | null;
  /** Times that it came back from a provider's trouble without one success since; over 0 it tries one article at a time. */
  resume_tries: number;
  settings: SessionSettings;
  started_by: string;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  last_progress_at: Date;
}

/** The columns of a `Session`, for SELECT and RETURNING. */
export const SESSION_COLUMNS =
  `session_id, number, status, reason, provider, model, simulated, budget, held, spent,
  unknown, overrun, estimated_cost, worst_cost, total, analyzed, failed, skipped, retries, failure_run, stale_writes,
  ungrounded, research_off, research_missing, resume_at, resume_tries, settings, started_by, created_at, started_at, finished_at,
  last_progress_at`;

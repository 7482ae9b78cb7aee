/** What people ask about sessions. Everything is read from Postgres, so every process gives the same answer. */
import type { Queryable } from "../database/port.ts";
import { type Micros, micros } from "../money.ts";
import { isLive, type Session, SESSION_COLUMNS } from "./types.ts";

export interface BatchRow {
  batch_number: number;
  status: string;
  total: number;
  processed: number;
  failed: number;
  skipped: number;
  estimated_cost: Micros;
  actual_cost: Micros;
  error: string | null;
  started_at: Date | null;
  finished_at: Date | null;
}

export interface FailureCount {
  error_class: string;
  example: string;
  articles: number;
  permanent: boolean;
}

export interface Progress {
  session: Session;
  /** Articles with a final state. */
  done: number;
  /** Articles under way now. */
  processing: number;
  /** Analysed articles a minute, over the last minute of work; null when nothing was analysed in it. */
  perMinute: number | null;
  /** ms until the last article at this rate; null when it cannot be told. */
  etaMs: number | null;
  /** What the whole session will have cost at today's mean; null before the first article. */
  projected: Micros | null;
  /** ms until the next batch or attempt is due, when nothing is due now. */
  nextDueMs: number | null;
}

export async function findSession(db: Queryable, number: number): Promise<Session | null> {
  const { rows: [session] } = await db.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM batch_processing_sessions WHERE number = $1`,
    [number],
  );
  return session ?? null;
}

/** Newest first. */
export async function listSessions(db: Queryable, limit: number): Promise<Session[]> {
  const { rows } = await db.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM batch_processing_sessions ORDER BY number DESC LIMIT $1`,
    [limit],
  );
  return rows;
}

/** The session that people mean when they give no number: one that is live, else the newest. */
export async function currentSession(db: Queryable): Promise<Session | null> {
  const { rows: [session] } = await db.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM batch_processing_sessions
     ORDER BY status IN ('INITIATED', 'PROCESSING') DESC, status = 'PAUSED' DESC, number DESC LIMIT 1`,
  );
  return session ?? null;
}

export async function listBatches(db: Queryable, sessionId: string): Promise<BatchRow[]> {
  const { rows } = await db.query<BatchRow>(
    `SELECT batch_number, status, total, processed, failed, skipped, estimated_cost, actual_cost, error, started_at,
       finished_at
     FROM batch_processing_records WHERE session_id = $1 ORDER BY batch_number`,
    [sessionId],
  );
  return rows;
}

/** What went wrong, most frequent first: failed articles, and those that wait for another try. */
export async function countFailures(db: Queryable, sessionId: string): Promise<FailureCount[]> {
  const { rows } = await db.query<FailureCount>(
    `SELECT error_class, max(error) AS example, count(*) AS articles, bool_or(permanent) AS permanent
     FROM batch_processing_items
     WHERE session_id = $1 AND error_class IS NOT NULL AND status IN ('FAILED', 'PENDING')
     GROUP BY error_class ORDER BY count(*) DESC, error_class`,
    [sessionId],
  );
  return rows;
}

interface Pace {
  processing: number;
  recent: number;
  window_ms: number;
  next_due_ms: number | null;
  last_due_ms: number | null;
}

const PACE = `
SELECT
  (SELECT count(*) FROM batch_processing_items WHERE session_id = $1 AND status = 'PROCESSING') AS processing,
  count(a.analysis_id) AS recent,
  coalesce(extract(epoch FROM now() - min(a.created_at)) * 1000, 0)::bigint AS window_ms,
  (SELECT (extract(epoch FROM min(not_before) - now()) * 1000)::bigint FROM batch_processing_items
   WHERE session_id = $1 AND status = 'PENDING') AS next_due_ms,
  (SELECT (extract(epoch FROM max(not_before) - now()) * 1000)::bigint FROM batch_processing_items
   WHERE session_id = $1 AND status = 'PENDING') AS last_due_ms
FROM article_analyses a
WHERE a.session_id = $1 AND a.created_at > now() - interval '1 minute'`;

export async function readProgress(db: Queryable, session: Session): Promise<Progress> {
  const { rows: [pace] } = await db.query<Pace>(PACE, [session.session_id]);
  const { analyzed, failed, skipped, total, spent, overrun } = session;
  const done = analyzed + failed + skipped;
  const perMinute = pace.recent > 1 && pace.window_ms > 0 ? pace.recent * 60_000 / pace.window_ms : null;
  const left = total - done;
  return {
    session,
    done,
    processing: pace.processing,
    perMinute,
    // However fast the rest may go, the last batch does not start before it is due.
    etaMs: perMinute && isLive(session.status)
      ? Math.max(Math.round(left / perMinute * 60_000), pace.last_due_ms ?? 0)
      : null,
    projected: analyzed > 0 ? micros(Math.round((spent + overrun) / analyzed * (analyzed + left))) : null,
    nextDueMs: pace.next_due_ms !== null && pace.next_due_ms > 0 && pace.processing === 0
      ? pace.next_due_ms
      : null,
  };
}

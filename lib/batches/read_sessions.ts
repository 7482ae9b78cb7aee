/** What people ask about sessions. Everything is read from Postgres, so every process gives the same answer. */
import type { Queryable } from "../database/port.ts";
import { projectFit } from "../budget/project_fit.ts";
import { type Micros, scaleUp } from "../money.ts";
import { isLive, type Session, SESSION_COLUMNS } from "./types.ts";

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
  /** Articles that will be left out if the rest costs what it cost so far; null before the first article. */
  leftOut: number | null;
  /** Failed articles of those that were analysed or failed, 0..1; null before the first one. */
  failureRate: number | null;
  /** Tries that had to be made again, of all tries that ended, 0..1; null before the first one. */
  retryRate: number | null;
  /** ms since an article ended, or since the session began or went on; until its end when it has ended. */
  quietMs: number;
}

export async function findSession(db: Queryable, number: number): Promise<Session | null> {
  const { rows: [session] } = await db.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM batch_processing_sessions WHERE number = $1`,
    [number],
  );
  return session ?? null;
}

/**
 * Newest first.
 * @param before Only sessions with a smaller number: the next page.
 */
export async function listSessions(
  db: Queryable,
  limit: number,
  before: number | null = null,
): Promise<Session[]> {
  const { rows } = await db.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM batch_processing_sessions
     WHERE $2::integer IS NULL OR number < $2 ORDER BY number DESC LIMIT $1`,
    [limit, before],
  );
  return rows;
}

/** Sessions that have not ended, oldest first. */
export async function listLiveSessions(db: Queryable): Promise<Session[]> {
  const { rows } = await db.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM batch_processing_sessions
     WHERE status IN ('INITIATED', 'PROCESSING', 'PAUSED') ORDER BY number`,
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
  quiet_ms: number;
  hold_permille: number;
}

/**
 * The newest analyses of the last minute, from which the pace is taken: enough for a figure that is steady to 3 %.
 * All of them would be 60,000 at 1,000 a second, read at every look (40 ms instead of 2 ms). They are found by their ids:
 * told ORDER BY and LIMIT, a planner whose statistics are old sorts all of the session (50 ms of 30,000 on the embedded one).
 */
const PACE_SAMPLE = 1_000;

const PACE = `
SELECT
  (SELECT count(*) FROM batch_processing_items WHERE session_id = $1 AND status = 'PROCESSING') AS processing,
  count(*) AS recent,
  coalesce(extract(epoch FROM now() - min(a.created_at)) * 1000, 0)::bigint AS window_ms,
  (SELECT (extract(epoch FROM min(not_before) - now()) * 1000)::bigint FROM batch_processing_items
   WHERE session_id = $1 AND status = 'PENDING') AS next_due_ms,
  (SELECT (extract(epoch FROM max(not_before) - now()) * 1000)::bigint FROM batch_processing_items
   WHERE session_id = $1 AND status = 'PENDING') AS last_due_ms,
  (SELECT (extract(epoch FROM coalesce(finished_at, now()) - last_progress_at) * 1000)::bigint
   FROM batch_processing_sessions WHERE session_id = $1) AS quiet_ms,
  (SELECT hold_permille FROM batch_processing_sessions WHERE session_id = $1) AS hold_permille
FROM article_analyses a
WHERE a.session_id = $1 AND a.created_at > now() - interval '1 minute'
  AND a.analysis_id > (SELECT max(analysis_id) - ${PACE_SAMPLE} FROM article_analyses WHERE session_id = $1)`;

export async function readProgress(db: Queryable, session: Session): Promise<Progress> {
  const { rows: [pace] } = await db.query<Pace>(PACE, [session.session_id], "pace");
  const { analyzed, failed, skipped, retries, total } = session;
  const done = analyzed + failed + skipped;
  const perMinute = pace.recent > 1 && pace.window_ms > 0 ? pace.recent * 60_000 / pace.window_ms : null;
  const left = total - done;
  const worst = scaleUp(session.worst_cost, pace.hold_permille, 1000 * Math.max(1, total));
  const fit = projectFit({ ...session, left, worst });
  return {
    session,
    done,
    processing: pace.processing,
    perMinute,
    // However fast the rest may go, the last batch does not start before it is due.
    etaMs: perMinute && isLive(session.status)
      ? Math.max(Math.round(left / perMinute * 60_000), pace.last_due_ms ?? 0)
      : null,
    projected: fit?.projected ?? null,
    nextDueMs: pace.next_due_ms !== null && pace.next_due_ms > 0 && pace.processing === 0
      ? pace.next_due_ms
      : null,
    leftOut: fit?.leftOut ?? null,
    failureRate: share(failed, analyzed + failed),
    retryRate: share(retries, analyzed + failed + retries),
    quietMs: Math.max(0, pace.quiet_ms),
  };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

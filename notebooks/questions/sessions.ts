/** One session as the ledger and the audit trail tell it. */
import { readTimeline, type TimelineStep } from "../../lib/batches/read_timeline.ts";
import { type Session, SESSION_COLUMNS } from "../../lib/batches/types.ts";
import type { Queryable } from "../../lib/database/port.ts";
import type { CallKind, CallState } from "../../lib/budget/ledger/ledger.ts";
import type { Micros } from "../../lib/money.ts";

/** The session with this number; null: the newest that made a call. Null when there is none. */
export async function chooseSession(db: Queryable, number: number | null): Promise<Session | null> {
  const { rows: [session] } = await db.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM batch_processing_sessions s
     WHERE CASE WHEN $1::integer IS NULL
       THEN EXISTS (SELECT FROM paid_calls c WHERE c.session_id = s.session_id) ELSE number = $1 END
     ORDER BY number DESC LIMIT 1`,
    [number],
  );
  return session ?? null;
}

export interface SessionCall {
  call_id: number;
  item_id: number;
  article_id: number;
  title: string;
  url: string | null;
  batch_number: number;
  attempt: number;
  kind: CallKind;
  state: CallState;
  failure: string | null;
  detail: string | null;
  cost: Micros;
  /** About to leave. */
  held_at: Date;
  /** Answered, or given up; null: still out. */
  ended_at: Date | null;
}

export async function readCalls(db: Queryable, sessionId: string): Promise<SessionCall[]> {
  const { rows } = await db.query<SessionCall>(
    `SELECT c.call_id, c.item_id, c.article_id, a.title, a.url, b.batch_number, c.attempt, c.kind, c.state, c.failure,
       c.detail, c.spent + c.overrun AS cost, c.held_at, c.ended_at
     FROM paid_calls c
     JOIN articles a ON a.id = c.article_id
     JOIN batch_processing_records b ON b.batch_id = c.batch_id
     WHERE c.session_id = $1 ORDER BY c.held_at, c.call_id`,
    [sessionId],
  );
  return rows;
}

/** A move of the session, a batch or an article. */
export interface Move {
  item_id: number | null;
  batch_number: number | null;
  action: string;
  actor: string;
  to_state: string | null;
  /** With a requeued article: why, and how long it has to wait. */
  error_class: string | null;
  wait_ms: number | null;
  reason: string | null;
  at: Date;
}

export async function readMoves(db: Queryable, sessionId: string): Promise<Move[]> {
  const { rows } = await db.query<Move>(
    `SELECT e.item_id, b.batch_number, e.action, e.actor, e.to_state, e.detail ->> 'error_class' AS error_class,
       (e.detail ->> 'wait_ms')::float8 AS wait_ms, e.detail ->> 'reason' AS reason, e.at
     FROM session_events e LEFT JOIN batch_processing_records b ON b.batch_id = e.batch_id
     WHERE e.session_id = $1 AND e.action <> 'item_claimed' ORDER BY e.event_id`,
    [sessionId],
  );
  return rows;
}

export interface BatchStart {
  batch_number: number;
  /** It may not begin before. */
  not_before: Date;
}

export async function readBatchStarts(db: Queryable, sessionId: string): Promise<BatchStart[]> {
  const { rows } = await db.query<BatchStart>(
    "SELECT batch_number, not_before FROM batch_processing_records WHERE session_id = $1 ORDER BY batch_number",
    [sessionId],
  );
  return rows;
}

/** Equal steps from its start to its end, for `sessionBurn` and `throughput`. */
export async function readSteps(
  db: Queryable,
  sessionId: string,
): Promise<{ steps: TimelineStep[]; stepMs: number }> {
  const steps = await readTimeline(db, sessionId);
  const [first, second] = steps;
  return { steps, stepMs: first && second ? second.at.getTime() - first.at.getTime() : 1_000 };
}

export interface FailureReason {
  failure: string;
  /** What the provider, or the desk, said the first time. */
  example: string | null;
  calls: number;
  articles: number;
  /** Of these articles: how many have no analysis in the end. */
  lost: number;
  cost: Micros;
}

/** What went wrong with calls, most frequent first. */
export async function readFailures(db: Queryable, sessionId: string): Promise<FailureReason[]> {
  const { rows } = await db.query<FailureReason>(
    `SELECT c.failure, (array_agg(c.detail ORDER BY c.call_id))[1] AS example, count(*) AS calls,
       count(DISTINCT c.item_id) AS articles,
       count(DISTINCT c.item_id) FILTER (WHERE i.status <> 'ANALYZED') AS lost, sum(c.spent + c.overrun)::bigint AS cost
     FROM paid_calls c JOIN batch_processing_items i USING (item_id)
     WHERE c.session_id = $1 AND c.failure IS NOT NULL
     GROUP BY c.failure ORDER BY calls DESC, c.failure`,
    [sessionId],
  );
  return rows;
}

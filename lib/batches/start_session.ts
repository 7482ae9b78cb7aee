/** Creates a session with its batches and items in one transaction: it exists whole or not at all. */
import { setTimeout } from "node:timers";
import { messageOf, ReusedKeyError, UserError } from "../errors.ts";
import { type NewAlert, raiseAlert } from "../alerts/raise.ts";
import type { Log } from "../log.ts";
import { formatUsd, type Micros } from "../money.ts";
import type { Database, Queryable } from "../database/port.ts";
import { writeEvent } from "../events.ts";
import { type Session, SESSION_COLUMNS, type SessionSettings } from "./types.ts";

export interface PlannedItem {
  articleId: number;
  /** The most its analysis can cost. */
  worstCase: Micros;
}

export interface SessionPlan {
  provider: "gemini" | "offline";
  model: string;
  simulated: boolean;
  budget: Micros;
  estimatedCost: Micros;
  worstCost: Micros;
  /** In the order of work. */
  items: readonly PlannedItem[];
  settings: SessionSettings;
  /** Shares of the budget at which people are told, percent. */
  warnPercent: number;
  criticalPercent: number;
  startedBy: string;
  wish?: StartWish;
}

/** What is wished beside the request itself. */
export interface StartWish {
  /** Names it: the same key starts one session, however often it is asked for. */
  key?: string;
  /** Of what it asks for: with the same key it must be the same. */
  hash?: string;
  /** What people are told of the start, written with the session; unless given, nothing. */
  notice?: (session: Session) => NewAlert;
}

export interface StartedSession extends Session {
  /** A wish with the same key had started it before. */
  repeated: boolean;
}

/** Any number that only this rule uses: sessions start and resume one at a time. */
const SINGLE_SESSION_LOCK = 4_815_162_342;

/** Reading every one of so few items is quick: the first claims need no statistics, and do not wait for them. */
const FEW_ITEMS = 1_000;
/** By then the first requests are out and the database waits for their answers, ms. */
const GATHER_LATER_MS = 50;

/**
 * Starts the session; its first batch is due at once, the others follow `batchDelayMs` apart.
 * Throws `UserError` for an empty plan, a budget of nothing, or when another session is active; `ReusedKeyError`; nothing
 * once the session exists.
 */
export async function startSession(
  db: Database,
  plan: SessionPlan,
  log: Log = () => {},
): Promise<StartedSession> {
  if (plan.budget <= 0) {
    throw new UserError(`Cannot start a session: the budget must be over $0, got ${formatUsd(plan.budget)}`);
  }
  const { wish = {} } = plan;
  const session = await db.transaction(async (tx): Promise<StartedSession> => {
    await lockActivation(tx);
    const started = wish.key ? await findRequested(tx, wish.key, wish.hash) : null;
    if (started) return { ...started, repeated: true };
    await assertNoneActive(tx, "start");
    if (plan.items.length === 0) {
      throw new UserError(
        "Cannot start a session: no article is ready. The identification report says which were refused and why",
      );
    }
    const { rows: [initiated] } = await tx.query<Session>(
      `INSERT INTO batch_processing_sessions (number, status, provider, model, simulated, budget, estimated_cost,
         worst_cost, total, settings, started_by, request_key, warn_percent, critical_percent, request_hash)
       VALUES ((SELECT coalesce(max(number), 0) + 1 FROM batch_processing_sessions), 'INITIATED', $1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, $12)
       RETURNING ${SESSION_COLUMNS}`,
      [
        plan.provider,
        plan.model,
        plan.simulated,
        plan.budget,
        plan.estimatedCost,
        plan.worstCost,
        JSON.stringify(plan.settings),
        plan.startedBy,
        wish.key ?? null,
        plan.warnPercent,
        plan.criticalPercent,
        wish.hash ?? null,
      ],
    );
    const total = await insertItems(tx, initiated.session_id, plan);
    if (total === 0) {
      throw new UserError("Cannot start a session: another session took every ready article a moment ago");
    }
    const { rows: [session] } = await tx.query<Session>(
      `UPDATE batch_processing_sessions SET total = $2, status = 'PROCESSING', started_at = now() WHERE session_id = $1
       RETURNING ${SESSION_COLUMNS}`,
      [initiated.session_id, total],
    );
    for (const [from, to] of [[null, "INITIATED"], ["INITIATED", "PROCESSING"]]) {
      await writeEvent(tx, {
        sessionId: session.session_id,
        actor: plan.startedBy,
        action: from === null ? "session_initiated" : "session_started",
        from,
        to,
        detail: { articles: total, budget: plan.budget, estimated_cost: plan.estimatedCost },
      });
    }
    if (wish.notice) await raiseAlert(tx, wish.notice(session));
    return { ...session, repeated: false };
  });
  if (session.repeated) return session;
  // The session works and spends from here on: what may fail now makes it slower and must not look like no session.
  const gather = () =>
    gatherStatistics(db).catch((error) =>
      log(
        "warn",
        { session: session.number, error: messageOf(error) },
        "could not gather statistics; claims are slower",
      )
    );
  if (plan.items.length > FEW_ITEMS) await gather();
  else setTimeout(gather, GATHER_LATER_MS).unref();
  return session;
}

/**
 * Nothing on the embedded database does so by itself, and without them a claim reads every item. Articles only when
 * there are more by a tenth: they take 15 ms where items and batches take 2.
 */
async function gatherStatistics(db: Database): Promise<void> {
  await db.query("ANALYZE batch_processing_items, batch_processing_records");
  const { rows: [articles] } = await db.query<{ outgrown: boolean }>(
    `SELECT reltuples < 0 OR pg_relation_size(oid) > 1.1 * relpages * current_setting('block_size')::bigint AS outgrown
     FROM pg_class WHERE oid = 'articles'::regclass`,
  );
  if (articles.outgrown) await db.query("ANALYZE articles");
}

/** The session that a wish with this key has started already. Throws `ReusedKeyError` when it asked for something else. */
export async function findRequested(
  db: Queryable,
  requestKey: string,
  requestHash: string | null = null,
): Promise<Session | null> {
  const { rows: [found] } = await db.query<Session & { request_hash: string | null }>(
    `SELECT ${SESSION_COLUMNS}, request_hash FROM batch_processing_sessions WHERE request_key = $1`,
    [requestKey],
  );
  if (!found) return null;
  const { request_hash, ...session } = found;
  if (requestHash !== null && request_hash !== null && request_hash !== requestHash) {
    throw new ReusedKeyError(
      `Cannot start a session: the same key has started session ${session.number} with another request. ` +
        "Send the same request again, or a new key",
    );
  }
  return session;
}

/**
 * Batches and items in two set-based statements, so that 100,000 articles take seconds. An article that another
 * session took or finished since it was found ready is left out instead of failing the start or being paid for twice.
 */
async function insertItems(tx: Queryable, sessionId: string, plan: SessionPlan): Promise<number> {
  const { batchSize, batchDelayMs, maxAttempts } = plan.settings;
  const perArticle = Math.ceil(plan.estimatedCost / plan.items.length);
  await tx.query(
    `INSERT INTO batch_processing_records (session_id, batch_number, article_ids, not_before, estimated_cost, total)
     SELECT $1, batch_number, array_agg(article_id ORDER BY position),
       now() + (batch_number - 1) * $4 * interval '1 ms', count(*) * $5::bigint, count(*)
     FROM (
       SELECT article_id, position, ((position - 1) / $3 + 1)::integer AS batch_number
       FROM unnest($2::bigint[]) WITH ORDINALITY AS a (article_id, position)
     ) planned
     GROUP BY batch_number`,
    [sessionId, plan.items.map((item) => item.articleId), batchSize, batchDelayMs, perArticle],
  );
  const { rowCount } = await tx.query(
    `INSERT INTO batch_processing_items (session_id, batch_id, article_id, position, max_attempts, not_before, worst_case)
     SELECT $1, b.batch_id, a.article_id, a.position, $4, b.not_before, a.worst_case
     FROM unnest($2::bigint[], $3::bigint[]) WITH ORDINALITY AS a (article_id, worst_case, position)
     JOIN batch_processing_records b ON b.session_id = $1 AND b.batch_number = (a.position - 1) / $5 + 1
     JOIN articles r ON r.id = a.article_id AND r.analyzed_at IS NULL AND r.given_up IS NULL
     ON CONFLICT (article_id) WHERE status IN ('PENDING', 'PROCESSING') DO NOTHING`,
    [
      sessionId,
      plan.items.map((item) => item.articleId),
      plan.items.map((item) => item.worstCase),
      maxAttempts,
      batchSize,
    ],
  );
  if (rowCount < plan.items.length) await dropMissing(tx, sessionId);
  return rowCount;
}

/** Brings the batches in line with the items that really went in. */
async function dropMissing(tx: Queryable, sessionId: string): Promise<void> {
  await tx.query(
    `UPDATE batch_processing_records b
     SET article_ids = coalesce(i.article_ids, '{}'), total = coalesce(i.total, 0)
     FROM batch_processing_records r LEFT JOIN (
       SELECT batch_id, array_agg(article_id ORDER BY position) AS article_ids, count(*) AS total
       FROM batch_processing_items WHERE session_id = $1 GROUP BY batch_id
     ) i USING (batch_id)
     WHERE r.batch_id = b.batch_id AND b.session_id = $1`,
    [sessionId],
  );
  await tx.query("DELETE FROM batch_processing_records WHERE session_id = $1 AND total = 0", [sessionId]);
}

/**
 * Until the transaction ends nobody else makes a session active. Taken before any row: a start holds it while it waits
 * to see whether a recovery queues the articles that it wants.
 */
export async function lockActivation(tx: Queryable): Promise<void> {
  await tx.query("SELECT pg_advisory_xact_lock($1)", [SINGLE_SESSION_LOCK]);
}

/** The session at work, if there is one. Holds a lock until the transaction ends, so the answer stays true. */
export async function findActive(tx: Queryable): Promise<Pick<Session, "number" | "status"> | null> {
  await lockActivation(tx);
  const { rows: [active] } = await tx.query<Pick<Session, "number" | "status">>(
    "SELECT number, status FROM batch_processing_sessions WHERE status IN ('INITIATED', 'PROCESSING') LIMIT 1",
  );
  return active ?? null;
}

/** Throws `UserError` when a session is at work; like `findActive` it keeps the answer true. */
export async function assertNoneActive(tx: Queryable, wanted: "start" | "resume" | "recover"): Promise<void> {
  const active = await findActive(tx);
  if (!active) return;
  throw new UserError(
    `Cannot ${wanted} a session: session ${active.number} is ${active.status} and one is active at a time. ` +
      `If nobody works on it, resume it; else wait for it, or pause or cancel it first`,
  );
}

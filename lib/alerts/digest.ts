/**
 * The figures of a UTC day, from rows that do not change any more: analyses, the audit trail and the ledger. What waits
 * for people (unknown outcomes, unread articles) is as it is now.
 */
import type { Queryable } from "../database/port.ts";
import type { Micros } from "../money.ts";
import { describeDigest } from "./digest_text.ts";
import { raiseAlert } from "./raise.ts";

export interface Digest {
  /** UTC, such as 2026-11-23. */
  day: string;
  /** Sessions that began or ended that day, or worked over it, in order of their numbers. */
  sessions: DigestSession[];
  articles: { analyzed: number; failed: number };
  /** Real and simulated money are never added up. */
  spend: DigestSpend[];
  /** Why articles failed that day, most frequent first. */
  failures: { reason: string; articles: number }[];
  /** Calls whose outcome nobody knows, of whatever day. */
  unknown: { calls: number; amount: Micros };
  /** Articles that nobody has read yet, and those of them that the next session could take. */
  backlog: { unread: number; ready: number };
}

export interface DigestSession {
  number: number;
  status: string;
  reason: string | null;
  analyzed: number;
  failed: number;
  skipped: number;
  total: number;
  spent: Micros;
  simulated: boolean;
  started_at: Date | null;
  finished_at: Date | null;
}

export interface DigestSpend {
  kind: string;
  provider: string;
  model: string;
  simulated: boolean;
  calls: number;
  /** Charged, unknown outcomes and what was billed above holds included. */
  spent: Micros;
}

/** What the audit trail calls the end of an article without an analysis. */
const FAILED = "(e.action = 'item_failed' OR (e.action = 'lease_expired' AND e.to_state = 'FAILED'))";

/** @param ready Articles that the identification finds ready. */
export async function readDigest(db: Queryable, day: string, ready: number): Promise<Digest> {
  const inDay = (column: string) =>
    `${column} >= $1::date::timestamp AT TIME ZONE 'UTC' AND ${column} < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'`;
  const active = `s.created_at < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'
    AND coalesce(s.finished_at, now()) >= $1::date::timestamp AT TIME ZONE 'UTC'`;
  const [sessions, articles, failures, spend, unknown, backlog] = await Promise.all([
    db.query<DigestSession>(
      `SELECT number, status, reason, analyzed, failed, skipped, total, spent, simulated, started_at, finished_at
       FROM batch_processing_sessions s WHERE ${active} ORDER BY number`,
      [day],
    ),
    db.query<{ analyzed: number }>(
      `SELECT count(DISTINCT article_id) AS analyzed FROM article_analyses WHERE ${inDay("created_at")}`,
      [day],
    ),
    // An article that failed, was recovered and failed again that day counts once, by its last reason.
    db.query<Digest["failures"][number]>(
      `SELECT reason, count(*) AS articles FROM (
         SELECT DISTINCT ON (e.item_id) coalesce(e.detail ->> 'error_class', 'worker_lost') AS reason
         FROM batch_processing_sessions s JOIN session_events e USING (session_id)
         WHERE ${active} AND ${FAILED} AND ${inDay("e.at")}
         ORDER BY e.item_id, e.event_id DESC
       ) last GROUP BY reason ORDER BY count(*) DESC, reason`,
      [day],
    ),
    db.query<DigestSpend>(
      `SELECT kind, provider, coalesce(answered_model, model) AS model, simulated, count(*) AS calls,
         sum(spent + overrun)::bigint AS spent
       FROM paid_calls WHERE day = $1::date
       GROUP BY kind, provider, coalesce(answered_model, model), simulated
       ORDER BY simulated, sum(spent + overrun) DESC, kind, model`,
      [day],
    ),
    db.query<Digest["unknown"]>(
      `SELECT count(*) AS calls, coalesce(sum(spent), 0)::bigint AS amount FROM paid_calls WHERE state = 'UNKNOWN'`,
    ),
    db.query<{ unread: number }>(
      `SELECT count(*) AS unread FROM articles
       WHERE status = 'ACTIVE' AND analyzed_at IS NULL AND given_up IS NULL`,
    ),
  ]);
  return {
    day,
    sessions: sessions.rows,
    articles: {
      analyzed: articles.rows[0].analyzed,
      failed: failures.rows.reduce((sum, { articles }) => sum + articles, 0),
    },
    spend: spend.rows,
    failures: failures.rows,
    unknown: unknown.rows[0],
    backlog: { unread: backlog.rows[0].unread, ready },
  };
}

/** Yesterday in UTC, by the database's clock. */
export async function readYesterday(db: Queryable, now: Date | null = null): Promise<string> {
  const { rows: [{ day }] } = await db.query<{ day: string }>(
    "SELECT ((coalesce($1::timestamptz, now()) AT TIME ZONE 'UTC')::date - 1)::text AS day",
    [now],
  );
  return day;
}

/** Writes the digest as an alert, once a day however many processes try. False: it was written before. */
export async function raiseDigest(db: Queryable, digest: Digest, actor: string): Promise<boolean> {
  return await raiseAlert(db, {
    rule: "daily_digest",
    subject: digest.day,
    text: describeDigest(digest),
    detail: { ...digest, by: actor },
  });
}

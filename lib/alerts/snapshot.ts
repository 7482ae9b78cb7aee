/** What the conditions look at, read from Postgres alone: the live sessions, and the desk as a whole. Times are ms. */
import { countQuotes } from "./count_quotes.ts";
import { type CronState, readCrons } from "../crons/read_crons.ts";
import { type Disagreement, listDisagreements } from "../crons/schedules.ts";
import type { Queryable } from "../database/port.ts";
import type { Micros } from "../money.ts";

export interface SessionSnapshot {
  session_id: string;
  number: number;
  status: "INITIATED" | "PROCESSING" | "PAUSED";
  simulated: boolean;
  budget: Micros;
  spent: Micros;
  overrun: Micros;
  /** What an article holds on average. */
  worst: Micros;
  critical_percent: number;
  total: number;
  analyzed: number;
  failed: number;
  skipped: number;
  /** Since an article ended, or the session went on. */
  quiet_ms: number;
  /** That the oldest due article has waited; null: nothing is due. */
  due_ms: number | null;
  /** Since the oldest claim of those under way; null: nothing is under way. */
  under_way_ms: number | null;
  /** Since the newest claim; null: there was none. */
  claimed_ms: number | null;
  /** Quotes of the newest analyses: those that stand in their article, and those that were dropped. */
  quotes_kept: number;
  quotes_dropped: number;
  /** Searches that failed since one succeeded, a few at most; none while the session searches no more. */
  searches_failed: number;
  /** From the first of them to the newest. */
  searches_failing_ms: number;
  /** What the newest failed of. */
  search_error: string | null;
}

export interface DeskSnapshot {
  now: Date;
  /** Since the worker that lives longest began; null: no worker lives. */
  worker_ms: number | null;
  /** When the service that lives longest began; null: no service lives. */
  service_since: Date | null;
  crons: CronState[];
  disagreements: Disagreement[];
  /** Feeds that failed, with how often in a row. */
  feeds: { location: string; failures: number; last_error: string | null }[];
  /** Today's caps. */
  days: { day: string; simulated: boolean; budget: Micros; spent: Micros }[];
}

/** A worker that said nothing for this long is gone (lib/batches/worker/presence.ts). */
const LIVES = "seen_at > clock.now - interval '10 s'";

function ms(since: string): string {
  return `(extract(epoch FROM clock.now - ${since}) * 1000)::bigint`;
}

/** Searches after the newest one that succeeded: the first three, and the newest. */
const FAILING_SEARCHES = `
SELECT count(*)::int AS failed, min(first.ended_at) AS first_at,
  (array_agg(newest.ended_at))[1] AS newest_at, (array_agg(newest.error))[1] AS error
FROM (SELECT coalesce((SELECT c.call_id FROM paid_calls c WHERE c.session_id = s.session_id AND c.kind = 'search'
    AND c.state = 'SETTLED' AND c.failure IS NULL ORDER BY c.call_id DESC LIMIT 1), 0) AS id) ok
CROSS JOIN LATERAL (SELECT c.ended_at FROM paid_calls c WHERE c.session_id = s.session_id AND c.kind = 'search'
  AND c.call_id > ok.id AND c.failure <> 'cancelled' ORDER BY c.call_id LIMIT 3) first
CROSS JOIN LATERAL (SELECT c.ended_at, coalesce(c.detail, c.failure) AS error FROM paid_calls c
  WHERE c.session_id = s.session_id AND c.kind = 'search' AND c.call_id > ok.id AND c.failure <> 'cancelled'
  ORDER BY c.call_id DESC LIMIT 1) newest`;

const SESSIONS = `
WITH clock AS MATERIALIZED (SELECT coalesce($1::timestamptz, now()) AS now)
SELECT s.session_id, s.number, s.status, s.simulated, s.budget, s.spent, s.overrun, s.critical_percent, s.total,
  s.analyzed, s.failed, s.skipped,
  (s.worst_cost * s.hold_permille / 1000 / greatest(s.total, 1))::bigint AS worst,
  ${ms("s.last_progress_at")} AS quiet_ms,
  (SELECT ${ms("min(i.not_before)")} FROM batch_processing_items i
   WHERE i.session_id = s.session_id AND i.status = 'PENDING' AND i.not_before <= clock.now) AS due_ms,
  (SELECT ${ms("min(i.updated_at)")} FROM batch_processing_items i
   WHERE i.session_id = s.session_id AND i.status = 'PROCESSING' AND i.lease_until > clock.now) AS under_way_ms,
  (SELECT ${ms("c.held_at")} FROM paid_calls c
   WHERE c.session_id = s.session_id ORDER BY c.call_id DESC LIMIT 1) AS claimed_ms,
  coalesce(quotes.kept, 0) AS quotes_kept, coalesce(quotes.dropped, 0) AS quotes_dropped,
  coalesce(searches.failed, 0) AS searches_failed, searches.error AS search_error,
  coalesce((extract(epoch FROM searches.newest_at - searches.first_at) * 1000)::bigint, 0) AS searches_failing_ms
FROM clock, batch_processing_sessions s
LEFT JOIN LATERAL (${countQuotes("s.session_id")}) quotes ON s.ungrounded > 0
LEFT JOIN LATERAL (${FAILING_SEARCHES}) searches ON s.settings ->> 'research' <> 'off' AND s.research_off IS NULL
WHERE s.status IN ('INITIATED', 'PROCESSING', 'PAUSED')
ORDER BY s.number`;

export async function readSessionSnapshots(db: Queryable, now: Date | null): Promise<SessionSnapshot[]> {
  const { rows } = await db.query<SessionSnapshot>(SESSIONS, [now]);
  return rows;
}

export async function readDeskSnapshot(db: Queryable, now: Date | null): Promise<DeskSnapshot> {
  const clock = "clock AS MATERIALIZED (SELECT coalesce($1::timestamptz, now()) AS now)";
  const [crons, disagreements, { rows: [workers] }, { rows: feeds }, { rows: days }] = await Promise.all([
    readCrons(db, now ?? undefined),
    listDisagreements(db, now),
    db.query<Pick<DeskSnapshot, "now" | "worker_ms" | "service_since">>(
      `WITH ${clock} SELECT clock.now, ${ms("min(w.started_at) FILTER (WHERE w.role <> 'web')")} AS worker_ms,
         min(w.started_at) FILTER (WHERE w.role IN ('service', 'worker', 'web')) AS service_since
       FROM clock LEFT JOIN workers w ON w.${LIVES} GROUP BY clock.now`,
      [now],
    ),
    db.query<DeskSnapshot["feeds"][number]>(
      "SELECT location, failures, last_error FROM feeds WHERE failures > 0 ORDER BY location",
    ),
    db.query<DeskSnapshot["days"][number]>(
      `WITH ${clock} SELECT day::text, simulated, budget, spent FROM day_budgets, clock
       WHERE day = (clock.now AT TIME ZONE 'UTC')::date AND budget IS NOT NULL ORDER BY simulated`,
      [now],
    ),
  ]);
  return { ...workers, crons, disagreements, feeds, days };
}

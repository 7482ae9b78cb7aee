/**
 * The outbox in SQL: which notices a sink still has to be told, and what became of each. Who tells it now stands in
 * sink_rows.ts.
 *
 *     alert  ──raised──>  wait (quiet hours, muted)  ──>  sent | refused
 *                    └──  obsolete: over before it could be told (critical ones are told all the same), or no news any more
 *            ──resolved─> only to sinks that were sent `raised`
 *
 * What is left is found by what has no row in alert_deliveries yet, never by "everything after the last one": alerts
 * of transactions that overlap become visible out of the order of their ids and times.
 */
import type { Queryable } from "../database/port.ts";
import { type Alert, ALERT_COLUMNS } from "./types.ts";

/**
 * Older notices are not news any more and are put aside, what still lasts excepted: twice the longest mute, so that one
 * that began while an alert waited already does not use up its time.
 */
export const NEWS_DAYS = 14;
/** Nothing older is looked for; a sink that was down until then has put the rest aside long before. */
const LOOK_DAYS = 30;

/** When the reader's clock says so, notices that are not critical wait. */
export interface Moment {
  /** Null: the database's clock. */
  now: Date | null;
  quiet: boolean;
}

/*
 * $1 sinks, $2 now, $3 quiet. A condition that was over before it could be told is no news, unless it was critical:
 * then its end is told too, also where that end would be quiet otherwise.
 */
const LEFT = `
clock AS MATERIALIZED (SELECT coalesce($2::timestamptz, now()) AS now),
undelivered AS (
  SELECT s.sink, a.alert_id, 'raised' AS notice, a.created_at AS at
  FROM clock, alert_sinks s JOIN alerts a ON a.created_at >= s.since
  WHERE s.sink = ANY ($1) AND a.created_at > clock.now - interval '${LOOK_DAYS} days' AND NOT EXISTS (
    SELECT FROM alert_deliveries d WHERE d.alert_id = a.alert_id AND d.notice = 'raised' AND d.sink = s.sink)
  UNION ALL
  SELECT d.sink, a.alert_id, 'resolved', a.resolved_at
  FROM clock, alerts a JOIN alert_deliveries d USING (alert_id)
  WHERE a.resolved_at > clock.now - interval '${LOOK_DAYS} days' AND d.notice = 'raised' AND d.sink = ANY ($1)
    AND d.outcome = 'sent' AND (a.tell_resolved OR (a.level = 'critical' AND d.at >= a.resolved_at)) AND NOT EXISTS (
      SELECT FROM alert_deliveries e WHERE e.alert_id = a.alert_id AND e.notice = 'resolved' AND e.sink = d.sink)
),
judged AS (
  SELECT u.*, CASE
      WHEN u.notice = 'raised' AND a.lasting AND a.resolved_at IS NOT NULL AND (a.level <> 'critical' OR m.muted)
        THEN 'obsolete'
      WHEN u.at <= clock.now - interval '${NEWS_DAYS} days' AND NOT (a.lasting AND a.resolved_at IS NULL) THEN 'too_old'
      WHEN m.muted OR ($3 AND a.level <> 'critical') THEN 'wait'
      ELSE 'send' END AS fate
  FROM undelivered u JOIN alerts a USING (alert_id), clock, LATERAL (SELECT EXISTS (
    SELECT FROM alert_mutes x WHERE x.ended_at IS NULL AND x.until > clock.now
      AND (x.rule IS NULL OR x.rule = a.rule) AND (x.session_id IS NULL OR x.session_id = a.session_id)) AS muted) m
)`;

export interface SinkLook {
  sink: string;
  /** False: nobody has registered it yet. */
  known: boolean;
  /** Not waiting after a failure, and nobody else delivers to it. */
  free: boolean;
  /** Has something that can be sent or put aside now. */
  work: boolean;
}

/** One cheap read for all sinks: most looks find nothing to do. */
export async function lookAtSinks(
  db: Queryable,
  sinks: readonly string[],
  { now, quiet }: Moment,
): Promise<SinkLook[]> {
  const { rows } = await db.query<SinkLook>(
    `WITH ${LEFT}
     SELECT w.sink, s.sink IS NOT NULL AS known,
       coalesce(s.not_before <= clock.now AND (s.lease_until IS NULL OR s.lease_until < clock.now), false) AS free,
       EXISTS (SELECT FROM judged j WHERE j.sink = w.sink AND j.fate <> 'wait') AS work
     FROM clock, unnest($1::text[]) WITH ORDINALITY AS w (sink, place) LEFT JOIN alert_sinks s USING (sink)
     ORDER BY w.place`,
    [sinks, now, quiet],
  );
  return rows;
}

/** A notice that can be dealt with now. */
export interface Due extends Alert {
  notice: "raised" | "resolved";
  fate: "send" | "obsolete" | "too_old";
}

/** The next notices of a sink in the order in which things happened. */
export async function readDue(
  db: Queryable,
  sink: string,
  { now, quiet }: Moment,
  limit: number,
): Promise<Due[]> {
  const { rows } = await db.query<Due>(
    `WITH ${LEFT}
     SELECT ${ALERT_COLUMNS}, j.notice, j.fate
     FROM judged j JOIN alerts a USING (alert_id) LEFT JOIN batch_processing_sessions s USING (session_id)
     WHERE j.fate <> 'wait' ORDER BY j.at, a.alert_id, j.notice LIMIT $4`,
    [[sink], now, quiet, limit],
  );
  return rows;
}

export interface Delivered {
  alertId: number;
  notice: "raised" | "resolved";
  outcome: "sent" | "refused" | "obsolete";
  detail: string | null;
}

/**
 * Writes what became of a notice and, when it reached the sink, that the sink is well. Renews the lease; false when
 * the lease is not ours any more: then somebody else goes on.
 */
export async function recordDelivery(
  db: Queryable,
  sink: string,
  token: string,
  { alertId, notice, outcome, detail }: Delivered,
  leaseMs: number,
  now: Date | null,
): Promise<boolean> {
  // An alert that was put aside has no end to tell either.
  const notices = outcome === "obsolete" ? ["raised", "resolved"] : [notice];
  const { rowCount } = await db.query(
    `WITH clock AS (SELECT coalesce($7::timestamptz, now()) AS now),
     told AS (
       INSERT INTO alert_deliveries (alert_id, notice, sink, outcome, detail, at)
       SELECT $3, n, $1, $4, $5, clock.now FROM clock, unnest($8::text[]) AS n
       ON CONFLICT DO NOTHING
     )
     UPDATE alert_sinks s SET lease_until = clock.now + $6 * interval '1 ms',
       attempts = CASE WHEN $4 = 'obsolete' THEN s.attempts ELSE 0 END,
       last_error = CASE $4 WHEN 'sent' THEN NULL WHEN 'refused' THEN $5 ELSE s.last_error END,
       last_ok_at = CASE WHEN $4 = 'sent' THEN clock.now ELSE s.last_ok_at END
     FROM clock WHERE s.sink = $1 AND s.lease_token = $2`,
    [sink, token, alertId, outcome, detail, leaseMs, now, notices],
  );
  return rowCount === 1;
}

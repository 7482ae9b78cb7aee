/**
 * The rows of alert_sinks: who delivers to a sink now, and how it fares.
 *
 *     free --take--> held --leave--> free              a process that died holds it until its lease runs out
 *                     |
 *                     +-- failure --> waiting, longer each time --> free
 */
import type { Queryable } from "../database/port.ts";

/** From now on the sink is told of what is raised; of nothing older. */
export async function registerSink(db: Queryable, sink: string, now: Date | null): Promise<void> {
  await db.query(
    `INSERT INTO alert_sinks (sink, since, not_before) SELECT $1, t, t FROM coalesce($2::timestamptz, now()) AS t
     ON CONFLICT (sink) DO NOTHING`,
    [sink, now],
  );
}

/**
 * Takes the sink for this process and returns its failures in a row so far; null when another process has it, or it
 * waits after a failure.
 */
export async function takeSink(
  db: Queryable,
  sink: string,
  token: string,
  leaseMs: number,
  now: Date | null,
): Promise<number | null> {
  const { rows: [taken] } = await db.query<{ attempts: number }>(
    `UPDATE alert_sinks s SET lease_token = $2, lease_until = t + $3 * interval '1 ms'
     FROM coalesce($4::timestamptz, now()) AS t
     WHERE s.sink = $1 AND s.not_before <= t AND (s.lease_until IS NULL OR s.lease_until < t)
     RETURNING s.attempts`,
    [sink, token, leaseMs, now],
  );
  return taken?.attempts ?? null;
}

/** Keeps the sink while a notice is on its way. */
export async function renewSink(
  db: Queryable,
  sink: string,
  token: string,
  leaseMs: number,
  now: Date | null,
): Promise<void> {
  await db.query(
    `UPDATE alert_sinks SET lease_until = coalesce($4::timestamptz, now()) + $3 * interval '1 ms'
     WHERE sink = $1 AND lease_token = $2`,
    [sink, token, leaseMs, now],
  );
}

/** Gives the sink back; what it learnt stays. */
export async function leaveSink(db: Queryable, sink: string, token: string): Promise<void> {
  await db.query(
    "UPDATE alert_sinks SET lease_token = NULL, lease_until = NULL WHERE sink = $1 AND lease_token = $2",
    [sink, token],
  );
}

export interface SinkFailure {
  /** In a row, this one included. */
  failures: number;
  error: string;
  waitMs: number;
}

/** The sink as a whole waits, so that the order is kept. Gives it back. */
export async function recordFailure(
  db: Queryable,
  sink: string,
  token: string,
  { failures, error, waitMs }: SinkFailure,
  now: Date | null,
): Promise<void> {
  await db.query(
    `UPDATE alert_sinks SET attempts = $3, last_error = $4, lease_token = NULL, lease_until = NULL,
       not_before = coalesce($6::timestamptz, now()) + $5 * interval '1 ms'
     WHERE sink = $1 AND lease_token = $2`,
    [sink, token, failures, error, waitMs, now],
  );
}

/** How a sink fares. */
export interface SinkState {
  sink: string;
  since: Date;
  /** Failures in a row; 0: it is well. */
  failures: number;
  /** Why the last try failed. */
  error: string | null;
  last_ok_at: Date | null;
  /** When it is tried again. */
  not_before: Date;
}

export async function listSinks(db: Queryable): Promise<SinkState[]> {
  const { rows } = await db.query<SinkState>(
    `SELECT sink, since, attempts AS failures, last_error AS error, last_ok_at, not_before FROM alert_sinks
     ORDER BY sink`,
  );
  return rows;
}

/** What people and alerts are told of the crons. */
import type { Queryable } from "../database/port.ts";
import { EARLY_MS, nextSlot, OFF } from "./slots.ts";

/** A slot that nobody has taken for this long is overdue, ms: crons fire once a minute. */
const OVERDUE_AFTER_MS = 150_000;

export interface CronState {
  job: string;
  /** Five cron fields in UTC, or `off`. */
  schedule: string;
  /** Since when it has this schedule. */
  since: Date;
  /** The newest slot that was taken; null: none yet. */
  last_slot: Date | null;
  /** The next slot to come; null: off. */
  next_slot: Date | null;
  running_since: Date | null;
  runner: string | null;
  last_ended_at: Date | null;
  last_ok_at: Date | null;
  /** Of the newest run, one line; null: it went well. */
  last_error: string | null;
  /** It failed and the same slot is taken again then; null: it went well, or is given up. */
  retry_at: Date | null;
  runs: number;
  /** Of all runs. */
  failures: number;
  /** A run is going and its process lives. */
  running: boolean;
  /** A slot is past and nobody has taken it, or whoever took it is dead. */
  overdue: boolean;
}

type CronRow = Omit<CronState, "next_slot" | "running" | "overdue"> & { lease_until: Date | null; now: Date };

/** All crons that a service has ever had, by name. */
export async function readCrons(db: Queryable, now?: Date): Promise<CronState[]> {
  const { rows } = await db.query<CronRow>(
    `SELECT job, schedule, since, last_slot, runner, running_since, lease_until, last_ended_at, last_ok_at, last_error,
       retry_at, runs, failures, coalesce($1::timestamptz, now()) AS now
     FROM crons ORDER BY job`,
    [now ?? null],
  );
  return rows.map(describeCron);
}

function describeCron({ lease_until, now, ...row }: CronRow): CronState {
  const running = lease_until !== null && lease_until > now;
  const died = lease_until !== null && now.getTime() - lease_until.getTime() > OVERDUE_AFTER_MS;
  const newest = row.last_slot !== null && row.last_slot > row.since ? row.last_slot : row.since;
  const expected = nextSlot(row.schedule, newest);
  const missed = expected !== null && now.getTime() - expected.getTime() > OVERDUE_AFTER_MS;
  // A slot that an early clock has taken is not to come any more.
  const after = new Date(Math.max(now.getTime(), Math.min(newest.getTime(), now.getTime() + EARLY_MS)));
  return {
    ...row,
    next_slot: nextSlot(row.schedule, after),
    running,
    overdue: row.schedule !== OFF && !running && (missed || died),
  };
}

/**
 * Schedules belong to the processes that have them. Each process says what it has for as long as it lives, and the row of
 * `crons` follows: the schedule of the process that began last among those that have one, `off` when none has. So a
 * process without a setting turns nothing off that another one keeps up; taking slots is for those whose schedule it is.
 */
import type { Database, Queryable } from "../database/port.ts";
import { OFF } from "./slots.ts";

/** How often a process should say so again, ms. */
export const ANNOUNCE_MS = 30_000;
/** One that said nothing for this long is gone, ms: three times the above. */
const GONE_AFTER_MS = 90_000;
/** A schedule that comes back within this time counts from when it held before: a restart loses no slot. */
const CAME_BACK = "10 minutes";
/** Any number that only this rule uses: one process at a time works out what holds. */
const SCHEDULES_LOCK = 4_815_162_343;

/** A process that says what schedules it has. */
export interface Announcer {
  /** Names it: "worker:service-1a2b3c4d". */
  process: string;
  /** False: on a timeline of Deno Deploy other than production, which must not change what production runs by. */
  production: boolean;
}

export interface JobSchedule {
  job: string;
  /** Five cron fields in UTC; null: not by this process. */
  schedule: string | null;
}

/** Two processes that live have different schedules for the same cron. */
export interface Disagreement {
  job: string;
  /** The one that holds first. */
  schedules: string[];
}

const LIVES = `seen_at > now() - ${GONE_AFTER_MS} * interval '1 ms'`;

/**
 * Says that this process lives and has these schedules, which name all crons there are, and makes the rows of `crons`
 * follow. Schedules count from the moment they hold.
 */
export async function announceSchedules(
  db: Database,
  { process, production }: Announcer,
  schedules: readonly JobSchedule[],
): Promise<void> {
  const jobs = schedules.map(({ job }) => job);
  await db.transaction(async (tx) => {
    await tx.query("SELECT pg_advisory_xact_lock($1)", [SCHEDULES_LOCK]);
    await tx.query(
      `INSERT INTO cron_schedules (process, job, schedule, production)
       SELECT $1, job, schedule, $4 FROM unnest($2::text[], $3::text[]) AS own (job, schedule)
       ON CONFLICT (process, job) DO UPDATE SET schedule = excluded.schedule, seen_at = now()`,
      [process, jobs, schedules.map(({ schedule }) => schedule ?? OFF), production],
    );
    await tx.query(
      `DELETE FROM cron_schedules WHERE (process = $1 AND job <> ALL ($2::text[])) OR NOT ${LIVES}`,
      [process, jobs],
    );
    await tx.query(
      `INSERT INTO crons (job, schedule, production)
       SELECT job, coalesce((SELECT s.schedule FROM cron_schedules s
         WHERE s.job = own.job AND s.schedule <> $2 AND s.production = $3
         ORDER BY s.began_at DESC, s.process LIMIT 1), $2), $3
       FROM unnest($1::text[]) AS own (job)
       ON CONFLICT (job) DO UPDATE SET schedule = excluded.schedule, production = excluded.production,
         was = crons.schedule, was_since = crons.since,
         since = CASE WHEN crons.schedule = excluded.schedule THEN crons.since
           WHEN crons.was = excluded.schedule AND crons.since > now() - interval '${CAME_BACK}' THEN crons.was_since
           ELSE now() END
       WHERE (crons.schedule, crons.production) <> (excluded.schedule, excluded.production)
         AND (excluded.production OR NOT crons.production)`,
      [jobs, OFF, production],
    );
    // One that was renamed would look as if it had stopped.
    await tx.query(
      `DELETE FROM crons c WHERE job <> ALL ($1::text[]) AND ($2 OR NOT production)
         AND NOT EXISTS (SELECT FROM cron_schedules s WHERE s.job = c.job)`,
      [jobs, production],
    );
  });
}

/** The process ends: what it had holds only as long as another one has it, too. */
export async function withdrawSchedules(db: Queryable, { process }: Announcer): Promise<void> {
  await db.query("DELETE FROM cron_schedules WHERE process = $1", [process]);
}

/**
 * The crons for which processes of production have different schedules, `off` aside. A process that was killed and one
 * that took its place do not count: the older one must have been seen since the newer one has been here for long.
 */
export async function listDisagreements(db: Queryable, now: Date | null = null): Promise<Disagreement[]> {
  const { rows } = await db.query<Disagreement>(
    `SELECT job, array_agg(schedule ORDER BY newest DESC, schedule) AS schedules FROM (
       SELECT job, schedule, max(began_at) AS newest, max(seen_at) AS seen_at
       FROM cron_schedules WHERE production AND schedule <> $2 GROUP BY job, schedule
     ) own
     WHERE seen_at > coalesce($1::timestamptz, now()) - $3 * interval '1 ms'
     GROUP BY job
     HAVING count(*) > 1 AND max(newest) < coalesce($1::timestamptz, now()) - $3 * interval '1 ms'
     ORDER BY job`,
    [now, OFF, GONE_AFTER_MS],
  );
  return rows;
}

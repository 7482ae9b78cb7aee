/**
 * The rows of `crons`: which slot was taken last, by whom, and how it went.
 *
 *     free --take--> running --end--> free          renewed while it runs; a runner that lets its lease run out is
 *                      |                            dead, and the same slot may be taken again, a few times at most
 *                      +-- lease ran out --take--> running (somebody else)
 *                      +-- failed --wait--> take--> running: the same slot, as often, unless the next one comes first
 *
 * Every process takes every slot; the compare-and-set in `takeSlot` lets one of them have it.
 */
import type { Database, Queryable } from "../database/port.ts";

/** How long a run lives without renewal, ms: less than a minute, so that the next firing follows one that died. */
const LEASE_MS = 45_000;
/** A slot whose runs die or fail is given up after so many: what ends them would end the next one too. */
const MOST_TRIES = 3;
/** After a failure the slot waits this long, ms; after the next one so many times as long. One bad moment passes by then. */
const RETRY_MS = 60_000;
const RETRY_GROWTH = 5;
/** A time this far ahead was written by a clock that was wrong, ms; it must not stop a cron until it comes true. */
const CLOCK_WAS_WRONG_MS = 24 * 3_600_000;

/** A slot that this process has taken. */
export interface TakenSlot {
  job: string;
  slot: Date;
  runner: string;
}

export interface SlotRequest extends TakenSlot {
  /** As this process is configured; it takes the slots of the schedule that holds (schedules.ts), and of no other. */
  schedule: string;
  /** The database's clock unless a test says otherwise. */
  now?: Date;
}

/** The database's clock. */
export async function readClock(db: Queryable): Promise<Date> {
  const { rows: [{ now }] } = await db.query<{ now: Date }>("SELECT now()");
  return now;
}

/** True: the slot is this process's. False: it is taken, a run is still going, or the schedule is another one. */
export async function takeSlot(db: Database, request: SlotRequest): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE crons
     SET last_slot = $2, runner = $3, retry_at = NULL, tries = CASE WHEN last_slot = $2 THEN tries + 1 ELSE 1 END,
       running_since = coalesce($5::timestamptz, now()),
       lease_until = coalesce($5::timestamptz, now()) + $6 * interval '1 ms'
     WHERE job = $1 AND schedule = $4
       AND (since < $2 OR since > $2 + $8 * interval '1 ms')
       AND (last_slot IS NULL OR last_slot > $2 + $8 * interval '1 ms' OR CASE
         WHEN running_since IS NULL THEN last_slot < $2
           OR last_slot = $2 AND tries < $7 AND retry_at <= coalesce($5::timestamptz, now())
         ELSE lease_until < coalesce($5::timestamptz, now()) AND (last_slot < $2 OR last_slot = $2 AND tries < $7) END)`,
    [
      request.job,
      request.slot,
      request.runner,
      request.schedule,
      request.now ?? null,
      LEASE_MS,
      MOST_TRIES,
      CLOCK_WAS_WRONG_MS,
    ],
  );
  return rowCount === 1;
}

/** False: the run is not this process's any more. */
export async function renewSlot(db: Database, { job, slot, runner }: TakenSlot): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE crons SET lease_until = now() + $4 * interval '1 ms'
     WHERE job = $1 AND last_slot = $2 AND runner = $3 AND running_since IS NOT NULL`,
    [job, slot, runner, LEASE_MS],
  );
  return rowCount === 1;
}

export interface SlotEnd {
  /** One line; null: it went well. */
  error: string | null;
  /** The slot after this one: with that, trying this one again is of no use. Null: there is none. */
  nextSlot: Date | null;
  /** The database's clock unless a test says otherwise. */
  now?: Date;
}

/** When a slot that failed may be taken again: $6 now, $8 the first wait in ms, $9 its growth. */
const RETRY_AT = "coalesce($6::timestamptz, now()) + $8 * $9::float8 ^ (tries - 1) * interval '1 ms'";

/** Says how the run went; a slot that failed is due again later. False, and no change, when somebody else has the slot. */
export async function endSlot(
  db: Database,
  { job, slot, runner }: TakenSlot,
  { error, nextSlot, now }: SlotEnd,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE crons
     SET running_since = NULL, lease_until = NULL, last_ended_at = now(), last_error = $4, runs = runs + 1,
       last_ok_at = CASE WHEN $4::text IS NULL THEN now() ELSE last_ok_at END,
       failures = failures + CASE WHEN $4::text IS NULL THEN 0 ELSE 1 END,
       retry_at = CASE WHEN $4::text IS NOT NULL AND tries < $7 AND ($5::timestamptz IS NULL OR ${RETRY_AT} < $5)
         THEN ${RETRY_AT} END
     WHERE job = $1 AND last_slot = $2 AND runner = $3 AND running_since IS NOT NULL`,
    [job, slot, runner, error, nextSlot, now ?? null, MOST_TRIES, RETRY_MS, RETRY_GROWTH],
  );
  return rowCount === 1;
}

/** Gives up a run that has not ended: its slot may be taken again at once. */
export async function releaseSlot(db: Database, { job, slot, runner }: TakenSlot): Promise<void> {
  await db.query(
    `UPDATE crons SET lease_until = now()
     WHERE job = $1 AND last_slot = $2 AND runner = $3 AND running_since IS NOT NULL`,
    [job, slot, runner],
  );
}

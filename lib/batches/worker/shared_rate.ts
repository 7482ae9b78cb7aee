/**
 * GEMINI_RPM over all processes of a database: one row says when the next place for a request is free.
 *
 *     row: next_at ───────────┐          places lie `spacing` apart on the database's clock (GCRA)
 *     ── A A A A B B C C C C  ▾ ── time
 *
 * A process reserves several places in one round trip and lets a request leave at each. A place may be used from its
 * time until `VALID_MS` later, then it is lost. What nobody reserved is lost as well, but for `BURST_MS` of it. A provider
 * may count any 60 seconds, from any moment on: rpm places lie in those and what may leave late or arrive late, so that
 * whatever processes do with their places no more than rpm arrive. That is 2 % less than rpm in the long run. Processes
 * with different settings take places as far apart as their own says: together never more than the largest of them allows.
 *
 * rate-limiter-flexible has a limiter in Postgres too (11.4, lib/RateLimiterPostgres.js): it compares the row with the
 * clock of each process, so machines with different clocks have different windows; it makes a round trip a request,
 * and one more a try that is refused; and its window is fixed, so twice the rate passes around the end of one.
 */
import type { Queryable } from "../../database/port.ts";

/** How long after its time a place may still be used, ms. */
export const VALID_MS = 1_000;
/** How much of the time that nobody used is made up for at once, ms; what is left of VALID_MS is for the way here. */
export const BURST_MS = 500;

/** Requests differ in how long they are on their way, by about this, ms. */
const ON_THE_WAY_MS = 250;
/** A minute, and what may leave and arrive in it although its place was before, ms. */
const MINUTE_MS = 60_000 + VALID_MS + ON_THE_WAY_MS;

export interface Reservation {
  /** How many places; 0 only tells and asks about closing. */
  count: number;
  /** Places may be from `BURST_MS` before this on, ms from now (default 0): earlier ones would be lost on the way. */
  laterMs?: number;
  /** The provider asked everybody to stay away this long, ms; null: it did not. */
  closeMs?: number | null;
  now?: Date | null;
}

export interface Reserved {
  count: number;
  /** The time of the first place after the moment the database answered, ms; negative: it is there already. */
  firstMs: number;
  spacingMs: number;
  /** How long everybody has to stay away, ms. */
  closedMs: number;
  /** The time after the last place, microseconds since 1970 by the database's clock. */
  end: number;
}

/** A provider's rate as all processes of a database share it. */
export interface SharedRate {
  readonly spacingMs: number;
  reserve(reservation: Reservation): Promise<Reserved>;
  /** Makes the last `count` places of a reservation free again, when nobody has reserved places behind them. */
  giveBack(count: number, end: number): Promise<void>;
}

/*
 * What stands more than an hour ahead was written before the database's clock was set back: it counts for nothing, or
 * nothing would leave until then.
 *
 * The clock is read behind the wait for the row's lock, and the answer says how far the places are from the clock
 * instead of when they are: no process compares its own clock with anything.
 */
const RESERVE = `
INSERT INTO rate_limits AS r (provider, next_at, closed_until)
VALUES ($1,
  coalesce($6::timestamptz, clock_timestamp()) + $3 * interval '1 ms' + $2 * interval '1 microsecond',
  coalesce($6::timestamptz, clock_timestamp()) + $4 * interval '1 ms')
ON CONFLICT (provider) DO UPDATE SET
  next_at = greatest(
    CASE WHEN r.next_at < coalesce($6::timestamptz, clock_timestamp()) + interval '1 hour' THEN r.next_at END,
    coalesce($6::timestamptz, clock_timestamp()) + $3 * interval '1 ms')
    + $2 * interval '1 microsecond',
  closed_until = greatest(
    CASE WHEN r.closed_until < coalesce($6::timestamptz, clock_timestamp()) + interval '1 hour' THEN r.closed_until END,
    coalesce($6::timestamptz, clock_timestamp()) + $4 * interval '1 ms')
RETURNING (extract(epoch FROM next_at) * 1000000)::bigint AS end_at,
  (extract(epoch FROM next_at - coalesce($6::timestamptz, clock_timestamp())) * 1000)::float8
    - $5::float8 AS first_ms,
  greatest(0, extract(epoch FROM closed_until - coalesce($6::timestamptz, clock_timestamp())) * 1000)::float8
    AS closed_ms`;

const GIVE_BACK = `
UPDATE rate_limits SET next_at = next_at - $2 * interval '1 microsecond'
WHERE provider = $1 AND (extract(epoch FROM next_at) * 1000000)::bigint = $3`;

/** @param rpm Requests a minute. */
export function shareRate(db: Queryable, provider: string, rpm: number): SharedRate {
  // Whole microseconds, which is what the database counts in. One more than fits: else the last place would lie in the
  // same minute as the first.
  const spacing = Math.floor(MINUTE_MS * 1_000 / rpm) + 1;
  return {
    spacingMs: spacing / 1_000,
    async reserve({ count, laterMs = 0, closeMs = null, now = null }) {
      const length = count * spacing;
      const { rows: [row] } = await db.query<{ end_at: number; first_ms: number; closed_ms: number }>(
        RESERVE,
        [provider, length, laterMs - BURST_MS, closeMs, length / 1_000, now],
        "reserve",
      );
      return {
        count,
        firstMs: row.first_ms,
        spacingMs: spacing / 1_000,
        closedMs: row.closed_ms,
        end: row.end_at,
      };
    },
    async giveBack(count, end) {
      await db.query(GIVE_BACK, [provider, count * spacing, end]);
    },
  };
}

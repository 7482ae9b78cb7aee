/** The rows of `feeds`: when each feed of FEEDS was read, how it went, and which version of it is known. */
import type { Database, Queryable } from "../database/port.ts";
import { hideLocation, showLocation } from "./feed_location.ts";
import type { PageVersion } from "./fetch_if_changed.ts";

/** However little a server says has changed, this often a feed is read as a whole, hours: what was missed is found. */
const READ_WHOLE_HOURS = 24;
/** An error is kept this long, in characters. */
const ERROR_CHARS = 500;

export interface FeedState {
  /** Address or path, without what must not be shown. */
  location: string;
  /** Null: not read yet. */
  last_run_at: Date | null;
  last_ok_at: Date | null;
  /** Of the newest run, one line; null: it went well. */
  last_error: string | null;
  /** In a row, since the last success. */
  failures: number;
  /** Articles that came by it, all told. */
  added: number;
}

/** These feeds in this order, whether they were read yet or not. */
export async function listFeeds(db: Queryable, locations: readonly string[]): Promise<FeedState[]> {
  const { rows } = await db.query<FeedState>(
    `SELECT wanted.location, f.last_run_at, f.last_ok_at, f.last_error, coalesce(f.failures, 0) AS failures,
       coalesce(f.added, 0) AS added
     FROM unnest($1::text[]) WITH ORDINALITY AS wanted (location, position) LEFT JOIN feeds f USING (location)
     ORDER BY wanted.position`,
    [locations],
  );
  return rows.map((row) => ({ ...row, location: showLocation(row.location) }));
}

/** Forgets the feeds that are not among these any more, so that nobody waits for them. */
export async function keepFeeds(db: Database, locations: readonly string[]): Promise<void> {
  await db.query("DELETE FROM feeds WHERE location <> ALL ($1::text[])", [locations]);
}

/** What the server called the version that was read last; null when the feed is to be read as a whole. */
export async function knownVersion(db: Queryable, location: string, now?: Date): Promise<PageVersion | null> {
  const { rows: [known] } = await db.query<PageVersion>(
    `SELECT etag, last_modified AS "lastModified" FROM feeds
     WHERE location = $1 AND read_at > coalesce($2::timestamptz, now()) - $3 * interval '1 h'`,
    [location, now ?? null, READ_WHOLE_HOURS],
  );
  return known ?? null;
}

export interface FeedReading {
  added: number;
  /** Which version was read whole; null: none, so the next reading asks for everything. Undefined: it has not changed. */
  version?: PageVersion | null;
}

export async function recordReading(db: Database, location: string, { added, version }: FeedReading) {
  await db.query(
    `INSERT INTO feeds AS f (location, last_ok_at, added, etag, last_modified, read_at)
     VALUES ($1, now(), $2, $3, $4, CASE WHEN $5 THEN now() END)
     ON CONFLICT (location) DO UPDATE SET last_run_at = now(), last_ok_at = now(), last_error = NULL, failures = 0,
       added = f.added + $2, etag = CASE WHEN $6 THEN f.etag ELSE $3 END,
       last_modified = CASE WHEN $6 THEN f.last_modified ELSE $4 END,
       read_at = CASE WHEN $6 THEN f.read_at WHEN $5 THEN now() END`,
    [location, added, version?.etag ?? null, version?.lastModified ?? null, !!version, version === undefined],
  );
}

/** @param error For a person; the address in it is shown as `showLocation` does. */
export async function recordFailure(db: Database, location: string, error: string): Promise<void> {
  const shown = hideLocation(error, location).replaceAll(/\s+/g, " ").trim();
  await db.query(
    `INSERT INTO feeds AS f (location, last_error, failures) VALUES ($1, $2, 1)
     ON CONFLICT (location) DO UPDATE SET last_run_at = now(), last_error = $2, failures = f.failures + 1`,
    [location, shown.slice(0, ERROR_CHARS)],
  );
}

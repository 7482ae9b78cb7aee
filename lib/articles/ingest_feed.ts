/** Takes in a feed that is read again and again: asks its server only for what is new, and remembers how it went. */
import type { Database } from "../database/port.ts";
import { messageOf } from "../errors.ts";
import { knownVersion, recordFailure, recordReading } from "./feed_rows.ts";
import type { PageVersion } from "./fetch_if_changed.ts";
import { ingest, type IngestOptions } from "./ingest.ts";
import type { IngestReport } from "./types.ts";

/**
 * Throws what `ingest` throws, after it was recorded; what the signal cuts short is no failure of the feed.
 * @param location As it stands in FEEDS.
 */
export async function ingestFeed(
  db: Database,
  location: string,
  options: IngestOptions = {},
): Promise<IngestReport> {
  const known = await knownVersion(db, location);
  let version: PageVersion | undefined;
  try {
    const report = await ingest(db, location, {
      ...options,
      ...(known ? { knownVersion: known } : {}),
      onVersion: (read) => version = read,
    });
    const unchanged = known !== null && version === undefined;
    // With entries or pages that could not be read the feed is asked for as a whole again: they may be put right.
    const whole = report.broken.length === 0 && !report.notGranted ? version ?? null : null;
    await recordReading(db, location, { added: report.new, version: unchanged ? undefined : whole });
    return { ...report, ...(unchanged ? { unchanged } : {}) };
  } catch (error) {
    if (!options.signal?.aborted) await recordFailure(db, location, messageOf(error));
    throw error;
  }
}

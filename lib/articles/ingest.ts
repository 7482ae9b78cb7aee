import type { Database } from "../database/port.ts";
import type { ReadOptions } from "./read_context.ts";
import { readSource } from "./read_source.ts";
import { storeArticles, type StoreOptions } from "./store_articles.ts";
import type { IngestReport } from "./types.ts";

export type IngestOptions = Omit<ReadOptions, "hasLongerText"> & StoreOptions;

const HAS_LONGER_TEXT = `
  SELECT 1 FROM articles
  WHERE ((source = $1 AND external_id = $2) OR url = $3) AND body_chars > $4
  LIMIT 1`;

/**
 * Reads a source and stores its articles. Pages behind teasers are fetched only for articles of which no longer
 * text is stored. Throws `IngestError` when the source as a whole cannot be read.
 */
export async function ingest(
  db: Database,
  location: string,
  options: IngestOptions = {},
): Promise<IngestReport> {
  const { onProgress, ...reading } = options;
  const notGranted = new Set<string>();
  const items = readSource(location, {
    ...reading,
    onNotGranted: (host) => notGranted.add(host),
    hasLongerText: async ({ source, externalId, url }, teaserChars) => {
      const found = await db.query(HAS_LONGER_TEXT, [source, externalId, url, teaserChars]);
      return found.rows.length > 0;
    },
  });
  const report = await storeArticles(db, items, { signal: options.signal, onProgress });
  return {
    ...report,
    source: report.source || location,
    ...(notGranted.size > 0 ? { notGranted: [...notGranted] } : {}),
  };
}

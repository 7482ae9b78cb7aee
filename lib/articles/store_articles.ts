import type { Database } from "../database/port.ts";
import { messageOf } from "../errors.ts";
import { type ArticleRow, makeRow, rowKeys } from "./article_row.ts";
import { insertNewArticles } from "./insert_new_articles.ts";
import { isFaultOfRow, isRaceLost } from "./sql_state.ts";
import type { IngestItem, IngestReport } from "./types.ts";
import { findChangedArticles, updateChangedArticle } from "./update_changed_articles.ts";

/** Rows one statement inserts. More gain nothing: the text itself is the work. */
const CHUNK_ROWS = 100;
/** Text one statement carries, in UTF-16 code units: a chunk of the largest entries would be half a gigabyte. */
const CHUNK_CHARS = 4 * 1024 * 1024;

export interface StoreOptions {
  /** Stops between two chunks: what is stored stays, and the signal's reason is thrown. */
  signal?: AbortSignal;
  /** Told after every chunk; the report goes on changing. */
  onProgress?: (report: Readonly<IngestReport>) => void;
}

interface Pending {
  row: ArticleRow;
  where: string;
  isTeaser: boolean;
}

/**
 * Stores what a source delivered. An article is known by its source's id, its address or its text; a known one
 * gets its changed text (see `updateChangedArticle`) and counts as known as well as updated. Each chunk is a
 * statement of its own, so nothing is held open and a killed process loses at most one.
 * Throws what the source throws, and database errors that are no single row's fault.
 */
export async function storeArticles(
  db: Database,
  items: AsyncIterable<IngestItem>,
  options: StoreOptions = {},
): Promise<IngestReport> {
  const report: IngestReport = { source: "", new: 0, known: 0, updated: 0, broken: [] };
  const sources = new Set<string>();
  const chunk = new Chunk();
  const flush = async () => {
    options.signal?.throwIfAborted();
    await storeChunk(db, chunk.take(), report);
    report.source = nameSources(sources);
    options.onProgress?.(report);
  };
  for await (const item of items) {
    if (item.kind === "broken") {
      report.broken.push(item.broken);
      continue;
    }
    sources.add(item.article.source);
    const row = makeRow(item.article);
    const twin = chunk.meet(row);
    if (twin === "same text") {
      report.known++;
      continue;
    }
    // The later delivery of one article is judged against the earlier one in the table.
    if (twin === "same article" || chunk.isFull()) await flush();
    chunk.add({ row, where: item.where, isTeaser: item.isTeaser ?? false });
  }
  await flush();
  return report;
}

/** Rows on their way into one statement, none of which shares an identity with another. */
class Chunk {
  #rows: Pending[] = [];
  #chars = 0;
  #hashOfKey = new Map<string, string>();

  meet(row: ArticleRow): "same text" | "same article" | "nothing" {
    const hashes = rowKeys(row).map((key) => this.#hashOfKey.get(key)).filter((hash) => hash !== undefined);
    if (hashes.length === 0) return "nothing";
    return hashes.includes(row.body_hash) ? "same text" : "same article";
  }

  isFull(): boolean {
    return this.#rows.length >= CHUNK_ROWS || this.#chars >= CHUNK_CHARS;
  }

  add(pending: Pending): void {
    this.#rows.push(pending);
    this.#chars += pending.row.body_chars;
    for (const key of rowKeys(pending.row)) this.#hashOfKey.set(key, pending.row.body_hash);
  }

  take(): Pending[] {
    const rows = this.#rows;
    this.#rows = [];
    this.#chars = 0;
    this.#hashOfKey.clear();
    return rows;
  }
}

async function storeChunk(db: Database, chunk: Pending[], report: IngestReport): Promise<void> {
  if (chunk.length === 0) return;
  let known: Pending[];
  try {
    known = (await insertNewArticles(db, chunk.map(({ row }) => row))).map((position) => chunk[position]);
  } catch (error) {
    if (!isFaultOfRow(error) && !(isRaceLost(error) && chunk.length > 1)) throw error;
    if (chunk.length > 1) {
      // One row spoils its statement; alone, the others go in. A lone insert cannot deadlock with another.
      for (const pending of chunk) await storeChunk(db, [pending], report);
    } else {
      report.broken.push({
        where: chunk[0].where,
        reason: `was refused by the database: ${messageOf(error)}`,
      });
    }
    return;
  }
  report.new += chunk.length - known.length;
  report.known += known.length;
  for (const position of await findChangedArticles(db, known.map(({ row }) => row))) {
    const { row, isTeaser } = known[position];
    if (await updateChangedArticle(db, row, isTeaser)) report.updated++;
  }
}

/** A folder has a source for every sub folder; three are enough to know what was read. */
function nameSources(sources: Set<string>): string {
  const names = [...sources];
  const rest = names.length - 3;
  return names.slice(0, 3).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

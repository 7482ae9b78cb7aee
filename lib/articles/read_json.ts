import { basename } from "node:path";
import { decodeBytes } from "./decode_bytes.ts";
import { IngestError } from "./ingest_error.ts";
import { jsonToItem } from "./json_article.ts";
import { MAX_JSON_FILE_BYTES } from "./limits.ts";
import { isJsonFeed, readFeedText } from "./read_feed.ts";
import type { ReadContext } from "./read_context.ts";
import type { IngestItem } from "./types.ts";

const WANTED = 'an array of objects, or an object with an "articles" or "items" array';

/**
 * Reads a `.json` file: an array of objects, an object that holds one as `articles` or `items`, or a JSON Feed.
 * Throws `IngestError` when the file is none of these.
 */
export async function* readJsonFile(path: string, context: ReadContext): AsyncGenerator<IngestItem> {
  const size = (await Deno.stat(path)).size;
  if (size > MAX_JSON_FILE_BYTES) {
    throw new IngestError(
      `Cannot read "${path}": wanted at most ${MAX_JSON_FILE_BYTES} bytes of JSON, got ${size}; ` +
        "write one object a line into a .jsonl file.",
    );
  }
  const text = decodeBytes(await Deno.readFile(path), null);
  const document = parse(text, path);
  if (isJsonFeed(document)) {
    yield* readFeedText(text, { source: basename(path), address: null }, context);
    return;
  }
  const list = findList(document);
  if (!list) {
    throw new IngestError(`Cannot read "${path}": wanted ${WANTED}, got something else; check the file.`);
  }
  for (const [index, value] of list.entries()) {
    yield jsonToItem(value, basename(path), `entry ${index + 1}`, context.now);
  }
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new IngestError(
      `Cannot read "${path}": wanted JSON, got text that does not parse; one object a line belongs in .jsonl.`,
    );
  }
}

function findList(document: unknown): unknown[] | null {
  if (Array.isArray(document)) return document;
  if (typeof document !== "object" || document === null) return null;
  const { articles, items } = document as Record<string, unknown>;
  return Array.isArray(articles) ? articles : Array.isArray(items) ? items : null;
}

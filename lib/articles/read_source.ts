import { messageOf } from "../errors.ts";
import { IngestError } from "./ingest_error.ts";
import type { ReadContext, ReadOptions } from "./read_context.ts";
import { readFeedFile, readFeedUrl } from "./read_feed.ts";
import { readJsonFile } from "./read_json.ts";
import { readJsonlFile } from "./read_jsonl.ts";
import { MARKDOWN_NAME, readMarkdownFile, readMarkdownFolder } from "./read_markdown.ts";
import type { IngestItem } from "./types.ts";

const WANTED = "a feed address, a feed file, a folder of .md files, a .md, .json or .jsonl file";

/**
 * Reads every entry of a source: a feed (`https://…` or a file), a folder of Markdown, one `.md`, `.json` or
 * `.jsonl` file. What is wrong with one entry is an item of kind "broken" and the rest goes on.
 * Throws `IngestError` at the first step when the source as a whole cannot be read.
 */
export async function* readSource(location: string, options: ReadOptions = {}): AsyncGenerator<IngestItem> {
  const context: ReadContext = { ...options, now: options.now ?? new Date() };
  for await (const item of await chooseReader(location.trim(), context)) {
    context.signal?.throwIfAborted();
    yield item;
  }
}

async function chooseReader(location: string, context: ReadContext): Promise<AsyncIterable<IngestItem>> {
  context.signal?.throwIfAborted();
  if (/^https?:\/\//i.test(location)) return readFeedUrl(location, context);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) {
    throw new IngestError(
      `Cannot read "${location}": wanted an http or https address or a path, got ${
        location.split("://")[0]
      }://.`,
    );
  }
  const kind = await kindOfPath(location);
  if (kind === "folder") return guardFile(location, readMarkdownFolder(location, context.now));
  if (MARKDOWN_NAME.test(location)) return guardFile(location, readMarkdownFile(location, context.now));
  if (/\.json$/i.test(location)) return guardFile(location, readJsonFile(location, context));
  if (/\.(?:jsonl|ndjson)$/i.test(location)) return guardFile(location, readJsonlFile(location, context.now));
  return guardFile(location, readFeedFile(location, context));
}

async function kindOfPath(path: string): Promise<"folder" | "file"> {
  try {
    return (await Deno.stat(path)).isDirectory ? "folder" : "file";
  } catch (error) {
    const found = error instanceof Deno.errors.NotFound ? "nothing there" : messageOf(error);
    throw new IngestError(`Cannot read "${path}": wanted ${WANTED}, got ${found}; check the path.`);
  }
}

/** The system's own errors (no permission, a file that vanished) become lines for a person. */
async function* guardFile(path: string, items: AsyncIterable<IngestItem>): AsyncGenerator<IngestItem> {
  try {
    yield* items;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new IngestError(
      `Cannot read "${path}": wanted a file that can be read, got ${
        messageOf(error)
      }; check its permissions.`,
    );
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable ||
    (error instanceof Error && /^E[A-Z]+$/.test(String((error as { code?: unknown }).code)));
}

import { basename } from "node:path";
import { brokenItem } from "./build_item.ts";
import { jsonToItem } from "./json_article.ts";
import { MAX_ENTRY_SIZE, TOO_LARGE } from "./limits.ts";
import type { IngestItem } from "./types.ts";

/**
 * Reads a file with one JSON object a line, without ever holding more than a line of it. Blank lines are passed
 * over; a line that does not parse or is too long is a broken entry.
 */
export async function* readJsonlFile(path: string, now: Date): AsyncGenerator<IngestItem> {
  const file = await Deno.open(path);
  const source = basename(path);
  let number = 0;
  for await (const line of splitLines(file.readable.pipeThrough(new TextDecoderStream()))) {
    number++;
    const where = `line ${number}`;
    if (line === null) yield brokenItem(where, TOO_LARGE);
    else if (line.trim() !== "") yield parseLine(line, source, where, now);
  }
}

function parseLine(line: string, source: string, where: string, now: Date): IngestItem {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return brokenItem(where, "is not JSON");
  }
  return jsonToItem(value, source, where, now);
}

/** Lines without their ends; null stands for one longer than `MAX_ENTRY_SIZE` characters. */
async function* splitLines(chunks: AsyncIterable<string>): AsyncGenerator<string | null> {
  let parts: string[] = [];
  let length = 0;
  const add = (part: string) => {
    length += part.length;
    if (length <= MAX_ENTRY_SIZE) parts.push(part);
    else parts = [];
  };
  const take = () => {
    const line = length <= MAX_ENTRY_SIZE ? parts.join("") : null;
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    const pieces = chunk.split("\n");
    for (const piece of pieces.slice(0, -1)) {
      add(piece);
      yield take();
    }
    add(pieces[pieces.length - 1]);
  }
  if (length > 0) yield take();
}

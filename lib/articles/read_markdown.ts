import { basename, dirname, join, relative } from "node:path";
import { brokenItem } from "./build_item.ts";
import { decodeBytes } from "./decode_bytes.ts";
import { messageOf } from "../errors.ts";
import { IngestError } from "./ingest_error.ts";
import { MAX_ENTRY_SIZE, TOO_LARGE } from "./limits.ts";
import { markdownToItem } from "./markdown_article.ts";
import type { IngestItem } from "./types.ts";

export const MARKDOWN_NAME = /\.(?:md|markdown)$/i;

/** Folders that hold no articles: hidden ones and installed packages. */
const SKIPPED_FOLDER = /^(?:\.|node_modules$)/;

/**
 * Reads every Markdown file of a folder and its sub folders in the order of their paths. The source of each is
 * the folder's base name and the sub folder ("optech/newsletters"), however the folder was spelled.
 * Throws `IngestError` when there is no Markdown in it.
 */
export async function* readMarkdownFolder(folder: string, now: Date): AsyncGenerator<IngestItem> {
  const root = await Deno.realPath(folder);
  const paths = await listMarkdown(root);
  if (paths.length === 0) {
    throw new IngestError(
      `Cannot read "${folder}": wanted a folder with .md files, got one without any; check the path.`,
    );
  }
  const rootName = basename(root) || "folder";
  for (const path of paths) {
    const inside = relative(root, path).split("\\").join("/");
    const sub = dirname(inside);
    yield await readOne(path, sub === "." ? rootName : `${rootName}/${sub}`, inside, now);
  }
}

/** Reads one Markdown file; its source is the base name of the folder it lies in. */
export async function* readMarkdownFile(path: string, now: Date): AsyncGenerator<IngestItem> {
  const real = await Deno.realPath(path);
  yield await readOne(real, basename(dirname(real)) || "folder", basename(real), now);
}

async function readOne(path: string, source: string, where: string, now: Date): Promise<IngestItem> {
  try {
    if ((await Deno.stat(path)).size > MAX_ENTRY_SIZE) return brokenItem(where, TOO_LARGE);
    const text = decodeBytes(await Deno.readFile(path), null);
    return markdownToItem({ source, name: basename(path), text }, where, now);
  } catch (error) {
    return brokenItem(where, `does not parse: ${messageOf(error).split("\n", 1)[0]}`);
  }
}

/** Absolute paths, sorted by code unit. Links to folders are not followed: they may lead in a circle. */
async function listMarkdown(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory && !SKIPPED_FOLDER.test(entry.name)) found.push(...await listMarkdown(path));
    else if (!entry.isDirectory && MARKDOWN_NAME.test(entry.name)) found.push(path);
  }
  return found.sort();
}

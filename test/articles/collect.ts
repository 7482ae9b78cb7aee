/** Helpers of the ingestion tests: read everything, serve something, lay out files. */
import { dirname, join } from "node:path";
import type { ReadOptions } from "../../lib/articles/read_context.ts";
import { readSource } from "../../lib/articles/read_source.ts";
import type { BrokenEntry, IncomingArticle, IngestItem } from "../../lib/articles/types.ts";

export interface Collected {
  articles: IncomingArticle[];
  broken: BrokenEntry[];
}

export async function collect(items: AsyncIterable<IngestItem>): Promise<Collected> {
  const all: Collected = { articles: [], broken: [] };
  for await (const item of items) {
    if (item.kind === "article") all.articles.push(item.article);
    else all.broken.push(item.broken);
  }
  return all;
}

export function readAll(location: string, options: ReadOptions = {}): Promise<Collected> {
  return collect(readSource(location, options));
}

/** Reads a source that must deliver exactly one article. */
export async function readOne(location: string, options: ReadOptions = {}): Promise<IncomingArticle> {
  const { articles, broken } = await readAll(location, options);
  if (articles.length !== 1 || broken.length > 0) {
    throw new Error(`wanted one article, got ${articles.length} and broken ${JSON.stringify(broken)}`);
  }
  return articles[0];
}

/** A folder that is removed when the block ends. */
export async function makeFolder(
  files: Record<string, string | Uint8Array>,
): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "nd-articles-" });
  for (const [name, content] of Object.entries(files)) {
    const target = join(path, name);
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.writeFile(target, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

export interface TestServer extends AsyncDisposable {
  url: string;
  /** Paths that were asked for, in order. */
  asked: string[];
}

/** A web server on a free port of 127.0.0.1. */
export function serve(
  answer: (request: Request) => Response | Promise<Response>,
  hostname = "127.0.0.1",
): TestServer {
  const asked: string[] = [];
  const server = Deno.serve({ port: 0, hostname, onListen() {} }, (request) => {
    asked.push(new URL(request.url).pathname);
    return answer(request);
  });
  return {
    url: `http://${hostname}:${server.addr.port}`,
    asked,
    async [Symbol.asyncDispose]() {
      // A test leaves half-read answers behind on purpose; those are cut, not waited for.
      await Promise.race([server.shutdown(), new Promise((resolve) => setTimeout(resolve, 200))]);
    },
  };
}

/** `count` different sentences, so that texts have the length a test needs without repeating a line. */
export function sentences(count: number, about = "node"): string {
  return Array.from(
    { length: count },
    (_, n) => `The ${about} number ${n} relays transactions to its peers and waits for the next block.`,
  ).join(" ");
}

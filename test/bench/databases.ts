/** Fresh databases for the bench: an embedded one, and one on a server when BENCH_DATABASE_URL names it. */
import { openDatabase } from "../../lib/database/connect.ts";
import type { Database } from "../../lib/database/port.ts";
import { databaseOn, onServer } from "../helpers/template.ts";

export interface BenchDatabase {
  name: "embedded" | "postgres";
  db: Database;
  databaseUrl: string | null;
  dataDir: string;
  close(): Promise<void>;
}

export async function openBenchDatabase(server: string | null): Promise<BenchDatabase> {
  const dataDir = await Deno.makeTempDir({ prefix: "nd-bench-" });
  const name = `nd_bench_${Deno.pid}_${Date.now()}`;
  if (server) await onServer(server, `CREATE DATABASE ${name}`);
  const databaseUrl = server ? databaseOn(server, name) : null;
  const { database: db } = await openDatabase({
    databaseUrl,
    dataDir,
    role: "bench",
    onConnectionError: (message) => console.error(message),
  });
  return {
    name: server ? "postgres" : "embedded",
    db,
    databaseUrl,
    dataDir,
    async close() {
      await db.close();
      if (server) await onServer(server, `DROP DATABASE ${name} WITH (FORCE)`);
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

/** Stands in every article that a bench adds, so that an analysis can quote it. */
export const BENCH_QUOTE = "relayed block 2 to its peers without delay.";

/** `count` ready articles of about `chars` characters, each with text of its own. */
export async function addBenchArticles(db: Database, count: number, chars: number): Promise<void> {
  await db.query(
    `INSERT INTO articles (source, title, body, body_chars, body_bytes, body_hash, language, published_at)
     SELECT 'bench', 'Article ' || n, text.body, length(text.body), length(text.body), gen_random_uuid()::text, 'en',
       now() - n * interval '1 second'
     FROM generate_series(1, $1::integer) AS n,
       LATERAL (SELECT string_agg('Node ' || n || ' relayed block ' || k || ' to its peers without delay. ', '') AS body
         FROM generate_series(1, $2::integer / 54) AS k) AS text`,
    [count, chars],
  );
}

/** Choosing the articles of a session among a million, of which 10,000 are ready, and the report about all of them. */
import { findReady, type IdentifierRules, reportIdentification } from "../../../lib/articles/identifier.ts";
import type { Database } from "../../../lib/database/port.ts";
import { openBenchDatabase } from "../databases.ts";

const ARTICLES = 1_000_000;
const READY = 10_000;
/** Rows an INSERT: a statement has a minute, and the embedded database is slower. */
const SLICE = 100_000;
const ROUNDS = 15;
const REPORT_ROUNDS = 3;

const RULES: IdentifierRules = { minChars: 1_000, maxBytes: 1_000_000, languages: ["en"] };

export interface IdentifierScale {
  on: "embedded" | "postgres";
  articles: number;
  ready: number;
  /** Medians in ms, as the program waits for them. */
  default200: number;
  all10000: number;
  report: number;
}

export async function measureIdentifier(server: string | null): Promise<IdentifierScale> {
  const bench = await openBenchDatabase(server);
  try {
    await addMillion(bench.db);
    const find = (limit: number) => median(ROUNDS, () => findReady(bench.db, RULES, limit + 1));
    return {
      on: bench.name,
      articles: ARTICLES,
      ready: READY,
      default200: await find(200),
      all10000: await find(READY),
      report: await median(REPORT_ROUNDS, () => reportIdentification(bench.db, RULES)),
    };
  } finally {
    await bench.close();
  }
}

/**
 * The ready ones are spread evenly over all times. Their bodies are short here: no query reads one, and a real one of
 * more than 2 KB stands outside of its row.
 */
export async function addMillion(db: Database): Promise<void> {
  for (let from = 1; from <= ARTICLES; from += SLICE) {
    await db.query(
      `INSERT INTO articles (source, title, body, body_chars, body_bytes, body_hash, language, published_at, analyzed_at)
       SELECT 'bench', 'Article ' || n || ' of a newsletter about Bitcoin', repeat(md5(n::text) || ' ', 4), 5000, 5040,
         md5(n::text), 'en', now() - n * interval '1 minute', CASE WHEN n % $3::integer <> 0 THEN now() END
       FROM generate_series($1::integer, $2::integer) AS n`,
      [from, from + SLICE - 1, ARTICLES / READY],
    );
  }
  await db.query("VACUUM ANALYZE articles");
}

async function median(rounds: number, run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const asked = performance.now();
    await run();
    // The first one warms up.
    if (round > 0) times.push(performance.now() - asked);
  }
  times.sort((a, b) => a - b);
  return Math.round(times[Math.floor(rounds / 2)] * 10) / 10;
}

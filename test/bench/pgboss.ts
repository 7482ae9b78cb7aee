/**
 * The other peer: pg-boss running jobs that make the same HTTP call and insert one row, over a pool of the same size as
 * graphile-worker's. Like that one it has no ledger, no leases with fencing, no analysis to check and store.
 */
import { type Job, PgBoss } from "pg-boss";
import pg from "pg";
import { buildArticlePrompt } from "../../lib/analysis/prompt.ts";
import { addBenchArticles, type BenchDatabase } from "./databases.ts";
import type { SessionBench, SessionFigures } from "./session.ts";
import { countWarmUp } from "./warm_up.ts";

const QUEUE = "analyse";
/**
 * Jobs a worker takes at once. With one, a worker waits for its next poll (0.5 s at the least) after every job: 32 a
 * second of 16 workers. In batches it goes on as long as they are full, and waits for the slowest call of each.
 * Articles a second with 2, 4, 8 and 16: 714, 745, 540, 341; of the ideal at 100 ms: 0.60, 0.57, 0.47, 0.53.
 */
const BATCH = 2;

export async function runPgBoss(
  bench: BenchDatabase,
  options: SessionBench,
  ask: (geminiUrl: string, prompt: string) => Promise<string>,
): Promise<SessionFigures> {
  if (!bench.databaseUrl) throw new Error("pg-boss is measured on a server");
  const { articles, concurrency, geminiUrl } = options;
  const pool = new pg.Pool({ connectionString: bench.databaseUrl, max: 10 });
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  await pool.query("CREATE TABLE pgboss_results (article_id bigint PRIMARY KEY, answer text)");
  const warmUp = countWarmUp(concurrency);
  await addBenchArticles(bench.db, warmUp + articles, options.chars);
  const { rows } = await pool.query<{ id: string; title: string; body: string }>(
    "SELECT id, title, body FROM articles",
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const boss = new PgBoss({
    db: { executeSql: (text, values) => pool.query(text, values) },
    schedule: false,
  });
  boss.on("error", (error) => console.error(error.message));
  await boss.start();
  await boss.createQueue(QUEUE);
  let done = Promise.withResolvers<void>();
  let left = 0;
  const analyse = async ({ data: { id } }: Job<{ id: string }>) => {
    const answer = await ask(geminiUrl, buildArticlePrompt(byId.get(id)!));
    await pool.query("INSERT INTO pgboss_results VALUES ($1, $2)", [id, answer]);
    if (--left === 0) done.resolve();
  };
  await boss.work<{ id: string }>(
    QUEUE,
    {
      batchSize: BATCH,
      localConcurrency: concurrency / BATCH,
      burstWhenBatchFull: true,
      pollingIntervalSeconds: 0.5,
    },
    async (jobs) => void await Promise.all(jobs.map(analyse)),
  );
  const work = async (some: typeof rows) => {
    left = some.length;
    done = Promise.withResolvers();
    const started = performance.now();
    await boss.insert(QUEUE, some.map(({ id }) => ({ data: { id } })));
    await done.promise;
    return (performance.now() - started) / 1000;
  };
  await work(rows.slice(articles));
  const seconds = await work(rows.slice(0, articles));
  await boss.stop({ close: false });
  await pool.end();
  return { articles, seconds, perSecond: articles / seconds };
}

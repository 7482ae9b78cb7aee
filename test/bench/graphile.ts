/**
 * The peer: graphile-worker running jobs that make the same HTTP call and insert one row. It has no ledger, no leases
 * with fencing, no analysis to check and store: what it does a second is what the desk is measured against.
 */
import { Logger, run } from "graphile-worker";
import pg from "pg";
import { sendOnce } from "../../lib/http/send_once.ts";
import { buildArticlePrompt } from "../../lib/analysis/prompt.ts";
import { addBenchArticles, type BenchDatabase } from "./databases.ts";
import type { SessionBench, SessionFigures } from "./session.ts";
import { countWarmUp } from "./warm_up.ts";

export async function runGraphile(
  bench: BenchDatabase,
  options: SessionBench,
  ask: (geminiUrl: string, prompt: string) => Promise<string>,
): Promise<SessionFigures> {
  if (!bench.databaseUrl) throw new Error("graphile-worker needs a server");
  const { articles, concurrency, geminiUrl } = options;
  const pool = new pg.Pool({ connectionString: bench.databaseUrl, max: 10 });
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  await pool.query(
    "CREATE TABLE IF NOT EXISTS graphile_results (article_id bigint PRIMARY KEY, answer text)",
  );
  const warmUp = countWarmUp(concurrency);
  await addBenchArticles(bench.db, warmUp + articles, options.chars);
  const { rows } = await pool.query<{ id: string; title: string; body: string }>(
    "SELECT id, title, body FROM articles",
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  let left = 0;
  let finished = () => {};
  const runner = await run({
    pgPool: pool,
    concurrency,
    noHandleSignals: true,
    logger: new Logger(() => () => {}),
    taskList: {
      async analyse(payload) {
        const { id } = payload as { id: string };
        const article = byId.get(id)!;
        const answer = await ask(geminiUrl, buildArticlePrompt(article));
        await pool.query("INSERT INTO graphile_results VALUES ($1, $2)", [id, answer]);
        if (--left === 0) finished();
      },
    },
  });
  const work = async (ids: string[]) => {
    left = ids.length;
    const done = new Promise<void>((resolve) => finished = resolve);
    const started = performance.now();
    await pool.query(
      `SELECT graphile_worker.add_jobs(array_agg(json_populate_record(NULL::graphile_worker.job_spec,
         json_build_object('identifier', 'analyse', 'payload', json_build_object('id', id)))))
       FROM unnest($1::text[]) AS id`,
      [ids],
    );
    await done;
    return (performance.now() - started) / 1000;
  };
  const ids = rows.map(({ id }) => id);
  await work(ids.slice(articles));
  const seconds = await work(ids.slice(0, articles));
  await runner.stop();
  await pool.end();
  return { articles, seconds, perSecond: articles / seconds };
}

function requestOf(geminiUrl: string, prompt: string) {
  return {
    url: `${geminiUrl}/v1beta/models/gemini-3.1-flash-lite:generateContent`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      systemInstruction: { parts: [{ text: "Find weak signals." }] },
      contents: [{ role: "user", parts: [{ text: prompt }] }],
    }),
  };
}

/** As anybody would: over a pooled connection, which sends twice when it breaks. */
export async function askPooled(geminiUrl: string, prompt: string): Promise<string> {
  const { url, ...init } = requestOf(geminiUrl, prompt);
  return await (await fetch(url, { method: "POST", ...init })).text();
}

/** As a paid call has to be sent, and as the desk does. */
export async function askOnce(geminiUrl: string, prompt: string): Promise<string> {
  const delivery = await sendOnce({
    ...requestOf(geminiUrl, prompt),
    timeoutMs: 60_000,
    direct: true,
    signal: new AbortController().signal,
  });
  if (delivery.kind !== "answered") throw new Error(delivery.detail);
  return delivery.body;
}

/** One measured session: the real desk, worker and ledger, against a fake Gemini over HTTP. */
import type { Session } from "../../lib/batches/types.ts";
import type { Database } from "../../lib/database/port.ts";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import { readConfig } from "../../lib/config.ts";
import { createDesk } from "../../lib/desk.ts";
import { startRuntime } from "../../lib/runtime.ts";
import { addBenchArticles, type BenchDatabase } from "./databases.ts";
import { countWarmUp } from "./warm_up.ts";

export interface SessionFigures {
  articles: number;
  seconds: number;
  perSecond: number;
}

export interface SessionBench {
  articles: number;
  chars: number;
  concurrency: number;
  geminiUrl: string;
}

/** Time from the moment the session exists until it has ended, by the database's clock, in a service that is warm. */
export async function runSession(bench: BenchDatabase, options: SessionBench): Promise<SessionFigures> {
  const { articles, concurrency } = options;
  const config = readConfig({
    ANALYST: "gemini",
    GEMINI_API_KEY: "bench-key",
    GEMINI_BASE_URL: options.geminiUrl,
    GEMINI_RPM: "1000000",
    CONCURRENCY: String(concurrency),
    BATCH_DELAY_SECONDS: "0",
    BATCH_BUDGET_USD: "100000",
    MAX_SESSION_ARTICLES: "1000000",
  });
  const { db } = bench;
  const analysts = createAnalysts(config);
  const desk = createDesk({ db, config, analysts });
  const warmUp = countWarmUp(concurrency);
  await addBenchArticles(db, warmUp + articles, options.chars);
  const log = (level: string, fields: unknown, message: string) => {
    if (level === "error") console.error(message, fields);
  };
  const runtime = await startRuntime({ db, desk, config, analysts, role: "bench", log });
  try {
    const work = async (limit: number) => {
      const session = await desk.start({ limit }, "bench");
      runtime.worker.wake();
      return await timeSession(db, session);
    };
    await work(warmUp);
    const seconds = await work(articles);
    return { articles, seconds, perSecond: articles / seconds };
  } finally {
    await runtime.stop(5_000);
  }
}

async function timeSession(db: Database, { number, total }: Session): Promise<number> {
  while (true) {
    const { rows: [row] } = await db.query<{ status: string; seconds: number; analyzed: number }>(
      `SELECT status, analyzed, extract(epoch FROM finished_at - started_at)::float8 AS seconds
       FROM batch_processing_sessions WHERE number = $1`,
      [number],
    );
    if (row.status === "COMPLETED" && row.analyzed === total) return row.seconds;
    if (row.status !== "PROCESSING") throw new Error(`the session ended ${row.status}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

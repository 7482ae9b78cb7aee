/** One measured session: the real desk, worker and ledger, against a fake Gemini over HTTP. */
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import { readConfig } from "../../lib/config.ts";
import { createDesk } from "../../lib/desk.ts";
import { startRuntime } from "../../lib/runtime.ts";
import { addBenchArticles, type BenchDatabase } from "./databases.ts";

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

/** Time from the moment the session exists until it has ended, by the database's clock. */
export async function runSession(bench: BenchDatabase, options: SessionBench): Promise<SessionFigures> {
  const config = readConfig({
    ANALYST: "gemini",
    GEMINI_API_KEY: "bench-key",
    GEMINI_BASE_URL: options.geminiUrl,
    GEMINI_RPM: "100000",
    CONCURRENCY: String(options.concurrency),
    BATCH_DELAY_SECONDS: "0",
    BATCH_BUDGET_USD: "100000",
    MAX_SESSION_ARTICLES: "1000000",
  });
  const { db } = bench;
  const analysts = createAnalysts(config);
  const desk = createDesk({ db, config, analysts });
  await addBenchArticles(db, options.articles, options.chars);
  const log = (level: string, fields: unknown, message: string) => {
    if (level === "error") console.error(message, fields);
  };
  const runtime = await startRuntime({ db, desk, config, analysts, role: "bench", log });
  try {
    const session = await desk.start({}, "bench");
    if (session.total !== options.articles) {
      throw new Error(`wanted ${options.articles}, got ${session.total}`);
    }
    runtime.worker.wake();
    while (true) {
      const { rows: [row] } = await db.query<{ status: string; seconds: number; spent: number }>(
        `SELECT status, extract(epoch FROM finished_at - started_at)::float8 AS seconds
         FROM batch_processing_sessions WHERE number = $1`,
        [session.number],
      );
      if (row.status === "COMPLETED") {
        return {
          articles: options.articles,
          seconds: row.seconds,
          perSecond: options.articles / row.seconds,
        };
      }
      if (row.status !== "PROCESSING") throw new Error(`the session ended ${row.status}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    await runtime.stop(5_000);
  }
}

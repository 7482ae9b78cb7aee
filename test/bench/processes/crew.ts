/** Worker processes as services have them, on one database and before one provider that counts its requests. */
import { createAnalysts } from "../../../lib/analysis/make_analyst.ts";
import { readConfig } from "../../../lib/config.ts";
import { createDesk, type Desk } from "../../../lib/desk.ts";
import { type RunningProcess, startChild, startDeno } from "../../helpers/process.ts";
import { addBenchArticles, BENCH_QUOTE, type BenchDatabase } from "../databases.ts";

/** The shape of the other measurements: 16 at once in each process, 12,000-character prompts. */
export const CONCURRENCY = 16;
const CHARS = 12_000;

export interface CrewOptions {
  processes: number;
  articles: number;
  latencyMs: number;
  /** Settings besides those that make it a bench. */
  env?: Record<string, string>;
}

export interface Crew {
  desk: Desk;
  /** Who they are in the audit trail. */
  workerIds: string[];
  /** What the queue's message would do. */
  wake(): Promise<void>;
  countRequests(): Promise<number>;
  /** Ends them in order; anything they said besides is an error. */
  stop(): Promise<void>;
}

/** With `articles` ready articles stored and every process ready to work. */
export async function startCrew(bench: BenchDatabase, options: CrewOptions): Promise<Crew> {
  const { processes, articles, latencyMs } = options;
  const provider = startDeno(["-A", "test/bench/provider.ts", String(latencyMs), BENCH_QUOTE]);
  const [, geminiUrl = ""] = await provider.printed(/GEMINI_BASE_URL=(\S+)/);
  const env = {
    DATABASE_URL: bench.databaseUrl ?? "",
    DATA_DIR: bench.dataDir,
    ANALYST: "gemini",
    GEMINI_API_KEY: "bench-key",
    GEMINI_BASE_URL: geminiUrl,
    GEMINI_RPM: "1000000",
    CONCURRENCY: String(CONCURRENCY),
    BATCH_DELAY_SECONDS: "0",
    BATCH_BUDGET_USD: "100000",
    MAX_SESSION_ARTICLES: "1000000",
    LOG_LEVEL: "warn",
    ...options.env,
  };
  await addBenchArticles(bench.db, articles, CHARS);
  const children = Array.from({ length: processes }, () => startChild("run_worker", env));
  const ready = await Promise.all(children.map((child) => child.printed(/ready (\S+)/)));
  const config = readConfig(env);
  return {
    desk: createDesk({ db: bench.db, config, analysts: createAnalysts(config) }),
    workerIds: ready.map(([, workerId = ""]) => workerId),
    wake: async () => void await Promise.all(children.map((child) => child.type("\n"))),
    async countRequests() {
      return Number(await (await fetch(geminiUrl)).text());
    },
    async stop() {
      const said = await Promise.all(children.map(end));
      await end(provider);
      const complaints = said.filter((text) => text !== "");
      if (complaints.length > 0) throw new Error(`the workers said: ${complaints.join("\n")}`);
    },
  };
}

async function end(child: RunningProcess): Promise<string> {
  child.kill("SIGTERM");
  return (await child.ended).stderr;
}

/** A real worker on a real database with fake providers over HTTP, for tests of whole sessions. */
import type { BreakerTiming } from "../../lib/analysis/breaker/breaker.ts";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import { isLive, type Session } from "../../lib/batches/types.ts";
import { CallGate } from "../../lib/batches/worker/call_gate.ts";
import { shareRate } from "../../lib/batches/worker/shared_rate.ts";
import { Worker, type WorkerOptions } from "../../lib/batches/worker/worker.ts";
import { type Config, readConfig } from "../../lib/config.ts";
import type { Database } from "../../lib/database/port.ts";
import { createDesk, type Desk, type SessionRequest } from "../../lib/desk.ts";
import { type FakeGeminiOptions, startFakeGemini } from "../fakes/gemini.ts";
import { type FakeTavilyOptions, startFakeTavily } from "../fakes/tavily.ts";
import type { WireServer } from "../fakes/wire_server.ts";
import { addArticles } from "./articles.ts";

export interface WorkerBenchOptions {
  gemini?: FakeGeminiOptions;
  tavily?: FakeTavilyOptions;
  env?: Record<string, string>;
  /** Of the providers' circuit breakers. */
  breakers?: BreakerTiming;
}

export interface WorkerBench {
  desk: Desk;
  config: Config;
  gemini: WireServer;
  tavily: WireServer;
  /** Every warning and error the workers logged. */
  logged: string[];
  /** Adds so many articles and starts a session. */
  startWith(articles: number, request?: SessionRequest): Promise<Session>;
  makeWorker(change?: Partial<WorkerOptions>): Worker;
  /** Resolves with the session as soon as `reached` says so; fails after 60 s. */
  until(number: number, reached: (session: Session) => boolean): Promise<Session>;
  untilEnded(number: number): Promise<Session>;
  close(): Promise<void>;
}

export async function openWorkerBench(db: Database, options: WorkerBenchOptions = {}): Promise<WorkerBench> {
  const gemini = await startFakeGemini(options.gemini);
  const tavily = await startFakeTavily(options.tavily);
  const config = readConfig({
    ANALYST: "gemini",
    GEMINI_API_KEY: "test-gemini-key",
    GEMINI_BASE_URL: gemini.url,
    GEMINI_RPM: "100000",
    TAVILY_API_KEY: "test-tavily-key",
    TAVILY_BASE_URL: tavily.url,
    BATCH_DELAY_SECONDS: "0",
    RETRY_BASE_SECONDS: "0.01",
    BATCH_BUDGET_USD: "5",
    ...options.env,
  });
  const analysts = createAnalysts(config, options.breakers);
  const desk = createDesk({ db, config, analysts });
  const workers: Worker[] = [];
  const logged: string[] = [];
  const until = (number: number, reached: (session: Session) => boolean) =>
    pollSession(desk, number, reached);
  return {
    desk,
    config,
    gemini,
    tavily,
    logged,
    async startWith(articles, request = {}) {
      await addArticles(db, articles);
      return await desk.start(request, "operator:test");
    },
    makeWorker(change = {}) {
      const worker = new Worker({
        db,
        workerId: `worker:test-${workers.length + 1}`,
        concurrency: config.concurrency,
        gate: new CallGate({ rate: shareRate(db, "gemini", config.gemini.rpm) }),
        dayBudget: config.dayBudget,
        handPrice: config.gemini.price,
        makeAnalyst: analysts.analyst,
        makeResearcher: analysts.researcher,
        tryNow: analysts.tryNow,
        log: (level, _fields, message) => {
          if (level === "warn" || level === "error") logged.push(message);
        },
        ...change,
      });
      workers.push(worker);
      return worker;
    },
    until,
    untilEnded: (number) => until(number, (session) => !isLive(session.status)),
    async close() {
      await Promise.all(workers.map((worker) => worker.stop(0)));
      await gemini.close();
      await tavily.close();
    },
  };
}

async function pollSession(
  desk: Desk,
  number: number,
  reached: (session: Session) => boolean,
): Promise<Session> {
  const deadline = Date.now() + 60_000;
  while (true) {
    const { session } = await desk.progress(number);
    if (reached(session)) return session;
    if (Date.now() > deadline) throw new Error(`the session did not get there: ${JSON.stringify(session)}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

/** One session of many articles on the real service: its start, its memory, and what looking on takes. */
import { createAnalysts } from "../../../lib/analysis/make_analyst.ts";
import { readConfig } from "../../../lib/config.ts";
import { openDatabase } from "../../../lib/database/connect.ts";
import { createDesk } from "../../../lib/desk.ts";
import { addBenchArticles, openBenchDatabase } from "../databases.ts";
import { startFakes } from "../fakes.ts";
import {
  type AnswerTimes,
  type MemoryFigures,
  startWatchedService,
  type WatchedService,
} from "./watched_service.ts";

/** Characters of an article. */
const CHARS = 5_000;
const CONCURRENCY = 16;
/** How long answers are timed once the session has ended, ms. */
const AFTER_MS = 8_000;
/** Each regular look is timed so many times. */
const LOOKS = 5;

export interface SessionScale {
  on: "embedded" | "postgres";
  articles: number;
  /** Articles that were analysed in the time it was given. */
  analyzed: number;
  perSecond: number;
  /** From the request to start the session to its answer, the estimate included. */
  startSeconds: number;
  /** MB of the service before the session, and while it works. */
  idleMemory: number;
  memory: MemoryFigures;
  running: Record<string, AnswerTimes>;
  ended: Record<string, AnswerTimes>;
  /** Medians in ms, of another process on the same database while the session runs. */
  looks: Record<string, number>;
}

/** @param minutes After these the session is cancelled, however far it is. */
export async function measureSession(
  server: string | null,
  articles: number,
  minutes: number,
): Promise<SessionScale> {
  const bench = await openBenchDatabase(server);
  const fakes = await startFakes(0);
  try {
    await addBenchArticles(bench.db, articles, CHARS);
    // The service owns the embedded database, so this process must let go of it.
    if (!server) await bench.db.close();
    const service = await startWatchedService(bench, {
      ANALYST: "gemini",
      GEMINI_API_KEY: "bench-key",
      GEMINI_BASE_URL: fakes.geminiUrl,
      GEMINI_RPM: "100000",
      CONCURRENCY: String(CONCURRENCY),
    });
    try {
      return await runSession(service, bench, articles, minutes);
    } finally {
      await service.stop();
    }
  } finally {
    await fakes.stop();
    await bench.close();
  }
}

type Bench = Awaited<ReturnType<typeof openBenchDatabase>>;

interface Detail {
  session: { status: string; analyzed: number; total: number; started_at: string; finished_at: string };
}

async function runSession(
  service: WatchedService,
  bench: Bench,
  articles: number,
  minutes: number,
): Promise<SessionScale> {
  const idleMemory = service.memory();
  const stopWatching = service.watchMemory();
  const asked = performance.now();
  const { number, total } = await service.ask<{ number: number; total: number }>("/api/sessions", {
    limit: articles,
  });
  const startSeconds = (performance.now() - asked) / 1_000;
  if (total !== articles) throw new Error(`wanted ${articles} articles, got ${total}`);
  const path = `/api/sessions/${number}`;
  const pages = ["/api/status", "/", `/sessions/${number}`, path, "/metrics"];
  const end = untilEnded(service, path, number, minutes);
  const looking = timeLooks(bench, end);
  const running = await service.timeAnswers(pages, end);
  const memory = stopWatching();
  const { session } = await end;
  const seconds = (Date.parse(session.finished_at) - Date.parse(session.started_at)) / 1_000;
  const ended = await service.timeAnswers(pages, new Promise((resolve) => setTimeout(resolve, AFTER_MS)));
  return {
    on: bench.name,
    articles,
    analyzed: session.analyzed,
    perSecond: Math.round(session.analyzed / seconds),
    startSeconds: Math.round(startSeconds * 100) / 100,
    idleMemory,
    memory,
    running: rename(running, number),
    ended: rename(ended, number),
    looks: await looking,
  };
}

function rename(times: Record<string, AnswerTimes>, number: number): Record<string, AnswerTimes> {
  return Object.fromEntries(
    Object.entries(times).map(([path, figures]) => [path.replace(`/${number}`, "/:n"), figures]),
  );
}

async function untilEnded(
  service: WatchedService,
  path: string,
  number: number,
  minutes: number,
): Promise<Detail> {
  const deadline = performance.now() + minutes * 60_000;
  while (true) {
    const { session } = await service.ask<Detail & { session: Detail }>("/api/status");
    if (session.session.finished_at !== null) return await service.ask<Detail>(path);
    if (performance.now() > deadline) await service.ask(`${path}/cancel`, {});
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (session.session.status === "PAUSED") throw new Error(`session ${number} was paused`);
  }
}

/** What the service does by the clock, from another process and so while the service works. */
async function timeLooks(bench: Bench, end: Promise<unknown>): Promise<Record<string, number>> {
  const { database: db } = await openDatabase({
    databaseUrl: bench.databaseUrl,
    dataDir: bench.dataDir,
    role: "bench",
    onConnectionError: () => {},
  });
  const config = readConfig({ ANALYST: "offline" });
  const desk = createDesk({ db, config, analysts: createAnalysts(config) });
  const looks: Record<string, () => Promise<unknown>> = {
    monitor: () => desk.monitor("bench"),
    watch: () => desk.watch(),
    sweep: () => desk.sweep("bench"),
    cleanup: () => desk.cleanup("bench"),
    costs: () => desk.costs(30),
  };
  const times = new Map(Object.keys(looks).map((name) => [name, [] as number[]]));
  let over = false;
  void end.finally(() => over = true);
  try {
    for (let n = 0; n < LOOKS && !over; n++) {
      for (const [name, look] of Object.entries(looks)) {
        const asked = performance.now();
        await look();
        times.get(name)?.push(performance.now() - asked);
      }
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    }
  } finally {
    await db.close();
  }
  return Object.fromEntries([...times].map(([name, all]) => {
    all.sort((a, b) => a - b);
    return [name, Math.round(all[Math.floor(all.length / 2)] ?? NaN)];
  }));
}

/** The real service in a process of its own, watched from outside: its memory, and how long its answers take. */
import { type RunningProcess, startService } from "../../helpers/process.ts";
import type { BenchDatabase } from "../databases.ts";

const TOKEN = "token-of-the-bench-0123456789";
/** How often the memory is read, ms. */
const SAMPLE_MS = 250;
/** Between two questions, ms: an onlooker, not a load. */
const PAUSE_MS = 50;

/** MB (10^6 bytes). */
export interface MemoryFigures {
  median: number;
  peak: number;
}

/** ms. */
export interface AnswerTimes {
  asked: number;
  p50: number;
  p99: number;
  bytes: number;
}

export interface WatchedService {
  /** What the process occupies now, MB. On the embedded database that includes the database. */
  memory(): number;
  /** Reads the memory until the function that it returns is called. */
  watchMemory(): () => MemoryFigures;
  /** JSON from the API. */
  ask<T>(path: string, body?: object): Promise<T>;
  /** Asks each path again and again, one at a time, until `done` resolves. Only the last byte counts. */
  timeAnswers(paths: readonly string[], done: Promise<unknown>): Promise<Record<string, AnswerTimes>>;
  stop(): Promise<void>;
}

/** The service must be the only one on the database: on the embedded one the caller lets go of it first. */
export async function startWatchedService(
  { databaseUrl, dataDir }: Pick<BenchDatabase, "databaseUrl" | "dataDir">,
  settings: Record<string, string>,
): Promise<WatchedService> {
  const service = startService({
    DATA_DIR: dataDir,
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
    API_TOKEN: TOKEN,
    BATCH_DELAY_SECONDS: "0",
    BATCH_BUDGET_USD: "100000",
    MAX_SESSION_ARTICLES: "1000000",
    ...settings,
  });
  const [, url] = await service.printed(/"page":"(http:[^"]+?)\/?"/);
  return {
    memory: () => readMemory(service),
    watchMemory() {
      const samples = [readMemory(service)];
      const timer = setInterval(() => samples.push(readMemory(service)), SAMPLE_MS);
      return () => {
        clearInterval(timer);
        samples.sort((a, b) => a - b);
        return { median: samples[Math.floor(samples.length / 2)], peak: samples[samples.length - 1] };
      };
    },
    async ask(path, body) {
      const answer = await fetch(url + path, {
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
        ...(body && { method: "POST", body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
      return JSON.parse(text);
    },
    timeAnswers: (paths, done) => timeAnswers(url, paths, done),
    async stop() {
      service.kill("SIGTERM");
      await service.ended;
    },
  };
}

function readMemory({ pid }: RunningProcess): number {
  const [, kb] = /^VmRSS:\s+(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
  return Math.round(Number(kb) * 1024 / 1e6);
}

async function timeAnswers(
  url: string,
  paths: readonly string[],
  done: Promise<unknown>,
): Promise<Record<string, AnswerTimes>> {
  let ended = false;
  void done.finally(() => ended = true);
  const times = new Map(paths.map((path) => [path, { all: [] as number[], bytes: 0 }]));
  do {
    for (const [path, seen] of times) {
      const asked = performance.now();
      const answer = await fetch(url + path);
      const { byteLength } = await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
      seen.all.push(performance.now() - asked);
      seen.bytes = Math.max(seen.bytes, byteLength);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  } while (!ended);
  return Object.fromEntries([...times].map(([path, { all, bytes }]) => {
    all.sort((a, b) => a - b);
    const at = (share: number) => Math.round(all[Math.floor(all.length * share)] * 10) / 10;
    return [path, { asked: all.length, p50: at(0.5), p99: at(0.99), bytes }];
  }));
}

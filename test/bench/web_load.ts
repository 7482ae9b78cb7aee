/**
 * What looking on costs: sessions of the real service over a thousand old ones, in turns alone and with live streams and
 * polls from another process; how fast the polls are answered, and /metrics.
 */
import { fromFileUrl } from "../../lib/database/paths.ts";
import { startService } from "../helpers/process.ts";
import { addBenchArticles, openBenchDatabase } from "./databases.ts";
import { startFakes } from "./fakes.ts";
import { addOldSessions } from "./web_old_sessions.ts";

const LATENCY_MS = 100;
const CONCURRENCY = 16;
const ARTICLES = 1_600;
const CHARS = 1_500;
const OLD_SESSIONS = 1_000;
const STREAMS = 200;
/** Polls a second. */
const RATE = 50;
const IDEAL_SECONDS = Math.ceil(ARTICLES / CONCURRENCY) * LATENCY_MS / 1_000;
const TOKEN = "token-of-the-bench-0123456789";

/** A session may lose less of its efficiency than this to those who look on, percent. */
const MOST_FALL = 5;
/** The usual answer of /metrics takes less than this, ms. */
const MOST_METRICS_MS = 50;

export interface WebOptions {
  /** A PostgreSQL server; null: the embedded database only. */
  server: string | null;
  /** Pairs of sessions, one alone and one looked at. */
  rounds: number;
  tell: (line: string) => void;
}

interface Polls {
  /** ms. */
  p50: number;
  p99: number;
  asked: number;
  failed: number;
  /** That all live streams together received. */
  messages: number;
}

interface Round {
  /** Of the ideal time, which is that of the calls alone. */
  alone: number;
  lookedAt: number;
  fallPercent: number;
  polls: Polls;
}

export interface WebFigures {
  on: "embedded" | "postgres";
  rounds: Round[];
  /** Median of the rounds, percent; below 0: chance. */
  fallPercent: number;
  metricsMs: { first: number; median: number; most: number };
  /** What is not as it should be. */
  faults: string[];
}

export async function measureWeb({ server, rounds, tell }: WebOptions): Promise<WebFigures[]> {
  const figures = [await measureOn(null, rounds, tell)];
  if (server) figures.push(await measureOn(server, rounds, tell));
  return figures;
}

async function measureOn(
  server: string | null,
  rounds: number,
  tell: WebOptions["tell"],
): Promise<WebFigures> {
  const bench = await openBenchDatabase(server);
  const fakes = await startFakes(LATENCY_MS);
  try {
    await addBenchArticles(bench.db, ARTICLES * (2 * rounds + 1), CHARS);
    await addOldSessions(bench.db, OLD_SESSIONS);
    // The service owns the embedded database, so this process must let go of it.
    if (!server) await bench.db.close();
    const service = startService({
      DATA_DIR: bench.dataDir,
      ...(bench.databaseUrl ? { DATABASE_URL: bench.databaseUrl } : {}),
      API_TOKEN: TOKEN,
      ANALYST: "gemini",
      GEMINI_API_KEY: "bench-key",
      GEMINI_BASE_URL: fakes.geminiUrl,
      GEMINI_RPM: "100000",
      CONCURRENCY: String(CONCURRENCY),
      BATCH_DELAY_SECONDS: "0",
      BATCH_BUDGET_USD: "1000",
      MAX_SESSION_ARTICLES: "100000",
    });
    const [, url] = await service.printed(/"page":"([^"]+)"/);
    // The first session fills caches.
    await runSession(url);
    const measured: Round[] = [];
    for (let n = 0; n < rounds; n++) {
      const round = await measureRound(url, n % 2 === 0);
      measured.push(round);
      tell(`${bench.name}, round ${n + 1}: ${share(round.alone)} alone, ${share(round.lookedAt)} looked at`);
    }
    const metricsMs = await timeMetrics(url);
    service.kill("SIGTERM");
    await service.ended;
    const fallPercent = median(measured.map((round) => round.fallPercent));
    const failed = measured.reduce((sum, { polls }) => sum + polls.failed, 0);
    const faults = [
      ...fallPercent < MOST_FALL ? [] : [`a session loses ${fallPercent.toFixed(1)} % to those who look on`],
      ...metricsMs.median < MOST_METRICS_MS ? [] : [`/metrics takes ${metricsMs.median} ms`],
      ...failed === 0 ? [] : [`${failed} polls failed`],
    ];
    return { on: bench.name, rounds: measured, fallPercent, metricsMs, faults };
  } finally {
    await fakes.stop();
    await bench.close();
  }
}

async function measureRound(url: string, aloneFirst: boolean): Promise<Round> {
  let alone = aloneFirst ? await runSession(url) : 0;
  const onlookers = startOnlookers(url);
  const lookedAt = await runSession(url);
  const polls = await onlookers.stop();
  if (!aloneFirst) alone = await runSession(url);
  return {
    alone: IDEAL_SECONDS / alone,
    lookedAt: IDEAL_SECONDS / lookedAt,
    fallPercent: (1 - alone / lookedAt) * 100,
    polls,
  };
}

/** Seconds from start to end by the database's clock. */
async function runSession(url: string): Promise<number> {
  const started = await fetch(`${url}/api/sessions`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ limit: ARTICLES }),
  });
  const { number, total, detail } = await started.json();
  if (total !== ARTICLES) throw new Error(`wanted ${ARTICLES} articles, got ${total ?? detail}`);
  while (true) {
    const { session } = await (await fetch(`${url}/api/sessions/${number}`)).json();
    if (session.status === "COMPLETED") {
      return (Date.parse(session.finished_at) - Date.parse(session.started_at)) / 1_000;
    }
    if (session.status !== "PROCESSING") throw new Error(`the session ended ${session.status}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** In a process of their own. */
function startOnlookers(url: string): { stop(): Promise<Polls> } {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      fromFileUrl(new URL("./web_onlookers.ts", import.meta.url)),
      url,
      String(STREAMS),
      String(RATE),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  return {
    async stop() {
      await child.stdin.close();
      const { stdout } = await child.output();
      return JSON.parse(new TextDecoder().decode(stdout));
    },
  };
}

async function timeMetrics(url: string): Promise<WebFigures["metricsMs"]> {
  const times: number[] = [];
  for (let n = 0; n < 21; n++) {
    const asked = performance.now();
    await (await fetch(`${url}/metrics`)).text();
    times.push(Math.round((performance.now() - asked) * 10) / 10);
  }
  const [first, ...rest] = times;
  return { first: first!, median: median(rest), most: Math.max(...rest) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function share(efficiency: number): string {
  return `${(efficiency * 100).toFixed(1)} % of ideal`;
}

export function printWeb(figures: readonly WebFigures[]): void {
  console.log(
    `Sessions of ${ARTICLES} articles over ${OLD_SESSIONS} old ones; ${STREAMS} live streams, ${RATE} polls a second\n`,
  );
  console.log(
    "on        alone, of ideal  looked at  falls by  polls: p50        p99  failed  /metrics: first   median      most",
  );
  for (const { on, rounds, fallPercent, metricsMs, faults } of figures) {
    const of = (pick: (round: Round) => number) => median(rounds.map(pick));
    const cells = [
      [`${share(of(({ alone }) => alone)).split(" ")[0]} %`, 15],
      [`${share(of(({ lookedAt }) => lookedAt)).split(" ")[0]} %`, 11],
      [`${fallPercent.toFixed(1)} %`, 10],
      [`${of(({ polls }) => polls.p50)} ms`, 12],
      [`${of(({ polls }) => polls.p99)} ms`, 11],
      [String(rounds.reduce((sum, { polls }) => sum + polls.failed, 0)), 8],
      [`${metricsMs.first} ms`, 16],
      [`${metricsMs.median} ms`, 9],
      [`${metricsMs.most} ms`, 10],
    ] as const;
    console.log(on.padEnd(10) + cells.map(([text, width]) => text.padStart(width)).join(""));
    for (const fault of faults) console.log(`  ${fault}`);
  }
}

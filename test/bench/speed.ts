/**
 * How fast articles go through, against the calls alone, and against job queues whose jobs make the same call and insert
 * one row. Contenders take turns, round by round, each run on a fresh database; what is compared was measured within the
 * same minute.
 */
import { runBare } from "./bare.ts";
import { type BenchDatabase, openBenchDatabase } from "./databases.ts";
import { startFakes } from "./fakes.ts";
import { askOnce, askPooled, runGraphile } from "./graphile.ts";
import { runPgBoss } from "./pgboss.ts";
import { runSession, type SessionBench, type SessionFigures } from "./session.ts";

/** The shape of the original measurements: 16 at once, 12,000-character prompts, 208 articles for the latencies. */
const CONCURRENCY = 16;
const CHARS = 12_000;
const LATENCY_ARTICLES = 208;
const LATENCIES_MS = [0, 100, 500];

export interface SpeedOptions {
  /** A PostgreSQL server; null: the embedded database only. */
  server: string | null;
  rounds: number;
  /** Of a session without latency. */
  articles: number;
  tell: (line: string) => void;
}

/** Medians over the rounds. */
export interface SpeedRow extends SessionFigures {
  what: string;
  on: "embedded" | "postgres" | "-";
  latencyMs: number;
  /** Ideal time over actual time; null without latency. */
  ofIdeal: number | null;
  /** Articles a second of the desk on a server over those of this row, round by round; null: nothing to compare. */
  deskOverThis: number | null;
}

interface Contender {
  what: string;
  /** Null: the embedded database; undefined: none at all. */
  on: string | null | undefined;
  run: (bench: BenchDatabase, options: SessionBench) => Promise<SessionFigures>;
}

const DESK = "desk";

export async function measureSpeed(options: SpeedOptions): Promise<SpeedRow[]> {
  const rows: SpeedRow[] = [];
  for (const latencyMs of LATENCIES_MS) rows.push(...await measureLatency(latencyMs, options));
  return rows;
}

async function measureLatency(
  latencyMs: number,
  { server, rounds, articles: most, tell }: SpeedOptions,
): Promise<SpeedRow[]> {
  const articles = latencyMs === 0 ? most : LATENCY_ARTICLES;
  const contenders = listContenders(server);
  const runs = contenders.map((): SessionFigures[] => []);
  const fakes = await startFakes(latencyMs);
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [index, contender] of contenders.entries()) {
        const bench = { articles, chars: CHARS, concurrency: CONCURRENCY, geminiUrl: fakes.geminiUrl };
        const figures = await runOnce(contender, bench);
        runs[index]!.push(figures);
        const most = await fakes.countMost();
        if (most > CONCURRENCY) throw new Error(`${describe(contender)} had ${most} requests out at once`);
        tell(`${latencyMs} ms, round ${round + 1}: ${describe(contender)} ${figures.seconds.toFixed(2)} s`);
      }
    }
  } finally {
    await fakes.stop();
  }
  const desk = contenders.findIndex(({ what, on }) => what === DESK && on === server);
  const ideal = Math.ceil(articles / CONCURRENCY) * latencyMs / 1_000;
  return contenders.map((contender, index): SpeedRow => {
    const seconds = median(runs[index]!.map((run) => run.seconds));
    const ratios = runs[index]!.map((run, round) => run.seconds / runs[desk]![round]!.seconds);
    return {
      what: contender.what,
      on: nameOf(contender),
      latencyMs,
      articles,
      seconds,
      perSecond: articles / seconds,
      ofIdeal: latencyMs > 0 ? ideal / seconds : null,
      deskOverThis: index === desk ? null : median(ratios),
    };
  });
}

function listContenders(server: string | null): Contender[] {
  const always: Contender[] = [
    { what: "calls alone", on: undefined, run: runBare },
    { what: DESK, on: null, run: runSession },
  ];
  if (server === null) return always;
  return [
    ...always,
    { what: DESK, on: server, run: runSession },
    { what: "graphile-worker, same call", on: server, run: (b, o) => runGraphile(b, o, askOnce) },
    { what: "graphile-worker, pooled fetch", on: server, run: (b, o) => runGraphile(b, o, askPooled) },
    { what: "pg-boss, same call", on: server, run: (b, o) => runPgBoss(b, o, askOnce) },
  ];
}

async function runOnce({ on, run }: Contender, options: SessionBench): Promise<SessionFigures> {
  const bench = await openBenchDatabase(on ?? null);
  try {
    return await run(bench, options);
  } finally {
    await bench.close();
  }
}

function nameOf({ on }: Contender): SpeedRow["on"] {
  return on === undefined ? "-" : on === null ? "embedded" : "postgres";
}

function describe(contender: Contender): string {
  return `${contender.what} on ${nameOf(contender)}`;
}

export function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)]!;
}

export function printSpeed(rows: readonly SpeedRow[]): void {
  console.log(
    "latency  what                           on        articles      s  articles/s  of ideal  desk : this",
  );
  for (const row of rows) {
    console.log(
      `${row.latencyMs} ms`.padEnd(8),
      row.what.padEnd(30),
      row.on.padEnd(9),
      String(row.articles).padStart(8),
      row.seconds.toFixed(2).padStart(6),
      row.perSecond.toFixed(0).padStart(11),
      (row.ofIdeal?.toFixed(3) ?? "-").padStart(9),
      (row.deskOverThis?.toFixed(2) ?? "-").padStart(12),
    );
  }
}

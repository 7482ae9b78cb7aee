/**
 * `BENCH_DATABASE_URL=postgres://… deno run -A test/bench/processes.ts [--json]`: 1, 2, 4 and 8 worker processes on one
 * PostgreSQL. How fast they work off a session together, and that a budget which all of them reach for is never
 * overrun: seen at every commit, and by what the provider received.
 */
import { parseArgs } from "node:util";
import { exactUsd } from "../../lib/money.ts";
import { endProcesses } from "../helpers/process.ts";
import { type BenchDatabase, openBenchDatabase } from "./databases.ts";
import { shareBudget, type SharedBudget } from "./processes/share_budget.ts";
import { type SharedSession, shareSession } from "./processes/share_session.ts";

export interface ProcessBench {
  /** Processors of this machine: all processes, the server and the provider share them. */
  processors: number;
  sessions: SharedSession[];
  budgets: SharedBudget[];
}

export interface ProcessBenchOptions {
  /** The median of so many runs, each on a fresh database (default 3). */
  rounds?: number;
  /** Of a session without latency (default 4,000). */
  articles?: number;
  processes?: readonly number[];
  say?: (line: string) => void;
}

const PROCESSES = [1, 2, 4, 8];
/** For each process, with 100 ms latency: 13 rounds of 16. */
const LATENCY_ARTICLES = 208;
const BUDGET_ARTICLES = 400;

/** Throws when a budget was overrun, or when the ledger and the provider do not agree. */
export async function measureProcesses(
  server: string,
  { rounds = 3, articles = 4_000, processes = PROCESSES, say = () => {} }: ProcessBenchOptions = {},
): Promise<ProcessBench> {
  const sessions: SharedSession[] = [];
  for (const latencyMs of [0, 100]) {
    for (const count of processes) {
      const runs: SharedSession[] = [];
      for (let round = 1; round <= rounds; round++) {
        const options = {
          processes: count,
          latencyMs,
          articles: latencyMs === 0 ? articles : LATENCY_ARTICLES * count,
        };
        runs.push(await onFreshDatabase(server, (bench) => shareSession(bench, options)));
      }
      runs.sort((a, b) => a.seconds - b.seconds);
      say(
        `${count} processes, ${latencyMs} ms: ${runs.map(({ seconds }) => seconds.toFixed(2)).join(", ")} s`,
      );
      sessions.push(runs[Math.floor(runs.length / 2)]!);
    }
  }
  const budgets: SharedBudget[] = [];
  for (const budgetOf of ["session", "day"] as const) {
    for (const count of processes.filter((some) => some > 1)) {
      const options = { budgetOf, processes: count, articles: BUDGET_ARTICLES };
      budgets.push(await onFreshDatabase(server, (bench) => shareBudget(bench, options)));
      say(`${count} processes on the budget of one ${budgetOf}: ${budgets.at(-1)?.commits} commits seen`);
    }
  }
  const faults = [...sessions, ...budgets].flatMap(findFaults);
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return { processors: navigator.hardwareConcurrency, sessions, budgets };
}

async function onFreshDatabase<T>(server: string, run: (bench: BenchDatabase) => Promise<T>): Promise<T> {
  const bench = await openBenchDatabase(server);
  try {
    return await run(bench);
  } finally {
    // Only what a failed run has left.
    await endProcesses();
    await bench.close();
  }
}

function findFaults(row: SharedSession | SharedBudget): string[] {
  const where = `${row.processes} processes, ${"budgetOf" in row ? row.budgetOf : `${row.latencyMs} ms`}`;
  const faults = row.requests === row.calls
    ? []
    : [`the provider received ${row.requests} requests, the ledger has ${row.calls}`];
  if ("budgetOf" in row) {
    if (row.crossings > 0) faults.push(`the budget was crossed at ${row.crossings} commits`);
    if (row.mismatches > 0) faults.push(`row and calls differed at ${row.mismatches} commits`);
    faults.push(...row.violations);
  }
  return faults.map((fault) => `${where}: ${fault}`);
}

/** As lines for a person. */
export function describeProcesses({ processors, sessions, budgets }: ProcessBench): string {
  return [
    `One PostgreSQL, one provider and all workers on ${processors} processors, 16 articles at once in each worker`,
    "",
    "processes  latency  articles      s  articles/s  of ideal  by one process  requests  calls",
    ...sessions.map((row) =>
      [
        String(row.processes).padStart(9),
        `${row.latencyMs} ms`.padStart(9),
        String(row.articles).padStart(10),
        row.seconds.toFixed(2).padStart(7),
        row.perSecond.toFixed(0).padStart(12),
        (row.ofIdeal?.toFixed(3) ?? "-").padStart(10),
        `${row.fewest} to ${row.most}`.padStart(16),
        String(row.requests).padStart(10),
        String(row.calls).padStart(7),
      ].join("")
    ),
    "",
    "processes  budget of  analysed      spent of budget, $  commits  most at one  over it  requests  calls",
    ...budgets.map((row) =>
      [
        String(row.processes).padStart(9),
        row.budgetOf.padStart(11),
        `${row.analyzed} of ${row.articles}`.padStart(12),
        `${exactUsd(row.spent)} of ${exactUsd(row.budget)}`.padStart(23),
        String(row.commits).padStart(9),
        `${(row.most * 100).toFixed(2)} %`.padStart(13),
        String(row.crossings).padStart(9),
        String(row.requests).padStart(10),
        String(row.calls).padStart(7),
      ].join("")
    ),
  ].join("\n");
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      json: { type: "boolean", default: false },
      rounds: { type: "string", default: "3" },
      articles: { type: "string", default: "4000" },
    },
  });
  const server = Deno.env.get("BENCH_DATABASE_URL");
  if (!server) {
    console.error(
      "Cannot measure processes: wanted a PostgreSQL server in BENCH_DATABASE_URL, got nothing. Set it to one where databases may be made",
    );
    Deno.exit(2);
  }
  const figures = await measureProcesses(server, {
    rounds: Number(values.rounds),
    articles: Number(values.articles),
    say: console.error,
  });
  console.log(values.json ? JSON.stringify(figures, null, 2) : describeProcesses(figures));
  Deno.exit(0);
}

/**
 * Breaks things on purpose and says what came of it; exit code 1 when a rule was broken.
 *
 *     deno run -A test/break/main.ts kill --kills 200 --database embedded
 *     deno run -A test/break/main.ts kill --kills 200 --database postgres://user:password@host/postgres --dispatch pgboss
 *     deno run -A test/break/main.ts first-start --kills 40 --database embedded
 *     deno run -A test/break/main.ts postgres-faults
 *     deno run -A test/break/main.ts two-processes --database postgres://user:password@host/postgres
 *
 * A server must let the user create databases: every run makes one of its own and drops it. The faults of PostgreSQL
 * are made on a server that the run starts itself, from installed programs. Without --articles the bundled samples are
 * used, with made-up articles besides.
 */
import { parseArgs } from "node:util";
import { micros, parseUsd } from "../../lib/money.ts";
import { startPostgresServer } from "../helpers/postgres_server.ts";
import { endProcesses } from "../helpers/process.ts";
import { makeBreakDatabase } from "./break_database.ts";
import { ARTICLE_TIMEOUT_S } from "./calls_out.ts";
import { describeReport } from "./describe_report.ts";
import { runFirstStarts } from "./first_start.ts";
import { runKillMatrix } from "./kill_matrix.ts";
import { runPostgresFaults } from "./postgres_faults.ts";
import { runTwoProcesses } from "./two_processes.ts";

const { values, positionals: [command] } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    database: { type: "string", default: "embedded" },
    /** What carries wake-ups: kv or pgboss. */
    dispatch: { type: "string", default: "kv" },
    /** Folder of articles. */
    articles: { type: "string" },
    seed: { type: "string", default: "1" },
    /** One JSON document instead of lines. */
    json: { type: "boolean", default: false },
    kills: { type: "string", default: "200" },
    budget: { type: "string", default: "100" },
    /** A session that meets its cap too early is given so much more, again and again. */
    "more-budget": { type: "string", default: "0" },
    attempts: { type: "string", default: "20" },
    research: { type: "string", default: "top" },
    /** Mean delay of an answer, ms. */
    delay: { type: "string" },
    /** Between the starts of two batches; chosen so that work lasts for all kills unless given. */
    "batch-delay": { type: "string" },
    concurrency: { type: "string", default: "6" },
    terminations: { type: "string", default: "20" },
    restarts: { type: "string", default: "2" },
    /** How long the server is away, s. */
    away: { type: "string", default: "60" },
    /** How often one of two processes is stopped past its leases. */
    stops: { type: "string", default: "2" },
  },
});

const say = (line: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);

/** A kill takes about this long, s. */
const KILL_SECONDS = 2.2;
/** A first start is over by then, ms. */
const FIRST_START_MS = 8_000;
const BATCH_SIZE = 5;
/** What there is to read when no folder was given. */
const MADE_UP = 243;
/** Of about 265 articles, which is also what the samples and the made-up ones are together. */
const BATCHES = 265 / BATCH_SIZE;

function stageOptions(delayMs: number, batchDelaySeconds: number) {
  return {
    folder: values.articles ?? null,
    madeUp: values.articles ? 0 : MADE_UP,
    seed: values.seed,
    meanMs: Number(values.delay ?? delayMs),
    say,
    settings: {
      DISPATCH: values.dispatch,
      BATCH_BUDGET_USD: values.budget,
      BATCH_SIZE: String(BATCH_SIZE),
      BATCH_DELAY_SECONDS: values["batch-delay"] ?? batchDelaySeconds.toFixed(1),
      MAX_ATTEMPTS: values.attempts,
      MAX_SESSION_ARTICLES: "10000",
      RETRY_BASE_SECONDS: "0.02",
      ARTICLE_TIMEOUT_SECONDS: String(ARTICLE_TIMEOUT_S),
      CONCURRENCY: values.concurrency,
      RESEARCH: values.research,
    },
  };
}

async function kill() {
  const database = await makeBreakDatabase(values.database === "embedded" ? null : values.database);
  try {
    const kills = Number(values.kills);
    return await runKillMatrix({
      ...stageOptions(2_000, 0.6 * kills * KILL_SECONDS / BATCHES),
      database,
      kills,
      moreBudget: micros(parseUsd(values["more-budget"]) ?? 0),
      skipWaits: false,
      recoverBudget: "500",
    });
  } finally {
    await endProcesses();
    await database.drop();
  }
}

async function breakPostgres() {
  const server = await startPostgresServer();
  const dataDir = await Deno.makeTempDir({ prefix: "nd-break-" });
  try {
    const terminations = Number(values.terminations);
    const pauseMs = 2_500;
    const awayMs = Number(values.away) * 1000;
    return await runPostgresFaults({
      ...stageOptions(400, (terminations * pauseMs + awayMs) / 1000 / BATCHES),
      server,
      dataDir,
      terminations,
      restarts: Number(values.restarts),
      awayMs,
      pauseMs,
    });
  } finally {
    await endProcesses();
    await server.remove();
    await Deno.remove(dataDir, { recursive: true });
  }
}

async function shareSession() {
  if (values.database === "embedded") throw new Error("two-processes: wanted --database postgres://…");
  const { databaseUrl, dataDir, drop } = await makeBreakDatabase(values.database);
  try {
    const stops = Number(values.stops);
    return await runTwoProcesses({
      ...stageOptions(800, 0),
      database: { databaseUrl: databaseUrl ?? values.database, dataDir },
      stops,
    });
  } finally {
    await endProcesses();
    await drop();
  }
}

function breakFirstStarts() {
  const server = values.database === "embedded" ? null : values.database;
  return runFirstStarts({
    kills: Number(values.kills),
    seed: values.seed,
    longestMs: FIRST_START_MS,
    makeDatabase: () => makeBreakDatabase(server),
    say,
  });
}

const COMMANDS: Record<string, () => Promise<{ violations: string[] }>> = {
  kill,
  "first-start": breakFirstStarts,
  "postgres-faults": breakPostgres,
  "two-processes": shareSession,
};

const start = COMMANDS[command ?? ""];
if (!start) {
  console.error(`wanted one of ${Object.keys(COMMANDS).join(", ")}, got ${command ?? "nothing"}`);
  Deno.exit(2);
}
const report = await start();
console.log(values.json ? JSON.stringify(report, null, 2) : describeReport(report));
Deno.exit(report.violations.length > 0 ? 1 : 0);

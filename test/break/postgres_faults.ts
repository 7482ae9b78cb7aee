/**
 * Faults of the database under load: backends are terminated, the server crashes and comes back, the server is away
 * for a while. One service lives through all of it and finishes its session.
 */
import pg from "pg";
import type { PostgresServer } from "../helpers/postgres_server.ts";
import { createRandom } from "../../notebooks/fixture/random.ts";
import { listCallsOut } from "./calls_out.ts";
import { waitForEnd } from "./end_session.ts";
import { countComplaints, judge, type Verdict } from "./judge.ts";
import { sleep } from "./kill_moments.ts";
import { type ServiceRun, startServiceRun } from "./service_run.ts";
import { openStage, type StageOptions } from "./stage.ts";
import { watchBooks } from "./watch_books.ts";

export interface PostgresFaultOptions extends Omit<StageOptions, "database"> {
  server: PostgresServer;
  dataDir: string;
  terminations: number;
  restarts: number;
  awayMs: number;
  /** Mean time between two faults, ms. */
  pauseMs: number;
  say: (line: string) => void;
}

export interface PostgresFaultReport {
  terminations: number;
  /** Backends of the service that they ended. */
  backendsEnded: number;
  restarts: number;
  awaySeconds: number;
  /** Calls that were out when the server went away, crashed or cut the connections. */
  callsOut: number;
  /** One process from beginning to end. */
  processes: number;
  looks: number;
  seconds: number;
  complaints: Record<string, number>;
  end: Verdict;
  violations: string[];
}

export async function runPostgresFaults(options: PostgresFaultOptions): Promise<PostgresFaultReport> {
  const { server, dataDir, seed, terminations, restarts, awayMs, pauseMs, say } = options;
  const started = Date.now();
  const random = createRandom(`${seed} faults`);
  const stage = await openStage({ ...options, database: { databaseUrl: server.url, dataDir } });
  const run = startServiceRun("service", stage.envOf("service"));
  const watch = watchBooks(stage, 300);
  let backendsEnded = 0;
  let callsOut = 0;
  const faults = Array.from({ length: terminations }, () => async () => {
    backendsEnded += await terminateBackends(server.url);
  });
  const restart = async () => {
    say("the server crashes and restarts");
    await server.stop("immediate");
    await server.start();
  };
  const leave = async () => {
    say(`the server is away for ${awayMs / 1000} s`);
    await server.stop("immediate");
    await sleep(awayMs);
    await server.start();
  };
  // Spread over the terminations, the long one in the middle.
  for (let n = 1; n <= restarts; n++) {
    faults.splice(Math.floor(faults.length * n / (restarts + 1)), 0, restart);
  }
  faults.splice(Math.floor(faults.length / 2), 0, leave);
  try {
    if (!await run.ready) throw new Error(`the service did not start: ${run.lines.join("\n")}`);
    for (const fault of faults) {
      await sleep(pauseMs * (0.5 + random()));
      callsOut += listCallsOut(stage.providers.requests, Date.now()).length;
      await fault();
    }
    say("no more faults; the session goes on to its end");
    await waitForEnd(stage, [run], 10 * 60_000);
    const code = await stop(run);
    const end = await stage.withDatabase((db) => judge(db, stage, [run]));
    await watch.stop();
    return {
      terminations,
      backendsEnded,
      restarts,
      awaySeconds: awayMs / 1000,
      callsOut,
      processes: 1,
      looks: watch.looks,
      seconds: Math.round((Date.now() - started) / 1000),
      complaints: countComplaints([run]),
      end,
      violations: [
        ...new Set([...watch.violations, ...end.violations]),
        ...(code === 0 ? [] : [`the service stopped with ${code}`]),
      ],
    };
  } finally {
    if (run.endedAt === null) run.signal("SIGKILL");
    await watch.stop();
    await stage.close();
  }
}

async function stop(run: ServiceRun): Promise<number> {
  run.signal("SIGTERM");
  return await run.ended;
}

/** Ends every backend of the service, in the middle of whatever it does, and counts them. */
async function terminateBackends(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'nightdesk'",
    );
    return rowCount ?? 0;
  } finally {
    await client.end();
  }
}

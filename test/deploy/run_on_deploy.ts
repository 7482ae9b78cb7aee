/** A session worked off by instances that come and go, and the verdict on it. */
import { countComplaints, judge, type Verdict } from "../break/judge.ts";
import type { ServiceRun } from "../break/service_run.ts";
import { readStatus } from "../break/end_session.ts";
import { openStage, type Stage, type StageOptions } from "../break/stage.ts";
import { isLive } from "../../lib/batches/types.ts";
import { startInstances } from "./instances.ts";

export interface DeployRunOptions extends StageOptions {
  database: { databaseUrl: string; dataDir: string };
  /** Living at once. */
  instances: number;
  lifeMs: number;
  minuteMs: number;
  /** The session must have ended by then, ms. */
  withinMs: number;
  say: (line: string) => void;
}

export interface DeployReport {
  instances: { begun: number; ended: number; killed: number; crashed: number };
  /** The longest that an instance took from SIGINT to its end, ms. */
  longestEndMs: number;
  /** That all instances had open at once, where it was looked. */
  mostConnections: number;
  seconds: number;
  complaints: Record<string, number>;
  /** Calls whose outcome nobody knows, by what became of them. */
  unknownCalls: Record<string, number>;
  end: Verdict;
}

const LOOK_MS = 300;

export async function runOnDeploy(options: DeployRunOptions): Promise<DeployReport> {
  const stage = await openStage(options);
  const started = Date.now();
  let mostConnections = 0;
  const { HOST: _host, PORT: _port, DATA_DIR: _folder, ...env } = stage.envOf(DOOR);
  const running = startInstances({
    env: { ...env, DENO_TIMELINE: "production" },
    count: options.instances,
    lifeMs: options.lifeMs,
    minuteMs: options.minuteMs,
  });
  try {
    while (isLive((await readStatus(stage)).status)) {
      if (Date.now() - started > options.withinMs) {
        throw new Error(`the session did not end: ${JSON.stringify(await readStatus(stage))}`);
      }
      if (running.counts.crashed > 0) {
        throw new Error(`an instance crashed: ${running.lines.slice(-3).join("\n")}`);
      }
      mostConnections = Math.max(mostConnections, await countConnections(stage));
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    const seconds = Math.round((Date.now() - started) / 1000);
    options.say(`the session ended after ${seconds} s and ${running.counts.begun} instances`);
    await running.stop();
    const all = asOneRun(running.lines, started);
    return {
      instances: running.counts,
      longestEndMs: running.longestEndMs,
      mostConnections,
      seconds,
      complaints: countComplaints([all]),
      unknownCalls: await countUnknown(stage),
      end: await stage.withDatabase((db) => judge(db, stage, [all])),
    };
  } finally {
    await running.stop();
    await stage.close();
  }
}

async function countConnections({ watcher }: Stage): Promise<number> {
  const { rows: [{ n }] } = await watcher.query<{ n: number }>(
    "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'nightdesk'",
  );
  return n;
}

async function countUnknown({ watcher, sessionId }: Stage): Promise<Record<string, number>> {
  const { rows } = await watcher.query<{ what: string; n: number }>(
    `SELECT format('%s %s', kind, failure) AS what, count(*)::int AS n FROM paid_calls
     WHERE session_id = $1 AND state = 'UNKNOWN' GROUP BY 1`,
    [sessionId],
  );
  return Object.fromEntries(rows.map(({ what, n }) => [what, n]));
}

/** Every instance's requests come through the same door. */
const DOOR = "deploy";

/** For the judge: which of the instances held a call does not matter, every one of them is the app. */
function asOneRun(lines: string[], startedAt: number): ServiceRun {
  return {
    name: DOOR,
    pid: 0,
    startedAt,
    readyAt: null,
    endedAt: null,
    workerId: null,
    ready: Promise.resolve(true),
    ended: Promise.resolve(0),
    signal() {},
    lines,
  };
}

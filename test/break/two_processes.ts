/**
 * Two services share one session on one database. One of them is stopped (SIGSTOP) with articles under way until its
 * leases have run out and the other has taken them over; then it goes on (SIGCONT) as if nothing had been. It must not
 * change anything any more.
 */
import type { Database } from "../../lib/database/port.ts";
import { listCallsOut } from "./calls_out.ts";
import { waitForEnd } from "./end_session.ts";
import { countComplaints, judge, type Verdict } from "./judge.ts";
import { sleep } from "./kill_moments.ts";
import { type ServiceRun, startServiceRun } from "./service_run.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";
import { watchBooks } from "./watch_books.ts";

export interface TwoProcessOptions extends StageOptions {
  database: { databaseUrl: string; dataDir: string };
  /** How often the first process is stopped and continued while there is work. */
  stops: number;
  say: (line: string) => void;
}

export interface TwoProcessReport {
  /** Articles that each process finished. */
  finishedBy: Record<string, number>;
  stops: number;
  /** Articles whose claims ran out while their process was stopped. */
  takenOver: number;
  /** Calls that were out when it was stopped. */
  callsOut: number;
  /** Who paused the session, with the reason. */
  pauses: string[];
  looks: number;
  seconds: number;
  complaints: Record<string, number>;
  end: Verdict;
  violations: string[];
}

/** Calls that the first process must have out when it is stopped. */
const CALLS_OUT = 3;
/** Articles that it must have claimed without a slot for them. */
const CLAIMS_AHEAD = 2;
const LONGEST_WAIT_MS = 240_000;

export async function runTwoProcesses(options: TwoProcessOptions): Promise<TwoProcessReport> {
  const { say } = options;
  const started = Date.now();
  const stage = await openStage(options);
  const secondFolder = await Deno.makeTempDir({ prefix: "nd-second-" });
  const watch = watchBooks(stage, 300);
  const runs: ServiceRun[] = [];
  const figures = { takenOver: 0, callsOut: 0 };
  const violations: string[] = [];
  try {
    const first = await startNamed(stage, runs, "first", options.database.dataDir);
    const second = await startNamed(stage, runs, "second", secondFolder);
    for (let stop = 1; stop <= options.stops; stop++) {
      // First with claims ahead of its calls: those are the ones it could send too late. After a stop its calls seem
      // long, and it does not claim ahead.
      const ahead = stop === 1 ? Number(options.settings.CONCURRENCY) + CLAIMS_AHEAD : 0;
      await until(async () =>
        callsOutOf(stage, first) >= CALLS_OUT && (await listHeldItems(stage, first)).length >= ahead
      );
      first.signal("SIGSTOP");
      figures.callsOut += callsOutOf(stage, first);
      const held = await listHeldItems(stage, first);
      say(`stopped the first process with ${held.length} articles`);
      await until(async () => (await listHeldItems(stage, first)).length === 0);
      figures.takenOver += held.length;
      // In the last round everything is done when it comes back: from then on nothing may change at all.
      const last = stop === options.stops;
      if (last) await waitForEnd(stage, [second], LONGEST_WAIT_MS);
      const before = last ? await readBooks(stage) : null;
      first.signal("SIGCONT");
      await sleep(1_000);
      if (!before) continue;
      await sleep(6_000);
      const after = await readBooks(stage);
      if (after !== before) violations.push(`the stopped process changed the books: ${before} -> ${after}`);
    }
    await waitForEnd(stage, runs, LONGEST_WAIT_MS);
    for (const run of runs) {
      run.signal("SIGTERM");
      const code = await run.ended;
      if (code !== 0) violations.push(`${run.name} stopped with ${code}: ${run.lines.slice(-3).join(" ")}`);
    }
    const end = await stage.withDatabase((db) => judge(db, stage, runs));
    const finishedBy = await countFinished(stage.watcher, stage.sessionId, runs);
    for (const run of runs) if (!finishedBy[run.name]) violations.push(`${run.name} finished nothing`);
    await watch.stop();
    return {
      finishedBy,
      stops: options.stops,
      ...figures,
      pauses: await listPauses(stage.watcher, stage.sessionId, runs),
      looks: watch.looks,
      seconds: Math.round((Date.now() - started) / 1000),
      complaints: countComplaints(runs),
      end,
      violations: [...new Set([...violations, ...watch.violations, ...end.violations])],
    };
  } finally {
    for (const run of runs) if (run.endedAt === null) run.signal("SIGKILL");
    await watch.stop();
    await stage.close();
    await Deno.remove(secondFolder, { recursive: true });
  }
}

/** Started one after the other, so that the row that appears in `workers` is the new one's. */
async function startNamed(
  stage: Stage,
  runs: ServiceRun[],
  name: string,
  dataDir: string,
): Promise<ServiceRun> {
  const run = startServiceRun(name, { ...stage.envOf(name), DATA_DIR: dataDir });
  runs.push(run);
  if (!await run.ready) throw new Error(`${name} did not start: ${run.lines.join("\n")}`);
  const { rows } = await stage.watcher.query<{ worker_id: string }>(
    "SELECT worker_id FROM workers WHERE worker_id <> ALL ($1)",
    [runs.map(({ workerId }) => workerId ?? "")],
  );
  run.workerId = rows[0]?.worker_id ?? null;
  return run;
}

function callsOutOf(stage: Stage, run: ServiceRun): number {
  return listCallsOut(stage.providers.requests, Date.now()).filter(({ door }) => door === run.name).length;
}

async function listHeldItems({ watcher, sessionId }: Stage, run: ServiceRun): Promise<number[]> {
  const { rows } = await watcher.query<{ item_id: number }>(
    `SELECT item_id FROM batch_processing_items
     WHERE session_id = $1 AND status = 'PROCESSING' AND lease_owner = $2`,
    [sessionId, run.workerId],
  );
  return rows.map(({ item_id }) => item_id);
}

/** Everything that a stale process could have changed, but not the count of its refused writes. */
async function readBooks({ watcher, sessionId }: Stage): Promise<string> {
  const { rows: [row] } = await watcher.query(
    `SELECT
       (SELECT md5(string_agg(to_jsonb(i)::text, ',' ORDER BY item_id)) FROM batch_processing_items i) AS items,
       (SELECT md5(string_agg(to_jsonb(c)::text, ',' ORDER BY call_id)) FROM paid_calls c) AS calls,
       (SELECT md5(string_agg(to_jsonb(a)::text, ',' ORDER BY analysis_id)) FROM article_analyses a) AS analyses,
       (SELECT md5(string_agg(to_jsonb(b)::text, ',' ORDER BY batch_id)) FROM batch_processing_records b) AS batches,
       (SELECT to_jsonb(s) - 'stale_writes' FROM batch_processing_sessions s WHERE session_id = $1) AS session`,
    [sessionId],
  );
  return JSON.stringify(row);
}

async function countFinished(
  db: Database,
  sessionId: string,
  runs: readonly ServiceRun[],
): Promise<Record<string, number>> {
  const { rows } = await db.query<{ actor: string; n: number }>(
    `SELECT actor, count(*) AS n FROM session_events
     WHERE session_id = $1 AND action = 'item_analyzed' GROUP BY actor`,
    [sessionId],
  );
  return Object.fromEntries(
    runs.map(({ name, workerId }) => [name, rows.find(({ actor }) => actor === workerId)?.n ?? 0]),
  );
}

async function listPauses(db: Database, sessionId: string, runs: readonly ServiceRun[]): Promise<string[]> {
  const { rows } = await db.query<{ actor: string; reason: string }>(
    `SELECT actor, detail ->> 'reason' AS reason FROM session_events
     WHERE session_id = $1 AND to_state = 'PAUSED' ORDER BY event_id`,
    [sessionId],
  );
  return rows.map(({ actor, reason }) =>
    `${runs.find(({ workerId }) => workerId === actor)?.name ?? actor}: ${reason}`
  );
}

async function until(reached: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + LONGEST_WAIT_MS;
  while (!await reached()) {
    if (Date.now() > deadline) throw new Error("what was waited for did not happen");
    await sleep(20);
  }
}

/**
 * The kill matrix: a service at work is killed with SIGKILL again and again, each time at another moment, and started
 * again. The last one lives until the session has ended. Then: is every article there, once, every request paid for in
 * the ledger, and was every alert told?
 */
import { isLive } from "../../lib/batches/types.ts";
import type { Micros } from "../../lib/money.ts";
import { createRandom } from "../../notebooks/fixture/random.ts";
import { listCallsOut } from "./calls_out.ts";
import { readStatus, waitForEnd } from "./end_session.ts";
import { countComplaints, judge, type Verdict } from "./judge.ts";
import { type AlertVerdict, judgeAlerts, waitForAlerts } from "./judge_alerts.ts";
import { drawKillMoment, waitForMoment } from "./kill_moments.ts";
import { type ServiceRun, startServiceRun } from "./service_run.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";
import { deskOf, recoverByCommand, takeUpAgain } from "./take_up_again.ts";
import { watchBooks } from "./watch_books.ts";

export interface KillOptions extends StageOptions {
  kills: number;
  /**
   * When a session ends before the last kill, `desk recover` takes it up again with as much more to spend, so that it
   * meets its cap many times. Micro-dollars.
   */
  moreBudget: Micros;
  /** Instead of waiting for leases and backoffs of those who died, let the database believe that time has passed. */
  skipWaits: boolean;
  /** What `desk recover` may spend at the end. */
  recoverBudget: string;
  say: (line: string) => void;
}

export interface KillReport {
  kills: number;
  killsBeforeReady: number;
  /** With at least one request out. */
  killsWithCallsOut: number;
  /** At most 20 ms after an answer had left: while it was read or written. */
  killsJustAfterAnAnswer: number;
  /** With nothing left to do. */
  killsAfterTheEnd: number;
  /** Calls that were out when their process was killed. */
  callsCutOff: number;
  /** How often the session ended before the last kill and was taken up again, by reason. */
  takenUpAgain: Record<string, number>;
  resumed: Record<string, number>;
  looks: number;
  seconds: number;
  complaints: Record<string, number>;
  end: Verdict;
  /** What the webhook was told, when the session had ended. */
  alerts: Omit<AlertVerdict, "violations">;
  /** Runs of crons that ended, and those of them that failed. */
  crons: { runs: number; failures: number };
  /** After `desk recover`; null when there was nothing to recover. */
  afterRecovery: Verdict | null;
  recoveries: number;
  violations: string[];
}

/** The most that the last service may take for what was left, ms. */
const FINISH_MS = 15 * 60_000;

/** The most that the last alerts may take: longer than the waits after alerts that were turned away, ms. */
const ALERTS_MS = 60_000;

export async function runKillMatrix(options: KillOptions): Promise<KillReport> {
  const started = Date.now();
  const stage = await openStage({ ...options, tellAlerts: true });
  const runs: ServiceRun[] = [];
  const takenUpAgain: Record<string, number> = {};
  const resumed: Record<string, number> = {};
  let endedAt: number | null = null;
  let killing = true;
  const watch = watchBooks(stage, 700, async () => {
    const { status, reason } = await readStatus(stage);
    if (status === "PAUSED") {
      count(resumed, reason ?? status);
      await deskOf(stage).resume(stage.sessionNumber, "operator:stage");
    } else if (isLive(status)) endedAt = null;
    else if (killing) {
      endedAt ??= Date.now();
      if (await takeUpAgain(stage, options.moreBudget)) count(takenUpAgain, reason ?? status);
    }
  });
  const figures = {
    killsBeforeReady: 0,
    killsWithCallsOut: 0,
    killsJustAfterAnAnswer: 0,
    killsAfterTheEnd: 0,
    callsCutOff: 0,
  };
  try {
    const random = createRandom(`${options.seed} kills`);
    for (let kill = 1; kill <= options.kills; kill++) {
      const run = startServiceRun(`run-${kill}`, stage.envOf(`run-${kill}`));
      runs.push(run);
      await waitForMoment(drawKillMoment(random), run, stage.providers);
      if (run.endedAt !== null) {
        watch.violations.push(`${run.name} ended by itself: ${run.lines.slice(-2).join(" ")}`);
        continue;
      }
      const at = Date.now();
      run.signal("SIGKILL");
      await run.ended;
      const own = stage.providers.requests.filter(({ door }) => door === run.name);
      const out = listCallsOut(own, at).length;
      if (run.readyAt === null) figures.killsBeforeReady++;
      if (out > 0) figures.killsWithCallsOut++;
      if (own.some(({ answersAt }) => answersAt <= at && at - answersAt <= 20)) {
        figures.killsJustAfterAnAnswer++;
      }
      if (endedAt !== null) figures.killsAfterTheEnd++;
      figures.callsCutOff += out;
      if (options.skipWaits) await stage.withDatabase((db) => letTimePass(db, stage.sessionId));
      if (kill % 10 === 0) options.say(`${kill} kills, ${stage.providers.requests.length} requests`);
    }
    killing = false;
    await finish(stage, runs, options);
    await watch.stop();
    const { end, alerts: { violations: untold, ...alerts }, crons } = await stage.withDatabase(async (
      db,
    ) => ({
      end: await judge(db, stage, runs),
      alerts: await judgeAlerts(db, stage.alerts.seen, runs),
      crons: await judgeCrons(db),
    }));
    options.say(`ended ${end.session.status}: ${end.session.analyzed} of ${end.session.total} analysed`);
    const { afterRecovery, recoveries } = await recoverByCommand(stage, runs, end, options);
    return {
      kills: options.kills,
      ...figures,
      takenUpAgain,
      resumed,
      looks: watch.looks,
      seconds: Math.round((Date.now() - started) / 1000),
      complaints: countComplaints(runs),
      end,
      alerts,
      crons: { runs: crons.runs, failures: crons.failures },
      afterRecovery,
      recoveries,
      violations: [
        ...new Set([
          ...watch.violations,
          ...end.violations,
          ...untold,
          ...crons.violations,
          ...afterRecovery?.violations ?? [],
        ]),
      ],
    };
  } finally {
    await watch.stop();
    for (const run of runs) if (run.endedAt === null) run.signal("SIGKILL");
    await stage.close();
  }
}

/** The last service: nobody kills it, and at the end it is asked to stop. */
async function finish(stage: Stage, runs: ServiceRun[], { say }: KillOptions): Promise<void> {
  const last = startServiceRun("last", stage.envOf("last"));
  runs.push(last);
  await waitForEnd(stage, [last], FINISH_MS);
  // The session may have ended before; only a service that is ready knows how to stop.
  await last.ready;
  await waitForAlerts(stage.watcher, ALERTS_MS);
  say(`the session has ended; ${stage.providers.requests.length} requests`);
  last.signal("SIGTERM");
  const code = await last.ended;
  if (code !== 0) {
    throw new Error(`the last service stopped with ${code}: ${last.lines.slice(-3).join("\n")}`);
  }
}

function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

/** A cron that a dead process has left must be taken up by the next one, and none may fail over what others left. */
async function judgeCrons(
  db: Stage["watcher"],
): Promise<{ runs: number; failures: number; violations: string[] }> {
  const { rows } = await db.query<{ job: string; runs: number; failures: number; last_error: string | null }>(
    "SELECT job, runs, failures, last_error FROM crons",
  );
  const sum = (of: "runs" | "failures") => rows.reduce((all, cron) => all + cron[of], 0);
  return {
    runs: sum("runs"),
    failures: sum("failures"),
    violations: rows.filter(({ last_error }) => last_error !== null)
      .map(({ job, last_error }) => `the cron ${job} failed: ${last_error}`),
  };
}

/** For a session at rest: every lease and every wait is half a minute older. */
async function letTimePass(db: Stage["watcher"], sessionId: string): Promise<void> {
  await db.query(
    `UPDATE batch_processing_items
     SET lease_until = lease_until - interval '35 s', not_before = not_before - interval '35 s'
     WHERE session_id = $1 AND status IN ('PENDING', 'PROCESSING')`,
    [sessionId],
  );
  await db.query(
    "UPDATE alert_sinks SET lease_until = lease_until - interval '35 s', not_before = not_before - interval '35 s'",
  );
}

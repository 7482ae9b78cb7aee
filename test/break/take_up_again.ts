/** Takes up a session that has ended short: as an operator would, with more money and new attempts. */
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import { readConfig } from "../../lib/config.ts";
import { createDesk, type Desk } from "../../lib/desk.ts";
import { type Micros, micros } from "../../lib/money.ts";
import { judge, type Verdict } from "./judge.ts";
import { type ServiceRun, startDeskRun } from "./service_run.ts";
import type { Stage } from "./stage.ts";

/** The desk on the database that a service serves. */
export function deskOf(stage: Stage): Desk {
  const config = readConfig(stage.envOf("stage"));
  return createDesk({ db: stage.watcher, config, analysts: createAnalysts(config) });
}

/** While a service runs. False: there is nothing left that money or a new attempt could change. */
export async function takeUpAgain(stage: Stage, more: Micros): Promise<boolean> {
  const desk = deskOf(stage);
  const { session } = await desk.progress(stage.sessionNumber);
  if (session.status === "COMPLETED") return false;
  const budget = micros(session.budget + more);
  const report = await desk.recover(stage.sessionNumber, more > 0 ? budget : null, "operator:stage");
  return report.requeuedFailed + report.requeuedSkipped > 0;
}

export interface CommandOptions {
  /** What the session may spend from now on, dollars. */
  recoverBudget: string;
  say: (line: string) => void;
}

/** `desk recover` as an operator types it, with no service running, until it gains nothing more. */
export async function recoverByCommand(
  stage: Stage,
  runs: ServiceRun[],
  end: Verdict,
  { recoverBudget, say }: CommandOptions,
): Promise<{ afterRecovery: Verdict | null; recoveries: number }> {
  let afterRecovery: Verdict | null = null;
  let recoveries = 0;
  let gained = true;
  while (gained && (afterRecovery ?? end).session.status !== "COMPLETED") {
    const before = (afterRecovery ?? end).session.analyzed;
    const name = `recover-${++recoveries}`;
    const args = ["recover", String(stage.sessionNumber), "--budget", recoverBudget, "--json"];
    const run = startDeskRun(name, args, stage.envOf(name));
    runs.push(run);
    await run.ended;
    const verdict: Verdict = await stage.withDatabase((db) => judge(db, stage, runs));
    afterRecovery = verdict;
    gained = verdict.session.analyzed > before;
    say(`recovered: ${verdict.session.analyzed} of ${verdict.session.total} analysed`);
  }
  return { afterRecovery, recoveries };
}

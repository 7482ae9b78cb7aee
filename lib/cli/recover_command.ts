/** `desk recover`: new attempts for what failed, of one session or of all that ended short lately. */
import type { Command } from "commander";
import type { Session } from "../batches/types.ts";
import { UsageError } from "../errors.ts";
import type { Micros } from "../money.ts";
import { parseBudget, parseCount } from "./arguments.ts";
import { ACTOR, type Context, withDesk } from "./context.ts";
import { describeRecovery } from "./describe_repairs.ts";
import { followSession, tellEnd } from "./follow.ts";
import type { ExitCode } from "./main.ts";
import { note, print, printJson } from "./output.ts";

interface RecoverOptions {
  budget?: Micros;
  all?: boolean;
  days?: number;
  json?: boolean;
}

export function addRecoverCommand(program: Command, done: (code: ExitCode) => void): void {
  program.command("recover").description("give failed articles new attempts, skipped ones a larger budget")
    .argument("[n]", "session number; the newest that ended with something missing unless given", parseCount)
    .option("--budget <usd>", "the session's new cap in dollars", parseBudget)
    .option("--all", "every session that ended short lately, one after another")
    .option("--days <n>", "with --all: how far back (default: 7)", parseCount)
    .option("--json", "the finished session, or with --all sessions, as one JSON document")
    .action(async (number: number | undefined, options: RecoverOptions) => {
      done(await (options.all ? recoverAll(number, options) : recoverOne(number, options)));
    });
}

async function recoverOne(
  number: number | undefined,
  { budget, days, json }: RecoverOptions,
): Promise<ExitCode> {
  if (days !== undefined) throw new UsageError("Cannot recover: --days goes with --all");
  return await withDesk("recover", async (context) => {
    const report = await context.desk.recover(number ?? null, budget ?? null, ACTOR);
    note(describeRecovery(report));
    const queued = report.requeuedFailed + report.requeuedSkipped > 0;
    return tellEnd(queued ? await followSession(context, report.session.number) : report.session, json);
  });
}

async function recoverAll(
  number: number | undefined,
  { budget, days, json }: RecoverOptions,
): Promise<ExitCode> {
  if (number !== undefined || budget !== undefined) {
    throw new UsageError("Cannot recover: --all is for every session; a number and --budget are for one");
  }
  return await withDesk("recover", async (context) => {
    const reports = await context.desk.recoverRecent(ACTOR, days);
    for (const report of reports) note(describeRecovery(report));
    const queued = reports.filter((report) => report.requeuedFailed + report.requeuedSkipped > 0);
    const ended = await followInTurn(context, queued.map((report) => report.session.number));
    if (json) printJson(ended);
    else if (queued.length === 0) print("Nothing to recover in the sessions that ended lately");
    else for (const session of ended) tellEnd(session, false);
    return ended.every(({ status }) => status === "COMPLETED") ? 0 : 1;
  });
}

/**
 * Follows sessions that work one after another, and returns them as they ended. One that stays paused, because a person
 * or the provider wanted it, ends this: the others stay in the queue.
 */
async function followInTurn(context: Context, numbers: readonly number[]): Promise<Session[]> {
  const ended: Session[] = [];
  for (const [index, number] of numbers.entries()) {
    if (index > 0) note(`Session ${number} is next`);
    const session = await followSession(context, number);
    ended.push(session);
    if (session.status !== "PAUSED") continue;
    const waiting = numbers.slice(index + 1);
    if (waiting.length > 0) {
      note(`Still queued: ${waiting.join(", ")}; they begin as soon as something works`);
    }
    break;
  }
  return ended;
}

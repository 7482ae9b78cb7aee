/** The commands that start, watch and steer sessions. */
import type { Command } from "commander";
import { UsageError } from "../errors.ts";
import type { Micros } from "../money.ts";
import type { ResearchMode } from "../config.ts";
import type { Session } from "../batches/types.ts";
import { parseBudget, parseCount, parseResearch } from "./arguments.ts";
import { ACTOR, type Context, withDesk } from "./context.ts";
import { describeAlertLine, describeMonitor } from "./describe_alerts.ts";
import { describeEstimate, describeSession, describeSessions, summarise } from "./describe_session.ts";
import { followSession, tellEnd } from "./follow.ts";
import { ask, note, print, printJson } from "./output.ts";
import type { ExitCode } from "./main.ts";

interface SessionOptions {
  limit?: number;
  budget?: Micros;
  model?: string;
  research?: ResearchMode;
  yes?: boolean;
  json?: boolean;
}

export function addSessionCommands(program: Command, done: (code: ExitCode) => void): void {
  addSessionOptions(program.command("estimate").description("what a session would cost, spending nothing"))
    .option("--json", "one JSON document")
    .action(async (options: SessionOptions) => {
      await withDesk("estimate", async ({ desk }) => {
        const { worstCases: _, ...estimate } = await desk.estimate(options);
        if (options.json) printJson(estimate);
        else print(describeEstimate({ ...estimate, worstCases: [] }));
      });
    });

  addSessionOptions(program.command("batch").description("start a session and follow it to its end"))
    .option("--yes", "start without asking")
    .option("--json", "the finished session as one JSON document")
    .action(async (options: SessionOptions) => {
      await withDesk("batch", async (context) => {
        const started = await startAsked(context, options);
        if (!started) return done(1);
        done(tellEnd(await followSession(context, started.number), options.json));
      });
    });

  program.command("status").description("a session's progress, money, batches and failures")
    .argument("[n]", "session number; the current one unless given", parseCount)
    .option("--json", "one JSON document")
    .action(async (number: number | undefined, { json }: { json?: boolean }) => {
      await withDesk("status", async ({ desk }) => {
        const detail = await desk.session(number ?? null);
        if (json) return printJson(detail);
        const open = (await desk.openAlerts()).filter((alert) => alert.number === detail.session.number);
        print([...open.map(describeAlertLine), describeSession(detail)].join("\n"));
      });
    });

  program.command("sessions").description("the sessions, newest first")
    .option("--limit <n>", "how many", parseCount, 20)
    .option("--json", "one JSON document")
    .action(async ({ limit, json }: { limit: number; json?: boolean }) => {
      await withDesk("sessions", async ({ desk }) => {
        const sessions = await desk.sessions(limit);
        if (json) printJson(sessions);
        else {print(
            sessions.length > 0
              ? describeSessions(sessions)
              : "No session yet. Start one with: deno task desk batch",
          );}
      });
    });

  addSteering(program, done);
  addMonitor(program);
}

function addSteering(program: Command, done: (code: ExitCode) => void): void {
  program.command("pause").description("start nothing new; what is under way finishes")
    .argument("<n>", "session number", parseCount)
    .action((number: number) =>
      withDesk("pause", async ({ desk }) => print(summarise(await desk.pause(number, ACTOR))))
    );

  program.command("resume").description("go on with a paused session and follow it")
    .argument("<n>", "session number", parseCount)
    .option("--json", "the finished session as one JSON document")
    .action(async (number: number, { json }: { json?: boolean }) => {
      await withDesk("resume", async (context) => {
        await context.desk.resume(number, ACTOR);
        done(tellEnd(await followSession(context, number), json));
      });
    });

  program.command("cancel").description("end a session; its waiting articles are skipped")
    .argument("<n>", "session number", parseCount)
    .action((number: number) =>
      withDesk("cancel", async ({ desk }) => print(summarise(await desk.cancel(number, ACTOR))))
    );
}

function addMonitor(program: Command): void {
  program.command("monitor").description("every live session and worker, now")
    .option("--json", "one JSON document")
    .action(async ({ json }: { json?: boolean }) => {
      await withDesk("monitor", async ({ desk }) => {
        const report = await desk.monitor(ACTOR);
        if (json) return printJson(report);
        print(describeMonitor(report));
      });
    });
}

function addSessionOptions(command: Command): Command {
  return command
    .option("--limit <n>", "articles at most", parseCount)
    .option("--budget <usd>", "hard cap in dollars", parseBudget)
    .option("--model <name>", "another model than GEMINI_MODEL")
    .option("--research <off|top|all>", "search for the strongest signals", parseResearch);
}

/** Shows the estimate and starts; null when the person said no. Throws `UsageError` when nobody can be asked. */
async function startAsked({ desk }: Context, options: SessionOptions): Promise<Session | null> {
  const estimate = await desk.estimate(options);
  note(describeEstimate(estimate));
  if (!options.yes && estimate.articles > 0) {
    if (!Deno.stdin.isTerminal()) {
      throw new UsageError("Cannot ask whether to spend: there is no terminal. Say so beforehand with --yes");
    }
    if (!ask("Start this session?")) return null;
  }
  const session = await desk.start(options, ACTOR);
  note(`Session ${session.number} started`);
  return session;
}

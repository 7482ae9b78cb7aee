/** The commands about what runs by the clock: what ran when, one of them now, and the feeds. */
import type { Command } from "commander";
import { distance } from "fastest-levenshtein";
import { type CronJob, CRONS } from "../../jobs/crons.ts";
import { createJobContext } from "../../jobs/job_context.ts";
import type { JobContext } from "../../jobs/job.ts";
import { makeSinks } from "../alerts/sinks/make_sinks.ts";
import type { AlertSink } from "../alerts/sinks/port.ts";
import { UsageError } from "../errors.ts";
import { ACTOR, type Context, withDesk } from "./context.ts";
import { describeCrons, describeFeeds } from "./describe_crons.ts";
import { note, print, printJson } from "./output.ts";

export function addJobCommands(program: Command): void {
  program.command("run").description("what runs by the clock and how it went; with a job, runs it now")
    .argument("[job]", CRONS.map(({ job }) => job).join(", "))
    .option("--json", "one JSON document")
    .action(async (name: string | undefined, { json }: { json?: boolean }) => {
      const cron = name === undefined ? null : findCron(name);
      await withDesk("run", async (context) => {
        if (cron) return await runNow(context, cron, json);
        const crons = await context.desk.crons();
        if (json) printJson(crons);
        else print(describeCrons(crons, CRONS, new Date()));
      });
    });

  program.command("feeds").description("the feeds of FEEDS: when each was read last, and how it went")
    .option("--json", "one JSON document")
    .action(async ({ json }: { json?: boolean }) => {
      await withDesk("feeds", async ({ desk }) => {
        const feeds = await desk.feeds();
        if (json) printJson(feeds);
        else print(describeFeeds(feeds));
      });
    });
}

function findCron(name: string): CronJob {
  const found = CRONS.find(({ job }) => job === name);
  if (found) return found;
  const names = CRONS.map(({ job }) => job);
  const near = names.filter((job) => job.includes(name) || distance(job, name) <= 4);
  throw new UsageError(
    `Cannot run "${name}": wanted one of ${names.join(", ")}` +
      (near.length > 0 ? `; did you mean ${near.join(" or ")}?` : ""),
  );
}

/** Beside the clock: the slot that comes next stays as it is. */
async function runNow(context: Context, { job, run }: CronJob, json: boolean | undefined): Promise<void> {
  const { db, desk, config, log } = context;
  // A service looks for itself, once a second.
  const dispatcher = { enqueue: () => Promise.resolve() };
  const sinks = await makeCommandSinks({ db, desk, config, log });
  const jobs = createJobContext({ db, desk, config, log, runner: ACTOR, dispatcher, sinks });
  const { text, detail } = await run(jobs, {
    actor: ACTOR,
    slot: null,
    signal: new AbortController().signal,
  });
  if (json) printJson({ job, text, ...detail });
  else print(text);
  const [session] = [detail.started, detail.due].flat().filter((number) => typeof number === "number");
  if (session !== undefined && (await desk.workers()).length === 0) {
    note(`Nobody is at work on it. Start the service, or go on here with: deno task desk resume ${session}`);
  }
}

/** What a terminal's log was told, nobody would find in the service's. The bot is loaded only when there is one. */
async function makeCommandSinks(
  deps: Pick<JobContext, "db" | "desk" | "config" | "log">,
): Promise<AlertSink[]> {
  const sinks = makeSinks(deps.config, deps.log).filter(({ name }) => name !== "log");
  if (deps.config.telegram.token === null) return sinks;
  const { createTelegramService } = await import("../../bot/service.ts");
  // Only its sinks are used: nothing is started by it.
  const service = createTelegramService({ ...deps, wake: () => Promise.resolve() });
  return [...sinks, ...service?.sinks ?? []];
}

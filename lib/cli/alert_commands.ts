/** The commands about alerts: what is open, being quiet about it, and the daily digest. */
import type { Command } from "commander";
import { describeDigest } from "../alerts/digest_text.ts";
import { MUTE_TIME, parseMuteTime } from "../alerts/mute_time.ts";
import { UsageError } from "../errors.ts";
import { parseCount } from "./arguments.ts";
import { ACTOR, withDesk } from "./context.ts";
import { describeAlert, describeAlerts, describeMute } from "./describe_alerts.ts";
import { count, print, printJson } from "./output.ts";

/** How many `--all` shows unless told otherwise. */
const RECENT = 50;

interface ListOptions {
  all?: boolean;
  limit: number;
  json?: boolean;
}

interface MuteOptions {
  rule?: string;
  session?: number;
}

export function addAlertCommands(program: Command): void {
  const alerts = program.command("alerts").description("what is wrong now, and where alerts do not arrive")
    .option("--all", "also events, and what is over, newest first")
    .option("--limit <n>", "with --all: how many", parseCount, RECENT)
    .option("--json", "one JSON document")
    .action((options: ListOptions) => listAlerts(options));
  alerts.command("ack").description("say that you have seen one")
    .argument("<id>", "number of the alert", parseCount)
    .action((id: number) =>
      withDesk("alerts", async ({ desk }) => print(describeAlert(await desk.acknowledgeAlert(id, ACTOR))))
    );
  alerts.command("mute").description("hold back alerts for a while; they are kept")
    .argument("<time>", MUTE_TIME)
    .option("--rule <name>", "only this rule")
    .option("--session <n>", "only this session", parseCount)
    .action((time: string, options: MuteOptions) => mute(time, options));
  alerts.command("unmute").description("end every mute")
    .action(() =>
      withDesk("alerts", async ({ desk }) => {
        const ended = await desk.unmuteAlerts(ACTOR);
        print(ended > 0 ? `Ended ${count(ended, "mute")}` : "Nothing was muted");
      })
    );

  program.command("digest").description("a day in figures: sessions, articles, spend, failures, what waits")
    .argument("[day]", "UTC, such as 2026-11-23; yesterday unless given")
    .option("--json", "one JSON document")
    .action(async (day: string | undefined, { json }: { json?: boolean }) => {
      await withDesk("digest", async ({ desk }) => {
        const digest = await desk.digest(day ?? null);
        if (json) printJson(digest);
        else print(describeDigest(digest));
      });
    });
}

async function listAlerts({ all, limit, json }: ListOptions): Promise<void> {
  await withDesk("alerts", async ({ desk }) => {
    const alerts = all ? await desk.recentAlerts(limit) : await desk.openAlerts();
    const [mutes, sinks] = [await desk.mutes(), await desk.alertSinks()];
    if (json) return printJson({ alerts, mutes, sinks });
    print(describeAlerts(alerts, mutes, sinks, all ? "No alert yet" : "No alert is open"));
  });
}

async function mute(time: string, { rule, session }: MuteOptions): Promise<void> {
  await withDesk("alerts", async ({ desk, config }) => {
    const until = parseMuteTime(time, new Date(), config.alerts);
    if (until === null) throw new UsageError(`Cannot mute: wanted ${MUTE_TIME}, got "${time}"`);
    print(
      describeMute(await desk.muteAlerts({ rule: rule ?? null, session: session ?? null, until }, ACTOR)),
    );
  });
}

/** /health, /whoami, /version and /help. */
import { listMigrations } from "../../lib/database/migrate.ts";
import { VERSION } from "../../lib/version.ts";
import { buttonData } from "../button_data.ts";
import type { DeskContext } from "../context.ts";
import { type CommandInfo, Feature } from "../feature.ts";
import type { Kit } from "../kit.ts";
import { describeHelp, describeVersion, describeWho } from "../replies/about.ts";
import { describeHealth } from "../replies/health.ts";
import { change, placeOf, reply, type Saying } from "../speak.ts";
import { InlineKeyboard } from "grammy";

/** @param commands Every command of the bot, for /help. */
export function aboutFeature(kit: Kit, commands: () => readonly CommandInfo[]): Feature {
  const startedAt = performance.now();
  const health = async (): Promise<Saying> => ({
    text: await checkHealth(kit, performance.now() - startedAt),
    keyboard: new InlineKeyboard().text("Refresh", buttonData("health", "again")).text(
      "Alerts",
      buttonData("alerts"),
    ),
  });
  const help = async (ctx: DeskContext) => {
    await reply(ctx, { text: describeHelp(commands(), ctx.person.role) });
  };
  return new Feature(kit)
    .command("health", "is everything well", "viewer", async (ctx) => void await reply(ctx, await health()))
    .button("health", "viewer", async (ctx) => {
      // The same button stands under alerts, which stay.
      await (ctx.button?.args[0] === "again" ? change : reply)(ctx, await health());
    })
    .command("whoami", "your ids and your role", "viewer", async (ctx) => {
      const { chat, thread } = placeOf(ctx);
      const { id: user, role } = ctx.person;
      await reply(ctx, { text: describeWho({ user, chat, thread, role, allowed: true }) });
    })
    .command(
      "version",
      "what runs here",
      "viewer",
      async (ctx) => void await reply(ctx, { text: versionOf(kit) }),
    )
    .command("help", "all commands", "viewer", help)
    // What Telegram's own button sends in a chat that is new.
    .hidden("start", help);
}

async function checkHealth({ db, desk, strangers, waiting, now, zone }: Kit, upMs: number) {
  const asked = performance.now();
  await db.query("SELECT 1");
  const databaseMs = performance.now() - asked;
  const [workers, crons, feeds, sinks, open, unhandled] = await Promise.all([
    desk.workers(),
    desk.crons(),
    desk.feeds(),
    desk.alertSinks(),
    desk.openAlerts(),
    waiting(),
  ]);
  return describeHealth({
    databaseMs,
    database: db.kind,
    workers,
    crons,
    feeds,
    sinks,
    open,
    // The one that asks is being handled now.
    waiting: Math.max(0, unhandled - 1),
    strangers: strangers(),
    upMs,
  }, { now: now(), zone });
}

function versionOf({ config, db }: Kit) {
  return describeVersion({
    version: VERSION,
    deno: Deno.version.deno,
    database: db.kind,
    migration: listMigrations().at(-1) ?? "none",
    analyst: config.analyst,
    model: config.gemini.model,
  });
}

/** What no feature took: unknown commands get the nearest one, unknown buttons a word, everything else nothing. */
import { commandNotFound } from "@grammyjs/commands";
import { Composer } from "grammy";
import type { DeskContext } from "./context.ts";
import type { Feature } from "./feature.ts";
import { plain } from "./replies/format.ts";
import { oneLine } from "./replies/plain_text.ts";
import { reply, toast } from "./speak.ts";

export function createFallback(features: readonly Feature[]): Composer<DeskContext> {
  const composer = new Composer<DeskContext>();
  const groups = features.map(({ group }) => group);
  composer.on("callback_query", async (ctx) => await toast(ctx, "This button is of no use any more.", true));
  composer.on("message:text", async (ctx, next) => {
    const { text } = ctx.message;
    const target = /^\/[^\s@]+@(\S+)/.exec(text)?.[1];
    // Another bot's business.
    if (target !== undefined && target !== ctx.me.username) return;
    if (text.startsWith("/")) return await next();
    await reply(ctx, { text: plain("I only take commands. /help lists them.") });
  });
  composer.filter(commandNotFound(groups), async (ctx) => {
    const command = oneLine(/^\S+/.exec(ctx.msg?.text ?? "")?.[0] ?? "", 40);
    const { commandSuggestion } = ctx;
    // In a group the command may be meant for another bot that lives there.
    const mine = ctx.chat?.type === "private" || command.includes("@");
    if (commandSuggestion) {
      await reply(ctx, { text: plain(`There is no ${command}. Did you mean ${commandSuggestion}?`) });
    } else if (mine) {
      await reply(ctx, { text: plain(`There is no ${command}. /help lists what there is.`) });
    }
  });
  return composer;
}

/**
 * What every update passes before a feature sees it: who may (access.ts), how much at once, and what is no command:
 * forwarded ones, edited ones, ones for another bot. Strangers learn that the bot is private, and their own ids.
 */
import { Composer } from "grammy";
import { RateLimiterMemory } from "rate-limiter-flexible";
import type { Config } from "../lib/config.ts";
import type { Log } from "../lib/log.ts";
import { type Admission, judgeUpdate, roleOf } from "./access.ts";
import { readButton } from "./button_data.ts";
import type { DeskContext } from "./context.ts";
import { describeWho } from "./replies/about.ts";
import { plain } from "./replies/format.ts";
import { placeOf, reply, toast } from "./speak.ts";

const MINUTE = 60;
/** A person's commands, and presses of buttons, a minute. */
const COMMANDS_A_MINUTE = 20;
const PRESSES_A_MINUTE = 60;
/** A stranger is answered, and written into the log, once in this time, s. */
const STRANGER_SECONDS = 600;
/** Their own ids may be asked for a few times: it is how an operator is set up. */
const STRANGER_WHOAMI = 3;
/** Presses that are answered; what more comes from them costs nothing. */
const STRANGER_PRESSES = 10;

export interface Gate {
  composer: Composer<DeskContext>;
  /** Updates that were refused. */
  refused(): number;
}

/** @param actor Who the audit trail names for everybody who is admitted; each by their id unless given. */
export function createGate(telegram: Config["telegram"], log: Log, actor?: string): Gate {
  let refused = 0;
  const limits = {
    commands: new RateLimiterMemory({ points: COMMANDS_A_MINUTE, duration: MINUTE }),
    presses: new RateLimiterMemory({ points: PRESSES_A_MINUTE, duration: MINUTE }),
    notices: new RateLimiterMemory({ points: 1, duration: MINUTE }),
    strangers: new RateLimiterMemory({ points: 1, duration: STRANGER_SECONDS }),
    strangerPresses: new RateLimiterMemory({ points: STRANGER_PRESSES, duration: STRANGER_SECONDS }),
    whoami: new RateLimiterMemory({ points: STRANGER_WHOAMI, duration: STRANGER_SECONDS }),
  };
  const composer = new Composer<DeskContext>();

  composer.use(async (ctx, next) => {
    ctx.answered = false;
    ctx.button = null;
    const admission = judgeUpdate(ctx.update, telegram);
    if (admission.kind === "ignored") return;
    if (admission.kind === "refused") {
      refused++;
      return await turnAway(ctx, admission);
    }
    ctx.person = { ...admission.person, actor: actor ?? admission.person.actor };
    ctx.button = readButton(ctx.callbackQuery?.data);
    const limit = ctx.callbackQuery ? limits.presses : limits.commands;
    if (!isCommandOrPress(ctx)) return;
    if (!await take(limit, ctx.person.id)) return await tellFlood(ctx);
    if (ctx.message) tidyCommand(ctx);
    await next();
  });

  const turnAway = async (ctx: DeskContext, { user, chat, why }: Extract<Admission, { kind: "refused" }>) => {
    const text = ctx.message?.text ?? "";
    if (
      user !== null && chat !== null && isWhoami(text, ctx.me.username) && await take(limits.whoami, user)
    ) {
      const role = roleOf(user, telegram);
      const { thread } = placeOf(ctx);
      return void await reply(ctx, { text: describeWho({ user, chat, thread, role, allowed: false }) });
    }
    const first = await take(limits.strangers, user ?? `chat ${chat}`);
    if (first) log("warn", { user, chat, why, refused }, "turned somebody away");
    if (ctx.callbackQuery) {
      if (await take(limits.strangerPresses, user ?? `chat ${chat}`)) {
        await toast(ctx, "You are not on the list.");
      }
      return;
    }
    const addressed = ctx.chat?.type === "private" || text.includes(`@${ctx.me.username}`);
    if (!first || user === null || !addressed || !text.startsWith("/")) return;
    await reply(ctx, {
      text: plain(why === "unknown_chat" ? "Commands are not taken in this chat." : "This bot is private."),
    });
  };

  const tellFlood = async (ctx: DeskContext) => {
    if (ctx.callbackQuery) return await toast(ctx, "Too fast. Wait a moment.");
    if (!await take(limits.notices, ctx.person.id)) return;
    log("warn", { user: ctx.person.id }, "too many commands");
    await reply(ctx, { text: plain(`More than ${COMMANDS_A_MINUTE} commands a minute. Wait a moment.`) });
  };

  return { composer, refused: () => refused };
}

async function take(limit: RateLimiterMemory, key: string | number): Promise<boolean> {
  try {
    await limit.consume(key);
    return true;
  } catch {
    return false;
  }
}

/** In a group people talk; in a private chat every text was meant for the bot. */
function isCommandOrPress(ctx: DeskContext): boolean {
  if (ctx.callbackQuery) return true;
  const { text, forward_origin, via_bot } = ctx.message ?? {};
  // Somebody else's words, even if they look like a command.
  if (text === undefined || forward_origin || via_bot) return false;
  return text.startsWith("/") || ctx.chat?.type === "private";
}

/** Phones break lines and write capitals; `/Status@nightdesk_bot` and a line break before an argument are meant well. */
function tidyCommand(ctx: DeskContext): void {
  const { message } = ctx;
  const match = /^\/([^\s@]+)(?:@(\S+))?(?:\s+([\s\S]*))?$/.exec(message?.text ?? "");
  if (!message || !match) return;
  const [, command, target, rest] = match;
  const isMine = target?.toLowerCase() === ctx.me.username.toLowerCase();
  const name = `/${command.toLowerCase()}${
    target === undefined ? "" : `@${isMine ? ctx.me.username : target}`
  }`;
  message.text = [name, rest?.replaceAll(/\s+/g, " ").trim()].filter((part) => part).join(" ");
}

function isWhoami(text: string, username: string): boolean {
  const match = /^\/whoami(?:@(\S+))?\s*$/i.exec(text);
  return match !== null && (match[1] === undefined || match[1].toLowerCase() === username.toLowerCase());
}

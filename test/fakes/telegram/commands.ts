/** What Telegram demands of a list of commands. */
import type { BotCommand } from "grammy/types";
import { badRequest } from "./api_error.ts";
import type { Params } from "./params.ts";
import type { World } from "./world.ts";

const MAX_COMMANDS = 100;

export function checkCommands(world: World, params: Params): BotCommand[] {
  const commands = params.json("commands");
  if (!Array.isArray(commands)) throw badRequest("can't parse list of bot commands: expected an Array");
  if (commands.length > MAX_COMMANDS) throw badRequest("BOT_COMMANDS_TOO_MUCH");
  for (const { command, description } of commands as BotCommand[]) {
    if (!/^\/?[a-z0-9_]{1,32}$/.test(command)) throw badRequest("BOT_COMMAND_INVALID");
    const length = [...description].length;
    if (length < 1 || length > 256) throw badRequest("BOT_COMMAND_DESCRIPTION_INVALID");
  }
  const scope = params.json("scope") as { type: string; chat_id?: number } | null;
  if (scope?.chat_id !== undefined && !world.chats.has(Number(scope.chat_id))) {
    throw badRequest("chat not found");
  }
  return commands;
}

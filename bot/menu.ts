/** The commands that Telegram's menu offers, for each kind of chat what may be done there. */
import type { Api } from "grammy";
import type { BotCommandScope } from "grammy/types";
import type { Config } from "../lib/config.ts";
import type { Log } from "../lib/log.ts";
import { mayAct } from "./access.ts";
import { explainFailure } from "./call_outcome.ts";
import type { Role } from "./context.ts";
import type { CommandInfo } from "./feature.ts";

/**
 * Strangers see the one command that they may use, viewers and operators theirs, in their private chats and in groups. A
 * chat that the bot does not know yet (the person has not started it) gets its menu at a later start; nothing here stops
 * the bot.
 */
export async function setMenus(
  api: Api,
  commands: readonly CommandInfo[],
  { operators, viewers, chats, alertChats }: Config["telegram"],
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const groups = new Set([...chats, ...alertChats].map(({ chat }) => chat).filter((chat) => chat < 0));
  const forRole = (role: Role) =>
    commands.filter((command) => mayAct(role, command.role)).map(({ name, description }) => ({
      command: name,
      description,
    }));
  const people = new Map<number, Role>([
    ...viewers.map((id) => [id, "viewer"] as const),
    ...operators.map((id) => [id, "operator"] as const),
  ]);
  const menus: { scope: BotCommandScope; menu: ReturnType<typeof forRole> }[] = [
    { scope: { type: "default" }, menu: forRole("viewer").filter(({ command }) => command === "whoami") },
    ...[...people].flatMap(([user_id, role]) => [
      { scope: { type: "chat", chat_id: user_id } as const, menu: forRole(role) },
      ...[...groups].map((chat_id) => ({
        scope: { type: "chat_member", chat_id, user_id } as const,
        menu: forRole(role),
      })),
    ]),
  ];
  for (const { scope, menu } of menus) {
    if (signal.aborted) return;
    try {
      await api.setMyCommands(menu, { scope });
    } catch (thrown) {
      log("debug", { scope, error: explainFailure(thrown).error }, "a menu of commands was not taken");
    }
  }
}

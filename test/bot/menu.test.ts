import { beforeEach, expect, it } from "vitest";
import type { BotCommand, BotCommandScope } from "grammy/types";
import type { Database } from "../../lib/database/port.ts";
import {
  GROUP,
  makeRecordedBot,
  makeWatchedDesk,
  OPERATOR,
  type RecordedCall,
  VIEWER,
} from "./recorded_bot.ts";

const db = { query: () => Promise.resolve({ rows: [], rowCount: 0 }) } as unknown as Database;
let refuse: (call: RecordedCall) => boolean;
beforeEach(() => refuse = () => false);

/** Starts the bot and ends it again; the menus that it set, by scope. */
async function startedMenus(): Promise<Map<string, string[]>> {
  const recorded = makeRecordedBot({
    desk: makeWatchedDesk().desk,
    db,
    fate: (call) => refuse(call) ? { error_code: 400, description: "Bad Request: chat not found" } : null,
  });
  await recorded.bot.start();
  // One for strangers, and for each of two people a private chat and two groups.
  await expect.poll(() => recorded.calls.filter(({ method }) => method === "setMyCommands").length).toBe(7);
  await recorded.bot.stop();
  return new Map(
    recorded.calls.filter(({ method }) => method === "setMyCommands").map(({ payload }) => [
      JSON.stringify(payload.scope satisfies unknown as BotCommandScope),
      (payload.commands as BotCommand[]).map(({ command }) => command),
    ]),
  );
}

it("everybody's menu has what they may do there, and nothing else", async () => {
  const menus = await startedMenus();
  expect(menus.get('{"type":"default"}')).toEqual(["whoami"]);
  const operator = menus.get(`{"type":"chat","chat_id":${OPERATOR}}`) ?? [];
  expect(operator.toSorted()).toEqual([
    "alerts",
    "analysis",
    "articles",
    "budget",
    "cancel",
    "cleanup",
    "cost",
    "estimate",
    "health",
    "help",
    "mute",
    "pause",
    "recover",
    "resume",
    "sessions",
    "start_batch",
    "status",
    "version",
    "whoami",
  ]);
  const viewer = menus.get(`{"type":"chat","chat_id":${VIEWER}}`) ?? [];
  expect(viewer).toContain("status");
  for (const command of ["start_batch", "pause", "resume", "cancel", "recover", "cleanup"]) {
    expect(viewer).not.toContain(command);
  }
  expect(menus.get(`{"type":"chat_member","chat_id":${GROUP},"user_id":${OPERATOR}}`)).toEqual(operator);
});

it("a menu that Telegram does not take keeps no other one back", async () => {
  refuse = ({ method }) => method === "setMyCommands";
  expect((await startedMenus()).size).toBe(7);
});

import { Buffer } from "node:buffer";
import { Bot, GrammyError, InlineKeyboard, InputFile } from "grammy";
import type { UserFromGetMe } from "grammy/types";
import { beforeEach, describe, expect, it } from "vitest";
import { LocalChat } from "../../../bot/console/local_chat.ts";
import { makePressUpdate, makeTextUpdate } from "../../../bot/console/local_updates.ts";
import { createTerminalApi, toMessage } from "../../../bot/console/terminal_api.ts";

const me = { id: 77, is_bot: true, first_name: "Nightdesk", username: "nightdesk_bot" } as UserFromGetMe;
const person = {
  user: { id: 1, is_bot: false, first_name: "You" },
  chat: { id: 1, type: "private", first_name: "You" },
} as const;

let chat: LocalChat;
let bot: Bot;
let seen: string[];
let saved: { name: string; bytes: Uint8Array }[];

beforeEach(() => {
  chat = new LocalChat(100);
  seen = [];
  saved = [];
  bot = new Bot("77:terminal", {
    botInfo: me,
    client: {
      fetch: () => {
        throw new Error("something left the process");
      },
    },
  });
  bot.api.config.use(createTerminalApi({
    me,
    chatId: 1,
    chat,
    view: {
      show: ({ id, text, picture }) => seen.push(`show ${id} ${text}${picture ? ` with ${picture}` : ""}`),
      edit: ({ id, text }, was) => seen.push(`edit ${id} ${was.text} -> ${text}`),
      tell: (text) => seen.push(`tell ${text}`),
      learn: (commands) => seen.push(`learn ${commands.map(({ command }) => command)}`),
    },
    savePicture(name, bytes) {
      saved.push({ name, bytes });
      return Promise.resolve(`/tmp/${name}`);
    },
  }));
});

async function refusalOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(() => null, (thrown: unknown) => thrown);
  return error instanceof GrammyError ? `${error.error_code} ${error.description}` : `no refusal: ${error}`;
}

describe("the terminal in place of Telegram", () => {
  it("takes messages, edits, pictures and answers, and lets nothing out of the process", async () => {
    const sent = await bot.api.sendMessage(1, "one", { reply_markup: new InlineKeyboard().text("Go", "go") });
    expect(sent).toMatchObject({ message_id: 100, chat: { id: 1, type: "private" }, from: me });
    await bot.api.editMessageText(1, 100, "two");
    await bot.api.sendPhoto(1, new InputFile(Buffer.from("PNG"), "cost.png"), { caption: "Costs" });
    await bot.api.answerCallbackQuery("1", { text: "Done" });
    await bot.api.answerCallbackQuery("1");
    await bot.api.setMyCommands([{ command: "status", description: "How it goes" }]);
    await bot.api.sendChatAction(1, "typing");
    expect(seen).toEqual([
      "show 100 one",
      "edit 100 one -> two",
      "show 101 Costs with /tmp/cost.png",
      "tell Done",
      "learn status",
    ]);
    expect(saved).toEqual([{ name: "cost.png", bytes: Buffer.from("PNG") }]);
  });

  it("refuses in Telegram's words what the bot knows how to take", async () => {
    await bot.api.sendMessage(1, "same");
    expect(await refusalOf(bot.api.editMessageText(1, 100, "same"))).toMatch(
      /^400 .*message is not modified/,
    );
    expect(await refusalOf(bot.api.editMessageText(1, 99, "x"))).toMatch(/^400 .*message to edit not found/);
    expect(await refusalOf(bot.api.sendMessage(5, "x"))).toMatch(/^400 .*chat not found/);
    await bot.api.sendPhoto(1, new InputFile(Buffer.from("PNG"), "a.png"));
    expect(await refusalOf(bot.api.editMessageText(1, 101, "x"))).toMatch(/no text in the message to edit/);
    expect(await refusalOf(bot.api.getChatMemberCount(1))).toMatch(/^404 /);
  });

  it("brings what is typed and pressed to the bot's handlers", async () => {
    bot.command("start", (context) => context.reply(`for ${context.from?.id}: ${context.match}`));
    bot.callbackQuery("go", async (context) => {
      await context.editMessageText("going");
      await context.answerCallbackQuery("Gone");
    });
    await bot.handleUpdate(makeTextUpdate(person, 1, chat.takeId(), "/start 5 now"));
    expect(seen).toEqual(["show 101 for 1: 5 now"]);
    await bot.handleUpdate(makePressUpdate(person, 2, toMessage(chat.find(101)!, me, 1), "go"));
    expect(seen.slice(1)).toEqual(["edit 101 for 1: 5 now -> going", "tell Gone"]);
  });
});

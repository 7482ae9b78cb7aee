import { Api, Bot, GrammyError, HttpError, InlineKeyboard, InputFile } from "grammy";
import type { Update } from "grammy/types";
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeTelegram, type FakeTelegramOptions, startFakeTelegram } from "./telegram.ts";

let telegram: FakeTelegram;
let api: Api;

async function start(options: FakeTelegramOptions = {}): Promise<void> {
  telegram = await startFakeTelegram(options);
  api = new Api(telegram.token, { apiRoot: telegram.apiRoot, timeoutSeconds: 5 });
}

beforeEach(() => start());
afterEach(() => telegram.close());

/** Somebody to whom the bot may write. */
function ann() {
  const user = telegram.user(1001, { first_name: "Ann" });
  user.says("/start");
  return user;
}

async function refusalOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(() => null, (thrown: unknown) => thrown);
  if (!(error instanceof GrammyError)) throw new Error(`no refusal but ${error}`);
  return `${error.error_code} ${error.description}`;
}

describe("long polling", () => {
  it("hands out an update again until a higher offset confirms it", async () => {
    ann().says("/status");
    const first = await api.getUpdates();
    expect(first.map((update) => update.message?.text)).toEqual(["/start", "/status"]);
    expect(await api.getUpdates()).toEqual(first);
    expect(await api.getUpdates({ offset: first[1]!.update_id })).toEqual([first[1]]);
    expect(await api.getUpdates({ offset: first[1]!.update_id + 1 })).toEqual([]);
    await telegram.settled();
  });

  it("waits for the next update and marks commands as Telegram does", async () => {
    const polled = api.getUpdates({ timeout: 5 });
    await telegram.until(() => telegram.polling || null, "a poll");
    telegram.user(1001).says("see /status@nightdesk_bot 3");
    expect(await polled).toMatchObject([{
      message: { chat: { type: "private" }, entities: [{ type: "bot_command", offset: 4, length: 21 }] },
    }]);
  });

  it("ends the older of two polls with 409", async () => {
    const older = refusalOf(api.getUpdates({ timeout: 5 }));
    await telegram.until(() => telegram.polling || null, "a poll");
    const newer = api.getUpdates({ timeout: 5 });
    expect(await older).toMatch(/^409 Conflict: terminated by other getUpdates request/);
    ann();
    expect(await newer).toHaveLength(1);
  });

  it("leaves out kinds of updates that the bot did not ask for", async () => {
    await api.getUpdates({ allowed_updates: ["callback_query"] });
    ann();
    expect(telegram.pending).toEqual([]);
  });

  it("shows a bot in a group only commands for it and replies to it", async () => {
    const group = telegram.group(-100200);
    const person = telegram.user(1001);
    const sent = await api.sendMessage(group.id, "Hello");
    const own = await group.message("Hello");
    expect(sent.message_id).toBe(own.message_id);
    person.says("good morning", { in: group });
    person.says("/status@other_bot", { in: group });
    person.says("/status", { in: group });
    person.says("/cost@Nightdesk_bot", { in: group });
    person.says("thanks", { in: group, replyTo: own });
    const texts = (await api.getUpdates()).map((update) => update.message?.text);
    expect(texts).toEqual(["/status", "/cost@Nightdesk_bot", "thanks"]);
  });
});

describe("what the bot sends", () => {
  it("stands in the chat, with the history of its edits", async () => {
    const { chat } = ann();
    const keyboard = new InlineKeyboard().text("Start", "go:1").text("Cancel", "no:1");
    const sent = await api.sendMessage(chat.id, "one", { reply_markup: keyboard });
    await api.editMessageText(chat.id, sent.message_id, "two");
    const message = await chat.message("two");
    expect(message.versions.map(({ text }) => text)).toEqual(["one", "two"]);
    expect(message.buttons).toEqual([]);
    expect(telegram.transcript()).toMatch(
      /private Ann \(1001\)\n {2}#1 Ann: \/start\n {2}#2 Nightdesk \(1 edits\): two/,
    );
  });

  it.each([
    ["an empty text", " \n", {}, "400 Bad Request: text must be non-empty"],
    ["4,097 characters", "x".repeat(4097), {}, "400 Bad Request: message is too long"],
    [
      "an entity beyond the text",
      "bold",
      { entities: [{ type: "bold", offset: 2, length: 3 }] },
      "400 Bad Request: entity beginning at UTF-16 offset 2 ends after the end of the text at UTF-16 offset 5",
    ],
    [
      "an entity that cuts an emoji",
      "🚀go",
      { entities: [{ type: "bold", offset: 1, length: 2 }] },
      "400 Bad Request: entity begins or ends in a middle of a UTF-16 symbol at UTF-16 offset 1",
    ],
    [
      "65 bytes on a button",
      "x",
      { reply_markup: new InlineKeyboard().text("a", "é".repeat(32) + "x") },
      "400 Bad Request: BUTTON_DATA_INVALID",
    ],
    [
      "a reply to nothing",
      "x",
      { reply_parameters: { message_id: 99 } },
      "400 Bad Request: message to be replied not found",
    ],
    ["a topic that is none", "x", { message_thread_id: 7 }, "400 Bad Request: message thread not found"],
  ])("is refused with %s", async (_, text, other, refusal) => {
    const { chat } = ann();
    expect(await refusalOf(api.sendMessage(chat.id, text, other as Parameters<Api["sendMessage"]>[2]))).toBe(
      refusal,
    );
    expect(chat.fromBot).toEqual([]);
  });

  it("may have 4,096 characters, white space around them not counted, and 64 bytes on a button", async () => {
    const { chat } = ann();
    const reply_markup = new InlineKeyboard().text("a", "é".repeat(32));
    await api.sendMessage(chat.id, `${"x".repeat(4096)}\n`, {
      entities: [{ type: "bold", offset: 0, length: 4097 }],
      reply_markup,
    });
    expect(chat.fromBot[0]!.now.entities).toEqual([{ type: "bold", offset: 0, length: 4096 }]);
  });

  it("cannot be edited to what it is, when it is gone, or when somebody else wrote it", async () => {
    const user = ann();
    const { message_id } = await api.sendMessage(user.id, "same");
    expect(await refusalOf(api.editMessageText(user.id, message_id, "same "))).toMatch(
      /^400 Bad Request: message is not modified: specified new message content/,
    );
    expect(await refusalOf(api.editMessageText(user.id, 99, "x"))).toBe(
      "400 Bad Request: message to edit not found",
    );
    expect(await refusalOf(api.editMessageText(user.id, 1, "x"))).toBe(
      "400 Bad Request: message can't be edited",
    );
  });

  it("reaches nobody who never wrote, who blocked the bot, or who does not exist", async () => {
    telegram.user(5);
    expect(await refusalOf(api.sendMessage(5, "x"))).toBe(
      "403 Forbidden: bot can't initiate conversation with a user",
    );
    const user = ann();
    user.blocks();
    expect(await refusalOf(api.sendMessage(user.id, "x"))).toBe("403 Forbidden: bot was blocked by the user");
    user.unblocks();
    await api.sendMessage(user.id, "x");
    expect(await refusalOf(api.sendMessage(404, "x"))).toBe("400 Bad Request: chat not found");
    const stranger = new Api("1:wrong", { apiRoot: telegram.apiRoot });
    expect(await refusalOf(stranger.getMe())).toBe("401 Unauthorized");
  });

  it("can be a photo, sent as multipart and again by its id", async () => {
    const { chat } = ann();
    const png = makePngHead(640, 480);
    const sent = await api.sendPhoto(chat.id, new InputFile(png, "cost.png"), { caption: "Costs" });
    expect(sent.photo[0]).toMatchObject({ width: 640, height: 480, file_size: png.length });
    expect(chat.fromBot[0]!.photo).toMatchObject({ name: "cost.png", bytes: new Uint8Array(png) });
    await api.sendPhoto(chat.id, sent.photo[0]!.file_id);
    expect(await refusalOf(api.sendPhoto(chat.id, new InputFile(Buffer.from("GIF89a"))))).toBe(
      "400 Bad Request: IMAGE_PROCESS_FAILED",
    );
    expect(await refusalOf(api.sendPhoto(chat.id, new InputFile(png), { caption: "x".repeat(1025) }))).toBe(
      "400 Bad Request: message caption is too long",
    );
  });
});

describe("buttons", () => {
  it("bring the press to the bot and its answer to the person, until Telegram forgets the press", async () => {
    const user = ann();
    const keyboard = new InlineKeyboard().text("Start", "go:1");
    await api.sendMessage(user.id, "Sure?", { reply_markup: keyboard });
    const answered = user.presses("Start", user.chat.fromBot[0]!);
    const updates = await api.getUpdates();
    const press = updates.at(-1)!.callback_query!;
    expect(press).toMatchObject({ data: "go:1", from: { id: 1001 }, message: { text: "Sure?" } });
    await api.answerCallbackQuery(press.id, { text: "Started" });
    expect(await answered).toEqual({ text: "Started", alert: false });
    expect(await refusalOf(api.answerCallbackQuery("1"))).toMatch(/^400 Bad Request: query is too old/);
  });
});

describe("flood control", () => {
  it("counts what is too much, and answers 429 with a time to wait when it is told to", async () => {
    await telegram.close();
    await start({ enforceFlood: true });
    const group = telegram.group(-100200);
    const sent = await Promise.all([1, 2, 3].map((n) => api.sendMessage(group.id, `${n}`)));
    expect(await refusalOf(api.sendMessage(group.id, "4"))).toBe("429 Too Many Requests: retry after 1");
    for (let n = 0; n < 20; n++) await api.editMessageText(group.id, sent[0]!.message_id, `edit ${n}`);
    const refused = await api.editMessageText(group.id, sent[0]!.message_id, "one more").catch((error) =>
      error
    );
    expect(refused.parameters.retry_after).toBeGreaterThan(50);
    expect(telegram.violations.map(({ rule }) => rule)).toEqual(["messages a second", "edits a minute"]);
  });
});

describe("faults", () => {
  it("lose an answer after the message was taken; grammY's own client then sends it a second time", async () => {
    const { chat } = ann();
    await api.getMe();
    const fault = telegram.fail({ method: "sendMessage" }, { kind: "lost_answer", by: "reset" });
    await api.sendMessage(chat.id, "once?");
    expect(fault.struck).toBe(1);
    expect(chat.fromBot.map(({ text }) => text)).toEqual(["once?", "once?"]);
    expect(telegram.callsOf("sendMessage").map(({ outcome }) => outcome)).toEqual(["lost", 200]);
  });

  it.each(["reset", "close", "cut"] as const)(
    "lose an answer by %s: the message stands, the caller fails",
    async (by) => {
      const { chat } = ann();
      telegram.fail({ method: "sendMessage", times: 2 }, { kind: "lost_answer", by });
      const hasty = new Api(telegram.token, { apiRoot: telegram.apiRoot, timeoutSeconds: 1 });
      await expect(hasty.sendMessage(chat.id, "there")).rejects.toBeInstanceOf(HttpError);
      expect(chat.fromBot[0]!.text).toBe("there");
    },
  );

  it("answer with what is asked for, only for the calls that fit", async () => {
    const { chat } = ann();
    telegram.fail({ text: /second/ }, {
      kind: "error",
      code: 429,
      description: "Too Many Requests: retry after 3",
      parameters: { retry_after: 3 },
    });
    telegram.fail({ text: /third/ }, { kind: "gateway", status: 502 });
    await api.sendMessage(chat.id, "first");
    expect(await refusalOf(api.sendMessage(chat.id, "second"))).toBe("429 Too Many Requests: retry after 3");
    await expect(api.sendMessage(chat.id, "third")).rejects.toBeInstanceOf(HttpError);
    expect(chat.fromBot.map(({ text }) => text)).toEqual(["first"]);
  });

  it.each(["refused", "reset", "close", "gateway"] as const)(
    "keep Telegram away (%s) with what it had, and let it come back on the same port",
    async (how) => {
      const { chat } = ann();
      const comeBack = await telegram.goAway(how);
      await expect(api.sendMessage(chat.id, "lost")).rejects.toBeInstanceOf(HttpError);
      await comeBack();
      expect(await api.getUpdates()).toHaveLength(1);
      await api.sendMessage(chat.id, "back");
      expect(chat.fromBot.map(({ text }) => text)).toEqual(["back"]);
    },
  );
});

describe("the webhook", () => {
  it("gets every update with the secret, in order in a chat, again after a failure or a silence", async () => {
    const got: { secret: unknown; id: number }[] = [];
    const answers: (number | null)[] = [500, 200, null, 200];
    const service = createServer((request, response) => {
      const chunks: Uint8Array[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        const update: Update = JSON.parse(Buffer.concat(chunks).toString());
        got.push({ secret: request.headers["x-telegram-bot-api-secret-token"], id: update.update_id });
        const status = answers.shift();
        if (status) response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    await telegram.close();
    await start({ webhook: { origin, timeoutMs: 200, resendMs: 10 } });
    expect(await refusalOf(api.setWebhook(`${origin}/telegram/webhook`))).toMatch(
      /An HTTPS URL must be provided/,
    );
    await api.setWebhook("https://desk.example/telegram/webhook", { secret_token: "s3cret" });
    expect(await refusalOf(api.getUpdates())).toMatch(
      /^409 Conflict: can't use getUpdates method while webhook is active/,
    );
    ann().says("/status");
    await telegram.settled();
    const [first, again, second, secondAgain] = got.map(({ id }) => id);
    expect(again).toBe(first);
    expect(second).toBe(first! + 1);
    expect(secondAgain).toBe(second);
    expect(new Set(got.map(({ secret }) => secret))).toEqual(new Set(["s3cret"]));
    expect(telegram.deliveries.map(({ outcome }) => outcome)).toEqual([
      500,
      200,
      expect.stringMatching(/time/i),
      200,
    ]);
    await api.deleteWebhook();
    service.closeAllConnections();
    service.close();
  });
});

it("serves a whole grammY bot", async () => {
  const bot = new Bot(telegram.token, { client: { apiRoot: telegram.apiRoot } });
  bot.command("ping", (context) => context.reply("pong"));
  const ended = bot.start();
  const answer = await telegram.user(1001).asks("/ping");
  expect(answer.text).toBe("pong");
  await bot.stop();
  await ended;
});

/** The part of a PNG that tells its size; enough for Telegram's checks here. */
function makePngHead(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

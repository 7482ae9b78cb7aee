import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addArticles } from "../../helpers/articles.ts";
import { useTestDatabase } from "../../helpers/database.ts";
import { type BotBench, openBotBench, poll } from "./bot_bench.ts";

const test = useTestDatabase();
let bench: BotBench;

beforeEach(async () => {
  bench = await openBotBench(test.db, { webhook: true });
  await addArticles(test.db, 3);
});
afterEach(() => bench.close());

async function setHook(): Promise<void> {
  await bench.telegram.until(() => bench.telegram.callsOf("setWebhook")[0], "the webhook to be set");
}

describe("the webhook", () => {
  it("is set with a secret and the kinds of updates that the bot deals with, and no poll is made", async () => {
    await setHook();
    await bench.ann.asks("/whoami");
    const [set] = bench.telegram.callsOf("setWebhook");
    expect(set!.params.values).toMatchObject({
      url: "https://desk.example/telegram/webhook",
      secret_token: expect.stringMatching(/^[\w-]{16,}$/),
      allowed_updates: ["message", "callback_query"],
    });
    expect(bench.telegram.callsOf("getUpdates")).toEqual([]);
  });

  it("carries an update out once, however often Telegram brings it", async () => {
    await setHook();
    const { ann, telegram, desk } = bench;
    const question = await ann.asks("/start_batch 2");
    ann.taps("Start", question);
    const [press] = telegram.pending;
    await ann.chat.shows(question, /Session 1/);
    for (let n = 0; n < 3; n++) await telegram.repeat(press!);
    await bench.untilEnded(1);
    expect(await desk.sessions(5)).toHaveLength(1);
    expect(telegram.callsOf("answerCallbackQuery")).toHaveLength(1);
  });

  it("is answered at once, while the handler still waits for Telegram", async () => {
    await setHook();
    const { ann, telegram } = bench;
    telegram.fail({ method: "sendMessage" }, { kind: "late", ms: 2_000 });
    const from = Date.now();
    ann.says("/whoami");
    await telegram.settled();
    expect(Date.now() - from).toBeLessThan(1_500);
    await ann.chat.message("operator");
    expect(telegram.deliveries.map(({ outcome }) => outcome)).toEqual([200]);
  });

  it("loses nothing that comes while the service is down", async () => {
    await setHook();
    const { ann, telegram } = bench;
    await bench.stop();
    ann.says("/whoami");
    await telegram.until(
      () => telegram.deliveries.filter(({ outcome }) => outcome === 503).length >= 3 || null,
      "deliveries that fail",
    );
    await bench.start();
    await ann.chat.message("operator");
    await telegram.settled();
    expect(ann.chat.fromBot).toHaveLength(1);
  });

  it("believes nobody without the secret, and takes nothing that is no update", async () => {
    await setHook();
    const { telegram, config, ann } = bench;
    const update = {
      update_id: 1,
      message: { message_id: 1, date: 1, chat: ann.chat.state.info, from: ann.info, text: "/whoami" },
    };
    const post = (secret: string | null, body: string) =>
      fetch(`${bench.webhookOrigin}/telegram/webhook`, {
        method: "POST",
        headers: secret === null ? {} : { "x-telegram-bot-api-secret-token": secret },
        body,
      }).then(async (response) => {
        await response.body?.cancel();
        return response.status;
      });
    const { secret } = config.telegram.webhook!;
    expect(await post(null, JSON.stringify(update))).toBe(401);
    expect(await post("", JSON.stringify(update))).toBe(401);
    expect(await post(`${secret}x`, JSON.stringify(update))).toBe(401);
    expect(await post(secret, "{")).toBe(400);
    expect(await post(secret, JSON.stringify({ update_id: "x" }))).toBe(400);
    // The limit of the app in front of it; an update is a few KB.
    expect(await post(secret, JSON.stringify({ ...update, padding: "y".repeat(300_000) }))).toBe(413);
    await poll(async () =>
      (await test.db.query("SELECT FROM telegram_updates")).rowCount === 0 ? true : null
    );
    expect(telegram.callsOf("sendMessage")).toEqual([]);
    expect(await post(secret, JSON.stringify({ ...update, padding: "y".repeat(200_000) }))).toBe(200);
  });
});

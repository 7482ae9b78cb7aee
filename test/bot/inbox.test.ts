import type { Update } from "grammy/types";
import { beforeEach, describe, expect, it } from "vitest";
import { createInbox, type Inbox, type InboxOptions } from "../../bot/inbox.ts";
import { createWebhookHandler, webhookAddress } from "../../bot/webhook.ts";
import { useTestDatabase } from "../helpers/database.ts";

const test = useTestDatabase();
const quiet = () => {};

let handled: string[];
let logged: string[];
beforeEach(() => {
  handled = [];
  logged = [];
});

function say(update_id: number, text: string, chat = 1): Update {
  return {
    update_id,
    message: { message_id: update_id, date: 1, chat: { id: chat, type: "private", first_name: "P" }, text },
  } as Update;
}

function open(
  handle: (update: Update) => Promise<void>,
  given: Partial<InboxOptions> = {},
): Inbox {
  return createInbox({
    db: test.db,
    log: (_level, _fields, message) => logged.push(message),
    botId: 7,
    ready: Promise.resolve(true),
    handle,
    ...given,
  });
}

const take = (update: Update) => {
  handled.push(update.message?.text ?? "");
  return Promise.resolve();
};

/** What a process that died in the middle leaves: the update is begun, and its lease runs out. */
async function expireLeases(): Promise<void> {
  await test.db.query(
    "UPDATE telegram_updates SET lease_until = now() - interval '1 s' WHERE handled_at IS NULL",
  );
}

describe("an update", () => {
  it("is handled once, however often it comes and in however many processes", async () => {
    const inboxes = [open(take), open(take)];
    await Promise.all(
      [1, 2, 3].flatMap(() => inboxes.map((inbox) => inbox.take([say(1, "a"), say(2, "b")]))),
    );
    await Promise.all(inboxes.map((inbox) => inbox.idle()));
    expect(handled.toSorted()).toEqual(["a", "b"]);
    await inboxes[0].take([say(1, "a")]);
    await inboxes[0].idle();
    expect(handled).toHaveLength(2);
  });

  it("of many is handled once by several processes that sweep at the same time", async () => {
    const taken: number[] = [];
    const inboxes = Array.from({ length: 4 }, () =>
      open((update) => {
        taken.push(update.update_id);
        return Promise.resolve();
      }));
    const unready = open(take, { ready: Promise.resolve(false) });
    await unready.take(Array.from({ length: 120 }, (_, n) => say(n + 1, "x", n % 12)));
    await Promise.all(inboxes.map((inbox) => inbox.sweep()));
    await Promise.all(inboxes.map((inbox) => inbox.idle()));
    expect(taken.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, n) => n + 1));
    expect(await unready.waiting()).toBe(0);
  });

  it("of one bot is not taken for another bot's with the same number", async () => {
    const [one, other] = [open(take), open(take, { botId: 8 })];
    await one.take([say(1, "one")]);
    await other.take([say(1, "other")]);
    await Promise.all([one.idle(), other.idle()]);
    expect(handled.toSorted()).toEqual(["one", "other"]);
  });

  it("waits for those before it in its chat, and for nobody else's", async () => {
    const gate = Promise.withResolvers<void>();
    const inbox = open(async (update) => {
      if (update.message?.text === "slow") await gate.promise;
      await take(update);
    });
    await inbox.take([say(1, "slow"), say(2, "behind"), say(3, "elsewhere", 2)]);
    await expect.poll(() => handled).toEqual(["elsewhere"]);
    gate.resolve();
    await inbox.idle();
    expect(handled).toEqual(["elsewhere", "slow", "behind"]);
  });

  it("whose process died before or while it was handled is handled by the next one, in order", async () => {
    const died = open(() => new Promise(quiet));
    await died.take([say(1, "begun"), say(2, "waiting")]);
    await expect.poll(async () =>
      (await test.db.query("SELECT FROM telegram_updates WHERE tries = 1")).rowCount
    ).toBe(1);
    const next = open((update) => {
      handled.push(`${update.message?.text} ${next.isRetried(update) ? "again" : "first"}`);
      return Promise.resolve();
    });
    // The dead one's claim holds until its lease has run out.
    await test.db.query(
      "UPDATE telegram_updates SET lease_until = now() + interval '1 hour' WHERE update_id = 2",
    );
    await next.sweep();
    await next.idle();
    expect(handled).toEqual([]);
    await expireLeases();
    await next.sweep();
    await next.idle();
    expect(handled).toEqual(["begun again", "waiting first"]);
  });

  it("whose handler takes longer than a lease stays with the process that handles it", async () => {
    const gate = Promise.withResolvers<void>();
    const inbox = open(async (update) => {
      await gate.promise;
      await take(update);
    }, { leaseMs: 300 });
    await inbox.take([say(1, "slow")]);
    const lease = async () => {
      const { rows: [row] } = await test.db.query<{ lease: string; lasts: boolean }>(
        "SELECT lease_until::text AS lease, lease_until > now() AS lasts FROM telegram_updates WHERE tries = 1",
      );
      return row;
    };
    await expect.poll(lease).toBeDefined();
    const first = (await lease())!.lease;
    await expect.poll(async () => (await lease())!.lease !== first, { timeout: 20_000 }).toBe(true);
    gate.resolve();
    await inbox.idle();
    expect(handled).toEqual(["slow"]);
  });

  it("whose handler is cut short at the end of the process is handled by the next one, at once", async () => {
    const cut = new AbortController();
    const inbox = open(
      () => new Promise((resolve) => cut.signal.addEventListener("abort", () => resolve())),
      {
        cut: cut.signal,
      },
    );
    await inbox.take([say(1, "asked")]);
    await expect.poll(async () =>
      (await test.db.query("SELECT FROM telegram_updates WHERE tries = 1")).rowCount
    ).toBe(1);
    const stopped = inbox.stop();
    cut.abort();
    await stopped;
    const next = open(take);
    await next.sweep();
    await next.idle();
    expect(handled).toEqual(["asked"]);
  });

  it("that brings its handler down three times is put aside, and the next ones go on", async () => {
    const inbox = open((update) => {
      handled.push(update.message?.text ?? "");
      return update.update_id === 1 ? Promise.reject(new Error("broken")) : Promise.resolve();
    });
    await inbox.take([say(1, "poison"), say(2, "fine")]);
    await inbox.idle();
    for (let n = 0; n < 4; n++) {
      await expireLeases();
      await inbox.sweep();
      await inbox.idle();
    }
    expect(handled).toEqual(["poison", "fine", "poison", "poison"]);
    const { rows } = await test.db.query("SELECT error, tries FROM telegram_updates WHERE update_id = 1");
    expect(rows).toEqual([{ error: "broken", tries: 3 }]);
    expect(await inbox.waiting()).toBe(0);
  });

  it("is kept until the bot knows who it is, and for the next process when it never does", async () => {
    const known = Promise.withResolvers<boolean>();
    const inbox = open(take, { ready: known.promise });
    await inbox.take([say(1, "early")]);
    expect(await inbox.waiting()).toBe(1);
    known.resolve(false);
    await inbox.stop();
    expect(handled).toEqual([]);
    const next = open(take);
    await next.sweep();
    await next.idle();
    expect(handled).toEqual(["early"]);
  });

  it("is not begun any more once the process stops", async () => {
    const gate = Promise.withResolvers<void>();
    const inbox = open(async (update) => {
      await take(update);
      await gate.promise;
    });
    await inbox.take([say(1, "under way"), say(2, "not begun")]);
    await expect.poll(() => handled).toEqual(["under way"]);
    const stopped = inbox.stop();
    gate.resolve();
    await stopped;
    expect(handled).toEqual(["under way"]);
    expect(await inbox.waiting()).toBe(1);
  });

  it("with texts that Postgres cannot store does not hold up the others", async () => {
    const inbox = open(take);
    await inbox.take([say(1, "nul\0l"), say(2, "half\ud83d"), say(3, "fine")]);
    await inbox.idle();
    expect(handled).toEqual(["null", "half\ufffd", "fine"]);
  });

  it("leaves no text behind once it is handled, and is forgotten after two days", async () => {
    const inbox = open(take);
    await inbox.take([say(1, "secret words")]);
    await inbox.idle();
    const { rows } = await test.db.query("SELECT body FROM telegram_updates");
    expect(rows).toEqual([{ body: null }]);
    await test.db.query("UPDATE telegram_updates SET handled_at = now() - interval '49 hours'");
    await inbox.sweep();
    expect((await test.db.query("SELECT FROM telegram_updates")).rowCount).toBe(0);
  });
});

describe("the webhook", () => {
  const SECRET = "0123456789abcdef-secret";
  const post = (body: BodyInit | null, secret: string | null = SECRET, method = "POST") =>
    new Request("http://desk.example/telegram/webhook", {
      method,
      headers: secret === null ? {} : { "x-telegram-bot-api-secret-token": secret },
      body,
    });
  const update = JSON.stringify(say(9, "by webhook"));

  it("answers before the work is done, and takes a repeated update once", async () => {
    const gate = Promise.withResolvers<void>();
    const inbox = open(async (one) => {
      await gate.promise;
      await take(one);
    });
    const handle = createWebhookHandler({ inbox, secret: SECRET, log: quiet });
    expect((await handle(post(update))).status).toBe(200);
    expect((await handle(post(update))).status).toBe(200);
    expect(handled).toEqual([]);
    gate.resolve();
    await inbox.idle();
    expect(handled).toEqual(["by webhook"]);
  });

  it("believes nobody without the secret, and takes nothing but updates", async () => {
    const inbox = open(take);
    const handle = createWebhookHandler({ inbox, secret: SECRET, log: quiet });
    const statuses = await Promise.all([
      post(update, null),
      post(update, ""),
      post(update, `${SECRET}x`),
      post(update, SECRET.slice(0, -1)),
      post(null, SECRET, "GET"),
      post("not json"),
      post("[1]"),
      post(JSON.stringify({ update_id: "1" })),
      post(JSON.stringify({ update_id: -1 })),
    ].map(async (request) => (await handle(request)).status));
    expect(statuses).toEqual([401, 401, 401, 401, 405, 400, 400, 400, 400]);
    await inbox.idle();
    expect(handled).toEqual([]);
    expect(() => createWebhookHandler({ inbox, secret: "", log: quiet })).toThrow(RangeError);
  });

  it("asks Telegram to send it again when it could not be written down", async () => {
    const broken = { take: () => Promise.reject(new Error("database away")) };
    const handle = createWebhookHandler({ inbox: broken, secret: SECRET, log: quiet });
    expect((await handle(post(update))).status).toBe(503);
  });

  it("is at the usual path unless the address has one", () => {
    expect(webhookAddress("https://desk.example")).toBe("https://desk.example/telegram/webhook");
    expect(webhookAddress("https://desk.example/hooks/tg")).toBe("https://desk.example/hooks/tg");
  });
});

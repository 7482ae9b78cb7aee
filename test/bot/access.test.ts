import fc from "fast-check";
import type { Update } from "grammy/types";
import { describe, expect, it } from "vitest";
import { judgeUpdate } from "../../bot/access.ts";
import { buttonData, VERBS } from "../../bot/button_data.ts";
import { readConfig } from "../../lib/config.ts";
import type { Database } from "../../lib/database/port.ts";
import {
  ALERT_GROUP,
  GROUP,
  makeRecordedBot,
  makeWatchedDesk,
  OPERATOR,
  pressUpdate,
  textUpdate,
  VIEWER,
} from "./recorded_bot.ts";

const STRANGER = 6_666;
const ELSEWHERE = -100_999;

/** A database on which every query is a failure: whoever is refused must not reach it. */
function makeForbiddenDatabase(): { db: Database; queries: string[] } {
  const queries: string[] = [];
  const refuse = (text: unknown) => {
    queries.push(String(text));
    return Promise.reject(new Error("the database was asked"));
  };
  return { db: { query: refuse, transaction: refuse } as unknown as Database, queries };
}

const COMMANDS = [
  "start_batch",
  "estimate",
  "status",
  "sessions",
  "articles",
  "analysis",
  "pause",
  "resume",
  "cancel",
  "recover",
  "cleanup",
  "cost",
  "budget",
  "alerts",
  "mute",
  "health",
  "version",
  "help",
  "start",
];

describe("who may do what, and where", () => {
  const { telegram } = readConfig({
    TELEGRAM_OPERATORS: String(OPERATOR),
    TELEGRAM_VIEWERS: String(VIEWER),
    TELEGRAM_CHATS: String(GROUP),
    TELEGRAM_ALERT_CHATS: `${ALERT_GROUP}:7`,
  });

  it.each([
    [OPERATOR, OPERATOR, "operator"],
    [OPERATOR, GROUP, "operator"],
    [OPERATOR, ALERT_GROUP, "operator"],
    [OPERATOR, ELSEWHERE, null],
    [VIEWER, VIEWER, "viewer"],
    [VIEWER, GROUP, "viewer"],
    [VIEWER, ELSEWHERE, null],
    [STRANGER, STRANGER, null],
    [STRANGER, GROUP, null],
    [STRANGER, ALERT_GROUP, null],
  ])("user %d in chat %d is %s, by command and by button", (from, chat, role) => {
    for (const update of [textUpdate("/status", { from, chat }), pressUpdate("1:status:1", { from, chat })]) {
      const admission = judgeUpdate(update, telegram);
      expect(admission.kind === "admitted" ? admission.person.role : null).toBe(role);
    }
  });

  it("what has no person behind it is nobody's", () => {
    const nobodies: Record<string, unknown>[] = [
      { sender_chat: { id: GROUP, type: "supergroup", title: "G" } },
      { from: { id: 1_087_968_824, is_bot: true, first_name: "Group" } },
      { from: undefined },
      { from: { id: OPERATOR, is_bot: true, first_name: "A bot with an operator's id" } },
      { chat: { id: GROUP, type: "channel", title: "C" } },
    ];
    for (const message of nobodies) {
      expect(judgeUpdate(textUpdate("/status", { from: OPERATOR, chat: GROUP, message }), telegram))
        .toMatchObject({
          kind: "refused",
          user: null,
        });
    }
  });

  it("nobody is admitted by empty lists", () => {
    const nothing = readConfig({}).telegram;
    for (const chat of [OPERATOR, GROUP]) {
      expect(judgeUpdate(textUpdate("/status", { from: OPERATOR, chat }), nothing).kind).toBe("refused");
    }
  });

  it("an operator's private chat is not another one's", () => {
    const update = textUpdate("/status", { from: OPERATOR, chat: STRANGER });
    expect(judgeUpdate(update, telegram)).toMatchObject({ kind: "refused", why: "unknown_chat" });
  });
});

describe("somebody who is not allowed", () => {
  const strange = fc.tuple(
    fc.integer({ min: 1, max: 9_999_999 }),
    fc.integer({ min: -9_999_999, max: 9_999_999 }),
  )
    .filter(([from, chat]) => {
      const listed = from === OPERATOR || from === VIEWER;
      return chat !== 0 && !(listed && (chat === from || chat === GROUP || chat === ALERT_GROUP));
    });
  const text = fc.oneof(
    fc.constantFrom(...COMMANDS).map((name) => `/${name}`),
    fc.constantFrom(...COMMANDS).map((name) => `/${name}@nightdesk_bot 1 0.10`),
    fc.string({ unit: "binary", maxLength: 40 }).map((rest) => `/${rest}`),
  );
  const data = fc.oneof(
    fc.tuple(fc.constantFrom(...VERBS), fc.nat(99)).map(([verb, n]) => buttonData(verb, n)),
    fc.string({ maxLength: 64 }),
  );
  const message = fc.constantFrom<Record<string, unknown>>(
    {},
    { sender_chat: { id: GROUP, type: "supergroup", title: "G" } },
    {
      forward_origin: {
        type: "user",
        date: 1,
        sender_user: { id: OPERATOR, is_bot: false, first_name: "Ann" },
      },
    },
    { is_topic_message: true, message_thread_id: 7 },
    { reply_to_message: { message_id: 1, date: 1, chat: { id: GROUP, type: "supergroup", title: "G" } } },
  );
  const update = fc.tuple(strange, text, data, message, fc.constantFrom("text", "press", "edited", "channel"))
    .map(
      ([[from, chat], words, button, fields, kind]): Update => {
        if (kind === "press") return pressUpdate(button, { from, chat });
        const said = textUpdate(words, { from, chat, message: fields });
        if (kind === "text") return said;
        const { message: content, ...rest } = said;
        return { ...rest, [kind === "edited" ? "edited_message" : "channel_post"]: content } as Update;
      },
    );

  it("reaches nothing and sees nothing, in 1,000 generated updates", async () => {
    const { desk, asked } = makeWatchedDesk();
    const { db, queries } = makeForbiddenDatabase();
    const recorded = makeRecordedBot({ desk, db });
    for (const one of fc.sample(update, 1_000)) await recorded.handle(one);
    expect(asked).toEqual([]);
    expect(queries).toEqual([]);
    const harmless = [
      "This bot is private.",
      "Commands are not taken in this chat.",
      "You are not on the list.",
    ];
    expect(recorded.said().filter((said) => !harmless.includes(said))).toEqual([]);
    const warnings = recorded.logged.filter(({ msg }) => msg === "turned somebody away");
    expect(warnings.length).toBeGreaterThan(10);
    // Without the times: half past nine and 0.104 s would read like the budget.
    const logged = recorded.logged.map(({ time: _time, ...line }) => line);
    expect(JSON.stringify(logged)).not.toMatch(/start_batch|0\.10/);
  });

  it("is told once in ten minutes, however often they ask, and ten presses of theirs are answered", async () => {
    const { desk } = makeWatchedDesk();
    const recorded = makeRecordedBot({ desk, db: makeForbiddenDatabase().db });
    for (let n = 0; n < 30; n++) await recorded.handle(textUpdate("/status", { from: STRANGER }));
    expect(recorded.said()).toEqual(["This bot is private."]);
    expect(recorded.logged.filter(({ level }) => level === "warn")).toHaveLength(1);
    for (let n = 0; n < 30; n++) {
      await recorded.handle(pressUpdate("1:pause:1", { from: STRANGER, chat: GROUP }));
    }
    expect(recorded.calls.filter(({ method }) => method === "answerCallbackQuery")).toHaveLength(10);
  });

  it("learns their own ids with /whoami and nothing else, and not without end", async () => {
    const { desk, asked } = makeWatchedDesk();
    const recorded = makeRecordedBot({ desk, db: makeForbiddenDatabase().db });
    for (let n = 0; n < 10; n++) {
      await recorded.handle(textUpdate("/WhoAmI@Nightdesk_Bot", { from: STRANGER }));
    }
    await recorded.handle(textUpdate("/whoami", { from: 77, chat: ELSEWHERE }));
    const whoami = recorded.said().filter((said) => said.startsWith("User"));
    expect(whoami).toEqual([...Array(3).fill("User  6666"), "User  77\nChat  -100999"]);
    expect(asked).toEqual([]);
  });

  it("in a group is not answered unless they speak to the bot", async () => {
    const recorded = makeRecordedBot({ desk: makeWatchedDesk().desk, db: makeForbiddenDatabase().db });
    await recorded.handle(textUpdate("/status", { from: STRANGER, chat: GROUP }));
    expect(recorded.said()).toEqual([]);
    await recorded.handle(textUpdate("/status@nightdesk_bot", { from: 6_667, chat: GROUP }));
    expect(recorded.said()).toEqual(["This bot is private."]);
  });
});

describe("a viewer", () => {
  const READING = [
    "estimate",
    "status",
    "sessions",
    "articles",
    "analysis 1",
    "cost",
    "budget",
    "alerts",
    "mute",
    "health",
  ];
  const CHANGING = [
    "start_batch",
    "pause 1",
    "resume 1",
    "cancel 1",
    "recover 1",
    "cleanup",
    "budget day 2",
    "mute 1h",
    "mute off",
  ];
  const READS =
    /^(estimate|articles|sessions?|show|costs|budgets|openAlerts|recentAlerts|mutes|workers|crons|feeds|alertSinks|progress|items|unknownCalls)$/;

  it.each(READING)("may look with /%s", async (command) => {
    const { desk, asked } = makeWatchedDesk();
    const recorded = makeRecordedBot({ desk, db: makeForbiddenDatabase().db });
    await recorded.handle(textUpdate(`/${command}`, { from: VIEWER }));
    for (const name of asked) expect(name).toMatch(READS);
    expect(recorded.said()).not.toEqual([expect.stringMatching(/for operators/)]);
  });

  it.each(CHANGING)("may not change anything with /%s", async (command) => {
    const { desk, asked } = makeWatchedDesk();
    const { db, queries } = makeForbiddenDatabase();
    const recorded = makeRecordedBot({ desk, db });
    await recorded.handle(textUpdate(`/${command}`, { from: VIEWER }));
    expect(recorded.said()).toEqual([expect.stringMatching(/operators/)]);
    expect([...asked, ...queries]).toEqual([]);
  });

  it("may not change anything by any button", async () => {
    const { desk, asked } = makeWatchedDesk();
    const { db, queries } = makeForbiddenDatabase();
    const recorded = makeRecordedBot({ desk, db });
    const looks = new Set([
      "status",
      "details",
      "sessions",
      "articles",
      "analysis",
      "cost",
      "alerts",
      "health",
      "unknown",
    ]);
    for (const verb of VERBS.filter((one) => !looks.has(one))) {
      await recorded.handle(pressUpdate(buttonData(verb, 1, "1h"), { from: VIEWER }));
    }
    expect([...asked, ...queries]).toEqual([]);
    expect(new Set(recorded.said())).toEqual(new Set(["This is for operators; you may look."]));
  });
});

describe("an operator", () => {
  const make = () => {
    const { desk, asked } = makeWatchedDesk();
    return { recorded: makeRecordedBot({ desk, db: makeForbiddenDatabase().db }), asked };
  };
  const forward = { forward_origin: { type: "hidden_user", date: 1, sender_user_name: "x" } };

  it("is not heard in forwarded or edited messages, by other bots' names, or through other bots", async () => {
    const { recorded, asked } = make();
    const from = OPERATOR;
    await recorded.handle(textUpdate("/pause 1", { from, message: forward }));
    await recorded.handle(
      textUpdate("/pause 1", { from, message: { via_bot: { id: 5, is_bot: true, first_name: "V" } } }),
    );
    await recorded.handle(textUpdate("/pause@other_bot 1", { from, chat: GROUP }));
    await recorded.handle(textUpdate("please /pause 1", { from, chat: GROUP }));
    const { message, ...rest } = textUpdate("/pause 1", { from });
    await recorded.handle({ ...rest, edited_message: message } as Update);
    expect(asked).toEqual([]);
    expect(recorded.calls).toEqual([]);
  });

  it.each(["/pause 1", "/Pause 1", "/PAUSE@NIGHTDESK_BOT 1", "/pause\n1", "/pause   1  "])(
    "is heard when typing %j",
    async (text) => {
      const { recorded, asked } = make();
      await recorded.handle(textUpdate(text, { from: OPERATOR, chat: GROUP }));
      expect(asked).toEqual(["pause"]);
    },
  );

  it("gets the nearest command for a mistyped one, and nothing in a group for one of another bot", async () => {
    const { recorded } = make();
    await recorded.handle(textUpdate("/statuss", { from: OPERATOR }));
    await recorded.handle(textUpdate("/xyzzy", { from: OPERATOR }));
    await recorded.handle(textUpdate("/xyzzy", { from: OPERATOR, chat: GROUP }));
    expect(recorded.said()).toEqual([
      expect.stringMatching(/Did you mean \/status\?/),
      expect.stringMatching(/\/help lists what there is/),
    ]);
  });

  it("is held up after 20 commands a minute, and told once", async () => {
    const { recorded } = make();
    for (let n = 0; n < 40; n++) await recorded.handle(textUpdate("/help", { from: OPERATOR }));
    const helps = recorded.said().filter((said) => said.startsWith("Nightdesk"));
    expect(helps).toHaveLength(20);
    expect(recorded.said().filter((said) => /Wait a moment/.test(said))).toHaveLength(1);
  });

  it("gets an answer to every press, also of buttons that nobody made", async () => {
    const { recorded, asked } = make();
    const forged = [
      "",
      "1",
      "2:pause:1",
      "1:pause",
      "1:pause:x",
      "1:pause:1:2:3:4:5:6",
      "1:nothing:1",
      "💥",
      "1:yes:",
    ];
    for (const data of forged) await recorded.handle(pressUpdate(data, { from: OPERATOR }));
    expect(recorded.calls.map(({ method }) => method)).toEqual(forged.map(() => "answerCallbackQuery"));
    expect(asked).toEqual([]);
  });
});

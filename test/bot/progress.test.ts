import { HttpError } from "grammy";
import { beforeEach, describe, expect, it } from "vitest";
import { NotSentError } from "../../bot/telegram_fetch.ts";
import { cancelSession, finishIfDone } from "../../lib/batches/change_session.ts";
import { recoverSession } from "../../lib/batches/recover_items.ts";
import type { Session } from "../../lib/batches/types.ts";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import { readConfig } from "../../lib/config.ts";
import { createDesk, type Desk } from "../../lib/desk.ts";
import { addWork, analyse, claim, fail } from "../batches/work_session.ts";
import { useTestDatabase } from "../helpers/database.ts";
import {
  ALERT_GROUP,
  type ApiRefusal,
  makeRecordedBot,
  OPERATOR,
  pressUpdate,
  type RecordedBot,
  type RecordedCall,
} from "./recorded_bot.ts";

const test = useTestDatabase();
const HERE = { chat: OPERATOR, thread: null };

let desk: Desk;
let fate: (call: RecordedCall) => ApiRefusal | null | Promise<null>;
let recorded: RecordedBot;
let session: Session;

beforeEach(async () => {
  const config = readConfig({});
  desk = createDesk({ db: test.db, config, analysts: createAnalysts(config) });
  fate = () => null;
  recorded = open();
  session = await addWork(test.db, 4);
});

function open(): RecordedBot {
  return makeRecordedBot({ desk, db: test.db, fate: (call) => fate(call) });
}

/** Everything that waits is due now. */
async function due(): Promise<void> {
  await test.db.query(
    "UPDATE telegram_progress SET next_at = now(), edited_at = now() - interval '1 minute'",
  );
}

async function dueTick(bot = recorded): Promise<void> {
  await due();
  await bot.bot.progress.tick();
}

async function stateOf(chat: number): Promise<unknown[]> {
  const { rows } = await test.db.query<{ state: string; message_id: number | null }>(
    "SELECT state, message_id FROM telegram_progress WHERE chat_id = $1 ORDER BY progress_id",
    [chat],
  );
  return rows.map(({ state, message_id }) => [state, message_id]);
}

const methods = (bot = recorded) => bot.calls.map(({ method }) => method);
const lose = () => {
  throw new HttpError("Network request failed!", new Error("the connection broke"));
};

describe("a session that somebody started elsewhere", () => {
  it("is shown where alerts go, in their topic, without a sound, and once", async () => {
    await recorded.bot.progress.tick();
    expect(recorded.calls).toEqual([{
      method: "sendMessage",
      payload: expect.objectContaining({
        chat_id: ALERT_GROUP,
        message_thread_id: 7,
        disable_notification: true,
        text: expect.stringMatching(/^▶️ Session 1 is at work/),
      }),
    }]);
    for (let n = 0; n < 5; n++) await dueTick();
    expect(methods()).toEqual(["sendMessage"]);
  });

  it("is edited while it goes on, not when nothing has changed, and by a new process too", async () => {
    await recorded.bot.progress.tick();
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 2));
    await dueTick();
    expect(methods()).toEqual(["sendMessage", "editMessageText"]);
    expect(recorded.calls[1].payload).toMatchObject({ chat_id: ALERT_GROUP, message_id: 1 });
    expect(recorded.calls[1].payload.text).toContain("Articles  2 of 4");

    const restarted = open();
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 1));
    await dueTick(restarted);
    expect(methods(restarted)).toEqual(["editMessageText"]);
    expect(restarted.calls[0].payload).toMatchObject({ message_id: 1 });
  });

  it("is shown once by two processes that look at the same time", async () => {
    const other = open();
    await Promise.all([recorded, other, recorded, other].map(({ bot }) => bot.progress.tick()));
    expect([...methods(), ...methods(other)]).toEqual(["sendMessage"]);
  });

  it("is not edited more often than every 5 s, also when it is changed in between", async () => {
    await recorded.bot.progress.tick();
    const { rows: [{ wait }] } = await test.db.query<{ wait: number }>(
      "SELECT extract(epoch FROM next_at - now())::float8 AS wait FROM telegram_progress",
    );
    expect(wait).toBeGreaterThan(4);
    await desk.pause(1, "test");
    await recorded.bot.progress.hurry(session);
    for (let n = 0; n < 5; n++) await recorded.bot.progress.tick();
    expect(methods()).toEqual(["sendMessage"]);
    await dueTick();
    expect(recorded.calls[1].payload.text).toContain("is paused");
  });

  it("ends its message without buttons; the result comes with the alert of the end", async () => {
    await recorded.bot.progress.tick();
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 4));
    await finishIfDone(test.db, session.session_id, "test");
    await dueTick();
    await dueTick();
    expect(methods()).toEqual(["sendMessage", "editMessageText"]);
    expect(recorded.calls[1].payload).toMatchObject({ reply_markup: undefined });
    expect(recorded.calls[1].payload.text).toMatch(/^✅ Session 1 is complete\n▓+ 100 %/);
    expect(await stateOf(ALERT_GROUP)).toEqual([["closed", 1]]);
  });

  it("that is over before anybody looked gets no progress message", async () => {
    await cancelSession(test.db, session.session_id, "test");
    await recorded.bot.progress.tick();
    await dueTick();
    expect(recorded.calls).toEqual([]);
  });

  it("gets a message of its own when it is recovered", async () => {
    await recorded.bot.progress.tick();
    await fail(test.db, session.session_id, await claim(test.db, session.session_id, 4), "retry");
    await test.db.query("UPDATE batch_processing_items SET attempts = max_attempts WHERE status = 'PENDING'");
    await fail(test.db, session.session_id, await claim(test.db, session.session_id, 4), "retry");
    await finishIfDone(test.db, session.session_id, "test");
    await dueTick();
    await recoverSession(test.db, session.session_id, null, "test");
    for (let n = 0; n < 4; n++) await dueTick();
    expect(methods().filter((method) => method === "sendMessage")).toHaveLength(2);
    expect((await stateOf(ALERT_GROUP)).map((row) => (row as unknown[])[0])).toEqual(["closed", "live"]);
  });
});

describe("a progress message whose answer got lost", () => {
  it("is not sent again, and is found when somebody presses a button on it", async () => {
    fate = lose;
    await recorded.bot.progress.tick();
    fate = () => null;
    for (let n = 0; n < 5; n++) await dueTick();
    expect(methods()).toEqual(["sendMessage"]);
    expect(await stateOf(ALERT_GROUP)).toEqual([["lost", null]]);

    const press = pressUpdate("1:pause:1", { from: OPERATOR, chat: ALERT_GROUP, messageId: 77 });
    Object.assign(press.callback_query!.message!, { is_topic_message: true, message_thread_id: 7 });
    await recorded.handle(press);
    expect(await stateOf(ALERT_GROUP)).toEqual([["live", 77]]);
    await dueTick();
    expect(recorded.calls.at(-1)).toMatchObject({ method: "editMessageText", payload: { message_id: 77 } });
  });

  it("because the process died while it was sent, is not sent again either", async () => {
    fate = () => new Promise(() => {});
    void recorded.bot.progress.tick();
    await expect.poll(() => stateOf(ALERT_GROUP)).toEqual([["sending", null]]);
    await expect.poll(() => methods()).toEqual(["sendMessage"]);
    fate = () => null;
    const restarted = open();
    for (let n = 0; n < 3; n++) await dueTick(restarted);
    expect(restarted.calls).toEqual([]);
    expect(await stateOf(ALERT_GROUP)).toEqual([["lost", null]]);
  });

  it("is sent when it certainly had not been, or when Telegram asked to wait", async () => {
    fate = () => {
      throw new HttpError("Network request failed!", new NotSentError("connection refused"));
    };
    await recorded.bot.progress.tick();
    expect(await stateOf(ALERT_GROUP)).toEqual([["new", null]]);
    fate = () => ({ error_code: 429, description: "Too Many Requests", parameters: { retry_after: 33 } });
    await dueTick();
    const { rows: [{ wait }] } = await test.db.query<{ wait: number }>(
      "SELECT extract(epoch FROM next_at - now())::float8 AS wait FROM telegram_progress",
    );
    expect(wait).toBeGreaterThan(31);
    fate = () => null;
    await dueTick();
    expect(await stateOf(ALERT_GROUP)).toEqual([["live", 3]]);
  });

  it("is given up where the bot may not write, and in the log", async () => {
    fate = () => ({ error_code: 403, description: "Forbidden: bot was kicked from the supergroup chat" });
    for (let n = 0; n < 3; n++) await dueTick();
    expect(methods()).toEqual(["sendMessage"]);
    expect(await stateOf(ALERT_GROUP)).toEqual([["closed", null]]);
    expect(recorded.logged).toContainEqual(
      expect.objectContaining({ msg: "a chat takes no progress", chat: ALERT_GROUP }),
    );
  });
});

describe("a progress message that is there", () => {
  beforeEach(async () => {
    await recorded.bot.progress.watch(session, HERE, 55, "something else");
  });

  it("is edited from the one that was there, and nothing new is sent where alerts go", async () => {
    await recorded.bot.progress.tick();
    expect(recorded.calls).toEqual([{
      method: "editMessageText",
      payload: expect.objectContaining({ chat_id: OPERATOR, message_id: 55 }),
    }]);
  });

  it.each([
    [{ error_code: 400, description: "Bad Request: message is not modified" }, "live"],
    [{ error_code: 400, description: "Bad Request: message to edit not found" }, "lost"],
    [{ error_code: 403, description: "Forbidden: bot was blocked by the user" }, "closed"],
    [{ error_code: 429, description: "Too Many Requests", parameters: { retry_after: 9 } }, "live"],
    [{ error_code: 502, description: "Bad Gateway" }, "live"],
  ])("is %j: then it is %s", async (refusal, state) => {
    fate = () => refusal;
    await dueTick();
    expect(await stateOf(OPERATOR)).toEqual([[state, 55]]);
  });

  it("is taken over by a newer one in the same chat", async () => {
    expect(await recorded.bot.progress.watch(session, HERE, 66, "progress")).toBe(55);
    await dueTick();
    expect(recorded.calls[0].payload).toMatchObject({ message_id: 66 });
  });

  it("is followed by the result, sent until Telegram is there to take it", async () => {
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 3));
    await fail(test.db, session.session_id, await claim(test.db, session.session_id, 1), "give_up");
    await finishIfDone(test.db, session.session_id, "test");
    fate = lose;
    for (let n = 0; n < 8; n++) await dueTick();
    expect(await stateOf(OPERATOR)).toEqual([["closing", 55]]);
    const before = methods().filter((method) => method === "sendMessage").length;
    expect(before).toBeGreaterThan(1);
    recorded.calls.length = 0;
    fate = () => null;
    for (let n = 0; n < 3; n++) await dueTick();
    const sent = recorded.calls.filter(({ method }) => method === "sendMessage");
    expect(sent).toHaveLength(1);
    expect(sent[0].payload).toMatchObject({
      chat_id: OPERATOR,
      reply_parameters: { message_id: 55, allow_sending_without_reply: true },
      text: expect.stringMatching(
        /^🟠 Session 1 ended, not complete[\s\S]*Analysed {2}3 of 4[\s\S]*Missing: 1 article/,
      ),
    });
    // With sound: an edit makes none.
    expect(sent[0].payload.disable_notification).toBeUndefined();
    expect(await stateOf(OPERATOR)).toEqual([["closed", 55]]);
  });

  it("is followed by the result once, when only the answer to it got lost", async () => {
    await cancelSession(test.db, session.session_id, "test");
    fate = ({ method }) => method === "sendMessage" ? lose() : null;
    for (let n = 0; n < 4; n++) await dueTick();
    expect(methods().filter((method) => method === "sendMessage")).toHaveLength(1);
    expect(await stateOf(OPERATOR)).toEqual([["closed", 55]]);
  });

  it("goes on when the session was reopened before its result could be sent", async () => {
    await fail(test.db, session.session_id, await claim(test.db, session.session_id, 4), "give_up");
    await finishIfDone(test.db, session.session_id, "test");
    fate = ({ method }) => method === "editMessageText" ? null : lose();
    await dueTick();
    expect(await stateOf(OPERATOR)).toEqual([["closing", 55]]);
    await test.db.query("UPDATE batch_processing_sessions SET status = 'PROCESSING', finished_at = NULL");
    await dueTick();
    expect(await stateOf(OPERATOR)).toEqual([["live", 55]]);
  });
});

it("rows of another bot are not touched", async () => {
  await recorded.bot.progress.watch(session, HERE, 55, "something else");
  await test.db.query("UPDATE telegram_progress SET bot_id = 9");
  await due();
  await recorded.bot.progress.tick();
  expect(recorded.calls.every(({ payload }) => payload.chat_id === ALERT_GROUP)).toBe(true);
});

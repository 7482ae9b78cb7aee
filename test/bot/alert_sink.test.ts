import { HttpError } from "grammy";
import { beforeEach, describe, expect, it } from "vitest";
import { raiseAlert, resolveAlerts } from "../../lib/alerts/raise.ts";
import { listOpenAlerts, listRecentAlerts } from "../../lib/alerts/read_alerts.ts";
import type { RuleName } from "../../lib/alerts/rules.ts";
import type { AlertSink, SendResult } from "../../lib/alerts/sinks/port.ts";
import type { Alert } from "../../lib/alerts/types.ts";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import { finishIfDone } from "../../lib/batches/change_session.ts";
import type { Session } from "../../lib/batches/types.ts";
import { readConfig } from "../../lib/config.ts";
import { createDesk, type Desk } from "../../lib/desk.ts";
import { addWork, analyse, claim } from "../batches/work_session.ts";
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
const signal = new AbortController().signal;

let desk: Desk;
let fate: (call: RecordedCall) => ApiRefusal | null | Promise<null>;
let recorded: RecordedBot;
let sink: AlertSink;
let session: Session;

beforeEach(async () => {
  const config = readConfig({});
  desk = createDesk({ db: test.db, config, analysts: createAnalysts(config) });
  fate = () => null;
  recorded = makeRecordedBot({ desk, db: test.db, fate: (call) => fate(call) });
  [sink] = recorded.bot.sinks;
  session = await addWork(test.db, 2);
});

async function raise(rule: RuleName, text: string, about: Session | null = session): Promise<Alert> {
  await raiseAlert(test.db, { rule, text, sessionId: about?.session_id });
  const [newest] = await listRecentAlerts(test.db, 1);
  return newest;
}

async function tell(alert: Alert): Promise<SendResult> {
  return await sink.send({ alert, notice: "raised" }, signal);
}

async function resolve(rule: RuleName): Promise<Alert> {
  const [over] = await resolveAlerts(test.db, { rules: [rule] }, { resolution: "it passed", tell: true });
  return over;
}

const sent = () =>
  recorded.calls.filter(({ method }) => method === "sendMessage").map(({ payload }) => payload);
const edits = () =>
  recorded.calls.filter(({ method }) => method === "editMessageText").map(({ payload }) => payload);
const labels = (payload: Record<string, unknown>) =>
  ((payload.reply_markup as { inline_keyboard?: { text: string }[][] })?.inline_keyboard ?? []).flat()
    .map(({ text }) => text);

describe("an alert", () => {
  it("is named after its chat and topic, and told there, loud where it is about money or trouble", async () => {
    expect(sink.name).toBe(`telegram:${ALERT_GROUP}:7`);
    expect(await tell(await raise("budget_critical", "Session 1 has spent 83 %"))).toEqual({ ok: true });
    expect(await tell(await raise("scheduled_session", "Session 1 was started", null))).toEqual({ ok: true });
    const [loud, silent] = sent();
    expect(loud).toMatchObject({ chat_id: ALERT_GROUP, message_thread_id: 7, disable_notification: false });
    expect(loud.text).toMatch(/^🔴 Budget critical · session 1\nSession 1 has spent 83 %/);
    expect(labels(loud)).toEqual(["Pause", "Budget +50 %", "Seen", "Mute 1 h", "until morning"]);
    expect(silent.disable_notification).toBe(true);
  });

  it("is told once, also when the outbox did not hear that it was", async () => {
    const alert = await raise("stalled", "no progress");
    await tell(alert);
    await tell(alert);
    expect(sent()).toHaveLength(1);
  });

  it("that comes close behind another of its session shares that one's message, unless it is louder", async () => {
    await tell(await raise("failing", "ten failures in a row"));
    await tell(await raise("failure_rate", "half of them failed"));
    expect(sent()).toHaveLength(1);
    expect(edits()[0].text).toMatch(/Too many failures in a row[\s\S]*Many failures/);
    await tell(await raise("feed_failing", "a feed fails", null));
    expect(sent()).toHaveLength(2);
    // Trouble of the desk, and louder than the feed: it must ring.
    await tell(await raise("queue_not_moving", "nothing moves", null));
    expect(sent()).toHaveLength(3);
    expect(sent()[2].disable_notification).toBe(false);
  });

  it("about money, or critical, never shares a message: an edit makes no sound", async () => {
    await tell(await raise("failing", "ten failures in a row"));
    await tell(await raise("budget_critical", "83 %"));
    await tell(await raise("budget_projection", "does not fit"));
    await tell(await raise("unknown_outcomes", "two calls"));
    expect(edits()).toEqual([]);
    expect(sent().map(({ disable_notification }) => disable_notification)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it("does not share a message that is old, full or gone", async () => {
    await tell(await raise("failing", "one"));
    fate = ({ method }) =>
      method === "editMessageText"
        ? { error_code: 400, description: "Bad Request: message to edit not found" }
        : null;
    await tell(await raise("failure_rate", "two"));
    expect(sent()).toHaveLength(2);
    fate = () => null;
    await test.db.query("UPDATE telegram_notices SET sent_at = now() - interval '3 minutes'");
    await tell(await raise("ungrounded_evidence", "three"));
    expect(sent()).toHaveLength(3);
  });

  it("that is over is told without sound, as an answer to the message that shows it is over too", async () => {
    const alert = await raise("stalled", "no progress for 30 minutes");
    await tell(alert);
    expect(await sink.send({ alert: await resolve("stalled"), notice: "resolved" }, signal)).toEqual({
      ok: true,
    });
    expect(sent()[1]).toMatchObject({
      text: expect.stringMatching(/^🟢 Over: Stalled · session 1\nIt passed\. It lasted under 1s\./),
      disable_notification: true,
      reply_parameters: { message_id: 1, allow_sending_without_reply: true },
    });
    expect(edits()[0]).toMatchObject({ message_id: 1 });
    expect(edits()[0].text).toMatch(/^🟢 Stalled[\s\S]*Over since/);
    expect(labels(edits()[0])).toEqual([]);
  });

  it("of a session's end brings the result, with what helps", async () => {
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 2));
    await finishIfDone(test.db, session.session_id, "test");
    const [alert] = (await listRecentAlerts(test.db, 5)).filter(({ rule }) => rule === "session_ended");
    await tell(alert);
    expect(sent()[0]).toMatchObject({
      text: expect.stringMatching(/^✅ Session 1 is complete[\s\S]*Analysed {2}2 of 2/),
      disable_notification: true,
    });
  });
});

describe("a chat that does not take an alert", () => {
  it.each<[ApiRefusal, SendResult]>([
    [{ error_code: 429, description: "Too Many Requests", parameters: { retry_after: 70 } }, {
      ok: false,
      refused: false,
      retryAfterMs: 70_000,
      error: "429 Too Many Requests",
    }],
    [{ error_code: 403, description: "Forbidden: bot was kicked" }, {
      ok: false,
      refused: false,
      error: "403 Forbidden: bot was kicked",
    }],
    [{ error_code: 401, description: "Unauthorized" }, {
      ok: false,
      refused: false,
      error: "401 Unauthorized",
    }],
    [{ error_code: 400, description: "Bad Request: chat not found" }, {
      ok: false,
      refused: false,
      error: "400 Bad Request: chat not found",
    }],
    [{ error_code: 500, description: "Internal" }, { ok: false, refused: false, error: "500 Internal" }],
    [{ error_code: 400, description: "Bad Request: can't parse entities" }, {
      ok: false,
      refused: true,
      error: "400 Bad Request: can't parse entities",
    }],
  ])("with %j waits, unless it is this one message", async (refusal, wanted) => {
    fate = () => refusal;
    expect(await tell(await raise("stalled", "x"))).toEqual(wanted);
    const { rowCount } = await test.db.query("SELECT FROM telegram_notices WHERE told");
    expect(rowCount).toBe(0);
  });

  it("because its topic is gone gets it without the topic", async () => {
    fate = ({ payload }) =>
      payload.message_thread_id === 7
        ? { error_code: 400, description: "Bad Request: message thread not found" }
        : null;
    expect(await tell(await raise("stalled", "x"))).toEqual({ ok: true });
    expect(sent().at(-1)).toMatchObject({ chat_id: ALERT_GROUP, message_thread_id: undefined });
    expect(recorded.logged).toContainEqual(expect.objectContaining({ level: "warn", sink: sink.name }));
  });

  it("because it has become a supergroup gets it under the new id, and the log says which", async () => {
    fate = ({ payload }) =>
      payload.chat_id === ALERT_GROUP
        ? {
          error_code: 400,
          description: "Bad Request: group chat was upgraded",
          parameters: { migrate_to_chat_id: -777 },
        }
        : null;
    expect(await tell(await raise("stalled", "x"))).toEqual({ ok: true });
    expect(sent().at(-1)).toMatchObject({ chat_id: -777 });
    expect(recorded.logged).toContainEqual(expect.objectContaining({ level: "error", moved_to: -777 }));
  });
});

describe("an alert whose fate nobody knows", () => {
  /** The answer never comes; whether the call was carried out is not known. */
  const lose = (method: string, times: number) => {
    let left = times;
    fate = (call) => {
      if (call.method !== method || left === 0) return null;
      left--;
      throw new HttpError("lost", new Error("other side closed"));
    };
  };

  it.each<RuleName>(["budget_warning", "unknown_outcomes", "stalled"])(
    "is told again and says so, when it must ring (%s)",
    async (rule) => {
      const alert = await raise(rule, "look at this");
      lose("sendMessage", 1);
      expect(await tell(alert)).toMatchObject({ ok: false, refused: false });
      expect(await tell(alert)).toEqual({ ok: true });
      expect(await tell(alert)).toEqual({ ok: true });
      const [first, second] = sent();
      expect(sent()).toHaveLength(2);
      expect(first.text).not.toMatch(/repeat/);
      expect(second.text).toMatch(
        /^(🔴|🟠) [\s\S]*look at this[\s\S]*May be a repeat: whether it was told before/,
      );
    },
  );

  it("is told once when it need not ring, if Telegram is there", async () => {
    const alert = await raise("failure_rate", "many fail");
    lose("sendMessage", 1);
    expect(await tell(alert)).toEqual({ ok: true });
    expect(sent()).toHaveLength(1);
  });

  it("because the process died over it says that it may be a repeat, too", async () => {
    const alert = await raise("budget_critical", "83 %");
    const died = Promise.withResolvers<null>();
    fate = () => died.promise;
    const dying = tell(alert);
    await expect.poll(() => sent().length).toBe(1);
    fate = () => null;
    await tell(alert);
    expect(sent()[1].text).toMatch(/May be a repeat/);
    died.resolve(null);
    await dying;
  });

  it("is no repeat after a refusal: that one was surely not told", async () => {
    const alert = await raise("budget_critical", "83 %");
    fate = () => ({ error_code: 429, description: "Too Many Requests", parameters: { retry_after: 1 } });
    await tell(alert);
    fate = () => null;
    await tell(alert);
    expect(sent()[1].text).not.toMatch(/repeat/);
  });

  it("because the answer to an edit got lost is edited in again, and never sent beside it", async () => {
    await tell(await raise("failing", "one"));
    const second = await raise("failure_rate", "two");
    lose("editMessageText", 3);
    expect(await tell(second)).toMatchObject({ ok: false, refused: false });
    // By now the message is too old for others to be added.
    await test.db.query("UPDATE telegram_notices SET sent_at = now() - interval '3 minutes'");
    expect(await tell(second)).toEqual({ ok: true });
    expect(sent()).toHaveLength(1);
    expect(edits()).toHaveLength(4);
    expect(new Set(edits().map(({ message_id }) => message_id)).size).toBe(1);
  });

  it("of an end: the message that told of the beginning is brought up to date before the end is told", async () => {
    await tell(await raise("stalled", "no progress"));
    lose("editMessageText", 3);
    const notice = { alert: await resolve("stalled"), notice: "resolved" as const };
    expect(await sink.send(notice, signal)).toMatchObject({ ok: false, refused: false });
    expect(sent()).toHaveLength(1);
    expect(await sink.send(notice, signal)).toEqual({ ok: true });
    expect(edits().at(-1)!.text).toMatch(/Over since/);
    expect(sent()[1].text).toMatch(/^🟢 Over: Stalled/);
  });
});

describe("buttons under an alert", () => {
  const press = (data: string) =>
    recorded.handle(pressUpdate(data, { from: OPERATOR, chat: ALERT_GROUP, messageId: 1 }));

  it("mark every alert of their message as seen, by whom", async () => {
    await tell(await raise("failing", "one"));
    await tell(await raise("failure_rate", "two"));
    await press("1:ack");
    const open = await listOpenAlerts(test.db);
    expect(open.map(({ acknowledged_by }) => acknowledged_by)).toEqual(
      Array(2).fill(`operator:telegram:${OPERATOR}`),
    );
    expect(edits().at(-1)?.text).toMatch(/seen by Telegram 1001[\s\S]*seen by Telegram 1001/);
    expect(labels(edits().at(-1)!)).not.toContain("Seen");
  });

  it("mute only what their message is about, and say so", async () => {
    await tell(await raise("failing", "one"));
    await press("1:mute:1h:here");
    const mutes = await desk.mutes();
    expect(mutes).toEqual([
      expect.objectContaining({ rule: "failing", number: 1, muted_by: `operator:telegram:${OPERATOR}` }),
    ]);
    const left = mutes[0].until.getTime() - Date.now();
    expect(left).toBeGreaterThan(3_500_000);
    expect(left).toBeLessThan(3_700_000);
    expect(recorded.said().at(-1)).toMatch(/^Muted until .*: Too many failures in a row of session 1$/);
  });

  it("mute everything from the list, and end it again", async () => {
    await press("1:mute:morning");
    expect(await desk.mutes()).toEqual([expect.objectContaining({ rule: null, number: null })]);
    await press("1:unmute");
    expect(await desk.mutes()).toEqual([]);
  });

  it("of alerts that are not there any more do nothing and are answered", async () => {
    await press("1:ack");
    await press("1:mute:4h:here");
    await press("1:ack:999");
    expect(await desk.mutes()).toEqual([]);
    expect(recorded.said()).toEqual([
      "These alerts are gone.",
      "These alerts are gone.",
      expect.stringMatching(/^There is no alert 999/),
    ]);
  });
});

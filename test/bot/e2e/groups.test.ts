import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addArticles } from "../../helpers/articles.ts";
import { useTestDatabase } from "../../helpers/database.ts";
import { ALERT_GROUP, type BotBench, openBotBench } from "./bot_bench.ts";

const test = useTestDatabase();
let bench: BotBench;
const TOPIC = 7;

async function open(env: Record<string, string> = {}): Promise<void> {
  bench = await openBotBench(test.db, { env });
  await addArticles(test.db, 6);
}
afterEach(() => bench.close());

describe("in a group", () => {
  beforeEach(() => open());

  it("the bot answers in the topic that it was asked in, and only to what is for it", async () => {
    const { ann, group, telegram } = bench;
    const topic = group.topic(TOPIC);
    const answer = await ann.asks("/status", { in: topic });
    expect(answer.extra.thread).toBe(TOPIC);
    expect(answer.extra.replyTo?.text).toBe("/status");
    const question = await ann.asks("/start_batch@nightdesk_bot 2", { in: topic });
    await ann.presses("Start", question);
    await bench.untilEnded(1);
    const result = await topic.message(/Session 1 is complete/, question);
    expect(result.extra.thread).toBe(TOPIC);

    const before = group.fromBot.length;
    ann.says("good morning", { in: group });
    ann.says("/status@other_bot", { in: group });
    ann.says("/nothing_like_it", { in: group });
    ann.forwards("/cancel 1", bench.bob.info, { in: group });
    ann.says("thank you", { in: group, replyTo: result });
    await telegram.settled();
    // An update that is handled after the others shows that those are done with.
    await ann.asks("/whoami", { in: group, expecting: /operator/ });
    expect(group.fromBot.length).toBe(before + 1);
  });

  it("what was edited is not carried out again", async () => {
    const { ann, telegram } = bench;
    const said = ann.says("/whoami");
    await ann.chat.message("operator", said);
    ann.edits(said, "/start_batch 5");
    await telegram.settled();
    await ann.asks("/version");
    expect(ann.chat.fromBot).toHaveLength(2);
  });

  it(
    "edits stay within 20 a minute however many buttons are pressed, and every press is answered",
    async () => {
      const { ann, bob, group, gemini, telegram } = bench;
      gemini.let(2);
      const progress = await ann.asks("/start_batch 6", { in: group });
      await ann.presses("Start", progress);
      const health = await bob.asks("/health", { in: group });
      const presses = Array.from({ length: 40 }, (_, n) => {
        const user = n % 2 === 0 ? ann : bob;
        return n % 4 < 2
          ? user.taps("Refresh", health)
          : user.sendsPress(`1:${n % 8 < 4 ? "pause" : "resume"}:1`, progress);
      });
      await telegram.until(
        () => presses.every((press) => telegram.answersTo(press).length === 1) || null,
        "an answer to every press",
        60_000,
      );
      await bench.desk.resume(1, "test").catch(() => {});
      gemini.open();
      await bench.untilEnded(1);
      const edits = telegram.callsOf("editMessageText").filter(({ params }) =>
        params.whole("chat_id") === group.id
      );
      expect(edits.filter(({ outcome }) => outcome === 200).length).toBeGreaterThan(3);
      const busiest = Math.max(
        ...edits.map(({ at }) => edits.filter((other) => other.at >= at && other.at < at + 60_000).length),
      );
      expect(busiest).toBeLessThanOrEqual(20);
      expect(edits.filter(({ outcome }) => outcome === 429)).toEqual([]);
    },
    120_000,
  );
});

describe("alerts go", () => {
  it("to the topic that is set, and to the group itself when the topic is gone", async () => {
    await open({ TELEGRAM_ALERT_CHATS: `${ALERT_GROUP}:${TOPIC}` });
    const { alertGroup, desk } = bench;
    const topic = alertGroup.topic(TOPIC);
    await desk.start({ limit: 2 }, "test");
    const told = await topic.message(/Session 1 is complete/);
    expect(told.extra.thread).toBe(TOPIC);
    alertGroup.state.topics = new Set();
    await desk.start({ limit: 2 }, "test");
    const second = await alertGroup.message(/Session 2 is complete/);
    expect(second.extra.thread).toBeUndefined();
  });

  it("to the new id of a group that became a supergroup, with a word in the log", async () => {
    await open({ TELEGRAM_ALERT_CHATS: "-4200" });
    const { telegram, desk } = bench;
    const old = telegram.group(-4200, { type: "group", title: "Old" });
    const moved = telegram.group(-1_001_000_004_200, { title: "New" });
    old.migratesTo(moved);
    await desk.start({ limit: 2 }, "test");
    await moved.message(/Session 1 is complete/);
    expect(bench.logged.filter(({ msg }) => /new id/.test(msg))).toMatchObject([{ moved_to: moved.id }]);
  });

  it("nowhere while the bot is locked out of a chat, and there when it is let in again", async () => {
    await open();
    const { alertGroup, desk, telegram } = bench;
    alertGroup.kicks();
    await desk.start({ limit: 2 }, "test");
    await telegram.until(
      () => telegram.callsOf("sendMessage").some(({ outcome }) => outcome === 403) || null,
      "a message that is refused",
    );
    expect(alertGroup.fromBot).toEqual([]);
    alertGroup.admits();
    await test.db.query("UPDATE alert_sinks SET not_before = now()");
    await alertGroup.message(/Session 1 is complete/);
  });
});

it("a session that nobody started in a chat is shown where alerts go", async () => {
  await open();
  const { alertGroup, desk, gemini } = bench;
  gemini.let(1);
  await desk.start({ limit: 4 }, "cron:start_scheduled_session");
  const progress = await alertGroup.message(/Session 1 is at work/);
  gemini.open();
  await alertGroup.shows(progress, /Session 1 is complete/);
  await alertGroup.message(/4 of 4/, progress);
});

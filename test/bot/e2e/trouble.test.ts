import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StoredMessage } from "../../fakes/telegram.ts";
import { raiseAlert } from "../../../lib/alerts/raise.ts";
import { addArticles } from "../../helpers/articles.ts";
import { useTestDatabase } from "../../helpers/database.ts";
import { type BotBench, openBotBench, untilQuiet } from "./bot_bench.ts";

const test = useTestDatabase();
let bench: BotBench;
afterEach(() => bench.close());

async function open(env: Record<string, string> = {}): Promise<void> {
  bench = await openBotBench(test.db, { env });
  await addArticles(test.db, 6);
}

/** What each message said when it was sent. */
function textsOf(messages: readonly StoredMessage[]): string[] {
  return messages.map(({ versions }) => versions[0]!.text.split("\n")[0]!);
}

/**
 * What alerts say, now and in every version before: one that was edited in and then sent again stands twice, too. Each
 * counts once a message.
 */
function headingsOf(messages: readonly StoredMessage[]): string[] {
  return messages.flatMap(({ versions }) => [
    ...new Set(versions.flatMap(({ text }) => text.split("\n\n").map((part) => part.split("\n")[0]!))),
  ]);
}

const errors = () => bench.logged.filter(({ level }) => level === "error");

describe("when Telegram asks to wait", () => {
  beforeEach(() => open());

  it("an answer waits as long as it is told, and is sent once", async () => {
    const fault = bench.telegram.fail({ method: "sendMessage" }, {
      kind: "error",
      code: 429,
      description: "Too Many Requests: retry after 1",
      parameters: { retry_after: 1 },
    });
    const said = bench.ann.says("/whoami");
    const answer = await bench.ann.chat.message("operator", said);
    const [refused, sent] = bench.telegram.callsOf("sendMessage");
    expect(fault.struck).toBe(1);
    expect(sent!.at - refused!.at).toBeGreaterThanOrEqual(990);
    expect(bench.ann.chat.fromBot).toEqual([answer]);
  });

  it("an edit is made later, with newer figures", async () => {
    const { ann, gemini, telegram } = bench;
    gemini.let(0);
    const progress = await ann.asks("/start_batch 6");
    await ann.presses("Start", progress);
    await ann.chat.shows(progress, /at work/);
    const fault = telegram.fail({ method: "editMessageText" }, {
      kind: "error",
      code: 429,
      description: "Too Many Requests: retry after 2",
      parameters: { retry_after: 2 },
    });
    // Only now is there something new to tell.
    gemini.let(1);
    await telegram.until(() => fault.struck || null, "an edit that is refused", 15_000);
    gemini.open();
    await ann.chat.shows(progress, /complete[\s\S]*6 of 6/);
    const edits = telegram.callsOf("editMessageText");
    const refused = edits.findIndex(({ outcome }) => outcome === 429);
    expect(edits[refused + 1]!.at - edits[refused]!.at).toBeGreaterThanOrEqual(1_990);
    expect(errors()).toEqual([]);
  });
});

describe("when Telegram refuses", () => {
  beforeEach(() => open());

  it("a person who blocks the bot stops nothing, and finds everything again afterwards", async () => {
    const { ann, bob, gemini, telegram, desk } = bench;
    gemini.let(1);
    const progress = await ann.asks("/start_batch 6");
    await ann.presses("Start", progress);
    await ann.chat.shows(progress, /at work/);
    ann.blocks();
    gemini.open();
    await bench.untilEnded(1);
    await telegram.until(
      () => telegram.callsOf("editMessageText").some(({ outcome }) => outcome === 403) || null,
      "an edit that is refused",
      15_000,
    );
    expect((await bob.asks("/status")).text).toMatch(/Session 1 is complete/);
    const refused = telegram.calls.filter(({ outcome }) => outcome === 403).length;
    ann.unblocks();
    expect((await ann.asks("/status")).text).toMatch(/Session 1 is complete/);
    // It gave up at once instead of knocking again and again.
    expect(refused).toBeLessThanOrEqual(2);
    expect((await desk.session(1)).session.status).toBe("COMPLETED");
    expect(errors()).toEqual([]);
  });

  it("an edit that changes nothing is no error, and the press is answered", async () => {
    const { ann } = bench;
    const alerts = await ann.asks("/alerts");
    const mute = await ann.presses("Mute all 1 h", alerts);
    expect(mute.text).toMatch(/muted until/);
    await ann.chat.shows(alerts, ({ buttons }) => buttons.flat().includes("End all mutes"));
    bench.telegram.fail({ method: "editMessageText" }, {
      kind: "error",
      code: 400,
      description:
        "Bad Request: message is not modified: specified new message content and reply markup are exactly " +
        "the same as a current content and reply markup of the message",
    });
    expect(await ann.presses("End all mutes", alerts)).toMatchObject({
      text: expect.stringMatching(/1 mute ended/),
    });
    await bench.telegram.settled();
    expect(ann.chat.fromBot).toEqual([alerts]);
    expect(errors()).toEqual([]);
  });

  it("a progress message that somebody deleted is not missed; /status shows another one, which is then edited", async () => {
    const { ann, gemini, telegram } = bench;
    gemini.let(0);
    const progress = await ann.asks("/start_batch 6");
    await ann.presses("Start", progress);
    await ann.chat.shows(progress, /at work/);
    progress.deleted = true;
    // Only now is there something new to tell.
    gemini.let(1);
    await telegram.until(
      () => telegram.callsOf("editMessageText").some(({ outcome }) => outcome === 400) || null,
      "an edit that is refused",
      15_000,
    );
    const status = await ann.asks("/status");
    expect(status.text).toMatch(/at work/);
    gemini.open();
    await ann.chat.shows(status, /Session 1 is complete/);
    expect(errors()).toEqual([]);
  });
});

describe("when Telegram refuses the token that it knew", () => {
  it("the bot goes on asking, an alert says so, and everything is as before once it is taken again", async () => {
    await open();
    const { ann, telegram, desk } = bench;
    await ann.asks("/whoami");
    const refused = telegram.fail({ method: "getUpdates", times: 4 }, {
      kind: "error",
      code: 401,
      description: "Unauthorized",
    });
    // Its answer ends the poll that is waiting.
    await ann.asks("/version");
    await expect.poll(async () => (await desk.openAlerts()).map(({ rule }) => rule), { timeout: 60_000 })
      .toContain("bot_refused");
    await telegram.until(() => refused.struck === 4 || null, "the last refusal", 20_000);
    await ann.asks("/whoami");
    expect(await desk.openAlerts()).toEqual([]);
  });
});

describe("when an answer of Telegram gets lost after it took the call", () => {
  it.each(["reset", "close"] as const)("by %s, no message stands twice", async (by) => {
    // Alerts and results go to the group that is told of them, questions and progress to the private chat.
    await open({ BATCH_BUDGET_USD: "0.004" });
    const { ann, telegram, alertGroup } = bench;
    // Warm connections are the ones that break: FACTS says what client layers do then.
    await ann.asks("/whoami");
    const lost = telegram.fail({ method: "sendMessage", times: 1 }, { kind: "lost_answer", by });
    ann.says("/version");
    await ann.chat.message(/^Nightdesk \d/);

    // The second one is added to the first one's message.
    await raiseAlert(test.db, { rule: "books_repaired", text: "one sum" });
    const first = await alertGroup.message(/one sum/);
    const edited = telegram.fail({ method: "editMessageText", chat: alertGroup.id, times: 2 }, {
      kind: "lost_answer",
      by,
    });
    await raiseAlert(test.db, { rule: "research_off", text: "no searches" });
    await alertGroup.shows(first, /no searches/);
    await telegram.until(() => edited.struck === 2 || null, "the edit to be made again");

    telegram.fail({ method: "sendMessage", chat: ann.id }, { kind: "lost_answer", by });
    ann.says("/start_batch 6 0.02");
    const question = await ann.chat.message(/^Read 6 articles/);
    telegram.fail({ method: "answerCallbackQuery" }, { kind: "lost_answer", by });
    telegram.fail({ method: "editMessageText" }, { kind: "lost_answer", by });
    telegram.fail({ method: "sendMessage", chat: alertGroup.id, times: 2 }, { kind: "lost_answer", by });
    telegram.fail({ method: "sendMessage", chat: ann.id, text: /complete|ended/ }, {
      kind: "lost_answer",
      by,
    });
    await ann.presses("Start", question);
    await ann.chat.shows(question, /Session 1/);
    await bench.untilEnded(1);
    await alertGroup.message(/Session 1 (is complete|ended)/);
    await ann.chat.message(/Session 1 (is complete|ended)/, question);
    telegram.fail({ method: "sendPhoto" }, { kind: "lost_answer", by });
    ann.says("/cost");
    await ann.chat.message((message) => message.photo !== undefined);
    // Whoever would send again has had the time to: a backoff and a look at what is due.
    await untilQuiet(bench);

    expect(lost.struck).toBe(1);
    for (const chat of [ann.chat, alertGroup]) {
      const texts = textsOf(chat.fromBot);
      expect(texts.length).toBe(new Set(texts).size);
    }
    const headings = headingsOf(alertGroup.fromBot);
    expect(headings.toSorted()).toEqual([...new Set(headings)].toSorted());
    expect(edited.struck).toBe(2);
    expect(await bench.desk.sessions(5)).toHaveLength(1);
    expect(errors()).toEqual([]);
  });

  it("a lost answer to the poll confirms nothing: no command is lost, and none is carried out twice", async () => {
    await open();
    const { ann, telegram } = bench;
    const lost = telegram.fail({ method: "getUpdates", times: 2 }, { kind: "lost_answer", by: "reset" });
    ann.says("/whoami");
    ann.says("/version");
    await ann.chat.message(/^Nightdesk \d/);
    await telegram.settled();
    expect(lost.struck).toBe(2);
    expect(ann.chat.fromBot).toHaveLength(2);
  });
});

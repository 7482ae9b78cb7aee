import { beforeEach, describe, expect, it } from "vitest";
import { raiseAlert } from "../../lib/alerts/raise.ts";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import { exhaustBudget, finishIfDone } from "../../lib/batches/change_session.ts";
import type { Session } from "../../lib/batches/types.ts";
import { readConfig } from "../../lib/config.ts";
import { createDesk, type Desk } from "../../lib/desk.ts";
import { micros } from "../../lib/money.ts";
import { addWork, analyse, claim, fail } from "../batches/work_session.ts";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import {
  makeRecordedBot,
  OPERATOR,
  pressUpdate,
  type RecordedBot,
  type Said,
  textUpdate,
} from "./recorded_bot.ts";

const test = useTestDatabase();
const OTHER = 1002;
const ENV = { TELEGRAM_OPERATORS: `${OPERATOR},${OTHER}` };

let desk: Desk;
let recorded: RecordedBot;
let now: Date;

beforeEach(() => {
  const config = readConfig({});
  desk = createDesk({ db: test.db, config, analysts: createAnalysts(config) });
  now = new Date();
  recorded = makeRecordedBot({ desk, db: test.db, env: ENV, now: () => now });
});

type Button = { text: string; callback_data: string };

/** What the bot wrote last, with its buttons. */
function last() {
  const at = recorded.calls.findLastIndex(({ method }) => method === "sendMessage");
  const { payload } = recorded.calls[at];
  const markup = payload.reply_markup as { inline_keyboard: Button[][] } | undefined;
  // The recorded Bot API numbers messages by calls.
  return { text: String(payload.text), messageId: at + 1, buttons: markup?.inline_keyboard.flat() ?? [] };
}

async function ask(text: string, said: Partial<Said> = {}) {
  await recorded.handle(textUpdate(text, { from: OPERATOR, ...said }));
  return last();
}

async function press(message: ReturnType<typeof last>, label: string, from = OPERATOR, chat = OPERATOR) {
  const button = message.buttons.find(({ text }) => text.includes(label));
  if (!button) throw new Error(`no button ${label}: ${JSON.stringify(message.buttons)}`);
  await recorded.handle(pressUpdate(button.callback_data, { from, chat, messageId: message.messageId }));
  return toasts().at(-1);
}

const toasts = () =>
  recorded.calls.filter(({ method }) => method === "answerCallbackQuery").map(({ payload }) => payload.text);
const edited = () =>
  recorded.calls.filter(({ method }) => method === "editMessageText").map(({ payload }) =>
    String(payload.text)
  );

async function endShort(): Promise<Session> {
  const session = await addWork(test.db, 4, 100_000);
  await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 1));
  await exhaustBudget(test.db, session.session_id, "budget", "test", () => Promise.resolve(true));
  return (await desk.progress(session.number)).session;
}

describe("starting a batch", () => {
  beforeEach(async () => {
    await addArticles(test.db, 6);
  });

  it("takes a question and one yes, and starts what was asked, whatever the settings say by then", async () => {
    const question = await ask("/start_batch 4 0.05");
    expect(question.text).toMatch(/^Read 4 articles\?/);
    expect(await desk.sessions(5)).toEqual([]);
    expect(await press(question, "Start")).toBe("Session 1 has started.");
    const [session] = await desk.sessions(5);
    expect(session).toMatchObject({ total: 4, budget: 50_000, started_by: `operator:telegram:${OPERATOR}` });
    expect(await press(question, "Start")).toBe("Answered already. Session 1 has started.");
    expect(await press(question, "Cancel")).toBe("Answered already. Session 1 has started.");
    expect(await desk.sessions(5)).toHaveLength(1);
  });

  it("shows what it could cost at worst, of its budget and of the day's, and from when its price is", async () => {
    await desk.changeDayBudget(micros(1_000_000), "test");
    now = new Date("2027-02-03T04:05:06Z");
    const { text } = await ask("/estimate 4 0.05");
    expect(text).toMatch(/Worst +\$0\.\d{4}, \d+ % of budget/);
    // The budget is a hard cap: 5 % of the day's at most, whatever the worst case of the articles.
    expect(text).toMatch(/\d % with this,\n +[1-5] % at worst/);
    expect(text).toContain("list of 23 Sept 2026");
  });

  it("is told by whom it was declined, their name cut between characters", async () => {
    const question = await ask("/start_batch");
    const [{ callback_data }] = question.buttons.filter(({ text }) => text === "Cancel");
    const update = pressUpdate(callback_data, { from: OPERATOR, messageId: question.messageId });
    update.callback_query!.from.first_name = "x".repeat(38) + "👩‍🚀👩‍🚀";
    await recorded.handle(update);
    expect(edited().at(-1)).toMatch(/^Declined by x{38}👩‍🚀👩‍🚀 at /);
  });

  it("can be declined, once and for all", async () => {
    const question = await ask("/start_batch");
    expect(await press(question, "Cancel")).toBe("Nothing was done.");
    expect(edited().at(-1)).toMatch(/^Declined by P at \d\d:\d\d\. Nothing was done\.$/);
    expect(await press(question, "Start")).toBe("Declined already. Nothing was done.");
    expect(await desk.sessions(5)).toEqual([]);
  });

  it("is nobody else's to answer, also not another operator's in the same chat", async () => {
    const question = await ask("/start_batch", { chat: -100200 });
    expect(await press(question, "Start", OTHER, -100200)).toMatch(/^Somebody else asked this/);
    expect(await desk.sessions(5)).toEqual([]);
    await press(question, "Start", OPERATOR, -100200);
    expect(await desk.sessions(5)).toHaveLength(1);
  });

  it("is too late after ten minutes", async () => {
    const question = await ask("/start_batch");
    await test.db.query("UPDATE telegram_confirmations SET expires_at = now() - interval '1 s'");
    expect(await press(question, "Start")).toMatch(/^Too late/);
    expect(edited().at(-1)).toBe("Expired without an answer. Nothing was done.");
    expect(await desk.sessions(5)).toEqual([]);
  });

  it("that was cut off by a crash is done once by the next tap, and not by one that comes while it is under way", async () => {
    const question = await ask("/start_batch 2");
    await test.db.query("UPDATE telegram_confirmations SET used_at = now(), answer = 'yes'");
    expect(await press(question, "Start")).toMatch(/^This is being carried out/);
    expect(await desk.sessions(5)).toEqual([]);
    await test.db.query("UPDATE telegram_confirmations SET used_at = now() - interval '2 minutes'");
    expect(await press(question, "Start")).toBe("Session 1 has started.");

    // It had started, but the process died before it could say so: the same session, not a second one.
    await test.db.query("UPDATE telegram_confirmations SET outcome = NULL");
    expect(await press(question, "Start")).toBe("Session 1 has started.");
    expect(await desk.sessions(5)).toHaveLength(1);
  });

  it("is not offered while another session is at work, when nothing is ready, or when nothing fits", async () => {
    const poor = await ask("/start_batch 3 0.0001");
    expect(poor.text).toMatch(/Nothing to read[\s\S]*No ready article fits the budget/);
    expect(poor.buttons).toEqual([]);
    await desk.start({ limit: 6 }, "test");
    await addArticles(test.db, 1);
    const busy = await ask("/start_batch");
    expect(busy.text).toMatch(/Session 1 is at work, and one is at a time/);
    expect(busy.buttons).toEqual([]);
    await test.db.query("UPDATE articles SET status = 'ARCHIVED'");
    expect((await ask("/start_batch")).text).toMatch(/^Nothing to read/);
  });

  it("fails in words when the world has changed since it was asked", async () => {
    const question = await ask("/start_batch 2");
    await desk.start({ limit: 6 }, "somebody else");
    expect(await press(question, "Start")).toMatch(/^Cannot start a session: session 1 is PROCESSING/);
    expect(edited().at(-1)).toMatch(/^Not done\. Cannot start a session/);
  });

  it("is estimated without a question", async () => {
    const estimate = await ask("/estimate 3 0.02");
    expect(estimate.text).toMatch(/^Estimate for 3 articles[\s\S]*Budget +\$0\.0200/);
    expect(estimate.buttons).toEqual([]);
    expect((await test.db.query("SELECT FROM telegram_confirmations")).rowCount).toBe(0);
  });
});

describe("steering", () => {
  it("pauses and resumes at once, and cancels after a question", async () => {
    await addWork(test.db, 4);
    expect((await ask("/pause")).text).toBe("Session 1 is paused.");
    expect((await ask("/resume 1")).text).toMatch(/^▶️ Session 1 is at work/);
    const question = await ask("/cancel");
    expect(question.text).toMatch(/^Cancel session 1\?\n\n4 articles will be left for another session\./);
    expect((await desk.progress(1)).session.status).toBe("PROCESSING");
    expect(await press(question, "Cancel it")).toBe("Session 1 was cancelled: 0 of 4 analysed.");
    expect((await desk.progress(1)).session.status).toBe("CANCELLED");
    const trail = await desk.events(1, { withoutArticles: true, limit: 20 });
    expect(trail.filter(({ action }) => action === "session_paused" || action === "session_cancelled"))
      .toEqual(Array(2).fill(expect.objectContaining({ actor: `operator:telegram:${OPERATOR}` })));
  });

  it("does not resume by a press that Telegram takes no answer to any more", async () => {
    const session = await addWork(test.db, 2);
    await desk.pause(session.number, "test");
    const late = makeRecordedBot({
      desk,
      db: test.db,
      env: ENV,
      fate: ({ method }) =>
        method === "answerCallbackQuery"
          ? { error_code: 400, description: "Bad Request: query is too old and response timeout expired" }
          : null,
    });
    await late.handle(pressUpdate("1:resume:1", { from: OPERATOR }));
    expect(late.said().at(-1)).toMatch(/^This was pressed while I was away/);
    expect((await desk.progress(1)).session.status).toBe("PAUSED");
    await recorded.handle(pressUpdate("1:resume:1", { from: OPERATOR }));
    expect(toasts().at(-1)).toBe("Session 1 goes on.");
    expect((await desk.progress(1)).session.status).toBe("PROCESSING");
  });

  it("does not resume on a word from before the bot was away, and pauses on it all the same", async () => {
    await addWork(test.db, 2);
    const old = { message: { date: Math.floor(now.getTime() / 1_000) - 3 * 3_600 } };
    expect((await ask("/pause", old)).text).toBe("Session 1 is paused.");
    expect((await ask("/resume", old)).text).toMatch(/^This was sent 3h ago, while I was away/);
    expect((await desk.progress(1)).session.status).toBe("PAUSED");
  });

  it("says in one line what cannot be done", async () => {
    expect((await ask("/pause")).text).toBe("There is no session yet. Start one first");
    expect((await ask("/pause 99")).text).toMatch(/^There is no session 99/);
    expect((await ask("/pause x")).text).toMatch(/^Cannot read “x”.*Right: \/pause \[session\]/);
  });
});

describe("repairing", () => {
  it("recovers with the budget that should do, after a question, and once", async () => {
    const session = await endShort();
    expect(session).toMatchObject({ status: "PARTIAL", reason: "budget", skipped: 3 });
    const question = await ask("/recover");
    expect(question.text).toMatch(
      /^Recover session 1\?[\s\S]*Left out +3 articles[\s\S]*Budget +\$0\.1000 → \$0\.1100/,
    );
    expect(await press(question, "Recover")).toMatch(/^Session 1: 3 articles are at work again\./);
    expect((await desk.progress(1)).session).toMatchObject({ status: "PROCESSING", budget: 110_000 });
    expect(await press(question, "Recover")).toMatch(/^Answered already\./);
  });

  it("takes a budget by word, and says what it would not help", async () => {
    await endShort();
    expect((await ask("/recover 1 0.50")).text).toMatch(/Budget +\$0\.1000 → \$0\.5000/);
    const done = await addWork(test.db, 1);
    await analyse(test.db, done.session_id, await claim(test.db, done.session_id, 1));
    await finishIfDone(test.db, done.session_id, "test");
    expect((await ask("/recover 2")).text).toBe("Session 2 is complete: there is nothing to recover.");
    const hopeless = await addWork(test.db, 1);
    await fail(test.db, hopeless.session_id, await claim(test.db, hopeless.session_id, 1), "give_up");
    await finishIfDone(test.db, hopeless.session_id, "test");
    expect((await ask("/recover 3")).text).toBe(
      "Session 3 lacks 1 article, but trying again cannot change that.",
    );
  });

  it.each(["/recover 1 0.11", "/recover all"])(
    "%s is told as it was done, also when the process died before it could say so",
    async (command) => {
      await endShort();
      // What the larger budget of "all" is: it recovers within what each session has.
      await test.db.query("UPDATE batch_processing_sessions SET budget = 110000");
      const question = await ask(command);
      const said = await press(question, "Recover");
      expect(said).toMatch(/^Session 1: 3 articles are at work again/);
      await test.db.query(
        "UPDATE telegram_confirmations SET outcome = NULL, used_at = now() - interval '2 minutes'",
      );
      expect(await press(question, "Recover")).toBe(said);
      const { rowCount } = await test.db.query(
        "SELECT FROM session_events WHERE action = 'session_recovered'",
      );
      expect(rowCount).toBe(1);
    },
  );

  it("recovers all of the last days in one go", async () => {
    await endShort();
    const question = await ask("/recover all");
    expect(question.text).toMatch(/^Recover 1 session of the last 7 days\?/);
    expect(await press(question, "Recover all")).toMatch(/Session 1:/);
  });

  it("takes an operator's word on unknown calls after a question", async () => {
    const session = await addWork(test.db, 2);
    await claim(test.db, session.session_id, 1);
    await test.db.query(
      "UPDATE batch_processing_items SET lease_until = now() - interval '1 s' WHERE status = 'PROCESSING'",
    );
    await desk.sweep("test");
    const { unknown } = (await desk.progress(1)).session;
    expect(unknown).toBeGreaterThan(0);
    await recorded.handle(pressUpdate("1:unknown:1", { from: OPERATOR }));
    expect(last().text).toMatch(/^1 call with an unknown outcome/);
    await recorded.handle(pressUpdate("1:verdict:1:unpaid", { from: OPERATOR }));
    const question = last();
    expect(question.text).toMatch(/^Record 1 call as not paid\?/);
    expect(await press(question, "not paid")).toMatch(
      /recorded as not paid\. \$0\.0010 went back to the budget\.$/,
    );
    expect((await desk.progress(1)).session).toMatchObject({ unknown: 0, spent: 0 });
  });

  it("takes an operator's word on the calls that were shown, and on no others", async () => {
    await addWork(test.db, 3);
    const [{ session_id }] = await desk.sessions(1);
    const lose = async () => {
      await claim(test.db, session_id, 1);
      await test.db.query(
        "UPDATE batch_processing_items SET lease_until = now() - interval '1 s' WHERE status = 'PROCESSING'",
      );
      await desk.sweep("test");
    };
    await lose();
    await recorded.handle(pressUpdate("1:verdict:1:unpaid", { from: OPERATOR }));
    const question = last();
    expect(question.text).toMatch(/^Record 1 call as not paid\?\n\n· .*analysis of #/);
    // While the question waits another one gets lost.
    await lose();
    expect(await desk.unknownCalls(1)).toHaveLength(2);
    expect(await press(question, "not paid")).toMatch(/1 call recorded as not paid/);
    const left = await desk.unknownCalls(1);
    expect(left).toHaveLength(1);
    expect((await desk.progress(1)).session.spent).toBe(left[0].amount);
  });

  it("cleans up at once", async () => {
    expect((await ask("/cleanup")).text).toMatch(/^Nothing to clean up/);
  });
});

describe("budgets", () => {
  it("are changed by word or button after a question, and not below what is used", async () => {
    await addWork(test.db, 2, 100_000);
    const board = await ask("/budget");
    expect(board.text).toMatch(/Session +#1, processing\n +\$0\.0000 of \$0\.1000/);
    await press(board, "Session +50 %");
    expect(last().text).toMatch(/^Raise the budget of session 1\?[\s\S]*\$0\.1000 → \$0\.1500/);
    expect(await press(last(), "Set")).toBe("Session 1 has a budget of $0.1500 now.");
    const lower = await ask("/budget session 0.0001");
    expect(lower.text).toMatch(/^Lower the budget/);
    await analyse(
      test.db,
      (await desk.progress(1)).session.session_id,
      await claim(test.db, (await desk.progress(1)).session.session_id, 2),
    );
    expect(await press(lower, "Set")).toMatch(/^Cannot set the budget of session 1/);
  });

  it("of a day are changed, lifted and set back, each after a question", async () => {
    expect(await press(await ask("/budget day 2"), "Set $2.00")).toBe("Today has a cap of $2.00 now.");
    expect((await desk.budgets()).dayCap).toBe(2_000_000);
    const board = await ask("/budget");
    await press(board, "Day ×2");
    expect(await press(last(), "Set")).toBe("Today has a cap of $4.00 now.");
    await press(await ask("/budget"), "as configured");
    expect(await press(last(), "Set")).toBe("Today has no cap now.");
    expect((await ask("/budget day 0")).text).toMatch(/Right: \/budget/);
  });

  it("of a session are raised by the button of its own message, whatever session is the current one", async () => {
    const first = await addWork(test.db, 2, 100_000);
    await raiseAlert(test.db, { rule: "budget_warning", text: "67 %", sessionId: first.session_id });
    const [alert] = await desk.openAlerts();
    const told = recorded.calls.length;
    await recorded.bot.sinks[0].send({ alert, notice: "raised" }, new AbortController().signal);
    const message = { ...last(), messageId: told + 1 };
    await desk.cancel(1, "test");
    await addWork(test.db, 2, 400_000);
    expect(await press(message, "Budget +50 %")).toMatch(/^Session 1 has ended: \/recover 1 \$0\.1500/);
    expect((await ask("/budget session 2 0.50")).text).toMatch(/^Raise the budget of session 2\?/);
    expect((await ask("/budget session 7 0.50")).text).toMatch(/^There is no session 7/);
  });

  it("of a session that has ended are raised by recovering it", async () => {
    await endShort();
    expect((await ask("/budget session 1")).text).toMatch(
      /Session 1 has ended: \/recover 1 \$1\.00 gives it money/,
    );
  });
});

describe("costs", () => {
  const spend = async () => {
    const session = await addWork(test.db, 2);
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 2));
  };

  it("come with a picture, and without one when it cannot be drawn", async () => {
    await spend();
    const drawn = makeRecordedBot({
      desk,
      db: test.db,
      pictures: { spend: () => Promise.resolve(new Uint8Array([1])) },
    });
    await drawn.handle(textUpdate("/cost 30", { from: OPERATOR }));
    expect(drawn.calls.map(({ method }) => method)).toEqual(["sendPhoto"]);
    expect(drawn.calls[0].payload.caption).toMatch(/^Spend of 30 days[\s\S]*Articles +2/);

    const broken = makeRecordedBot({
      desk,
      db: test.db,
      pictures: { spend: () => Promise.reject(new Error("no font")) },
    });
    await broken.handle(textUpdate("/cost 30", { from: OPERATOR }));
    expect(broken.calls.map(({ method }) => method)).toEqual(["sendMessage"]);
    expect(broken.logged).toContainEqual(expect.objectContaining({ level: "warn", error: "no font" }));
  });

  it("of nothing are told as nothing", async () => {
    expect((await ask("/cost")).text).toBe("Spend of 7 days (UTC)\n\nNothing was spent.");
    expect((await ask("/cost 400")).text).toMatch(/Right: \/cost \[days\]/);
  });
});

describe("reading", () => {
  it("shows an article that nobody has read yet, and asks which one when none is named", async () => {
    const [id] = await addArticles(test.db, 1, 40);
    await test.db.query("UPDATE articles SET title = $2 WHERE id = $1", [id, "Title /cancel <b>"]);
    const shown = await ask(`/analysis ${id}`);
    expect(shown.text).toMatch(/^Title \/\u2060cancel <b>\n#\d+[\s\S]*Not analysed yet/);
    expect(shown.buttons).toEqual([]);
    expect((await ask("/analysis 999")).text).toMatch(/^There is no article 999/);
    expect((await ask("/analysis")).text).toMatch(/^Which article\? \/analysis <article>/);
  });

  it("turns the pages of an analysis in place, and stops at the last one", async () => {
    const session = await addWork(test.db, 1);
    const [{ article_id }] = await claim(test.db, session.session_id, 1);
    await test.db.query("UPDATE batch_processing_items SET status = 'PENDING', lease_token = NULL");
    await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 1));
    const signal = {
      type: "adoption",
      description: "Somebody noticed something. ".repeat(20),
      confidence: 0.5,
      implications: "It may matter. ".repeat(30),
      evidence: ["A quote from the article."],
      timeframe: "SHORT_TERM",
    };
    await test.db.query("UPDATE article_analyses SET weak_signals = $1", [
      JSON.stringify(Array(4).fill(signal)),
    ]);
    const first = await ask(`/analysis ${article_id}`);
    expect(first.text).toMatch(/Nodes relay transactions\./);
    expect(first.buttons.map(({ text }) => text)).toEqual([expect.stringMatching(/^1 of \d$/), "2 ▶"]);
    await press(first, "2 ▶");
    expect(edited().at(-1)).toMatch(/Signal \d: adoption/);
    await recorded.handle(pressUpdate(`1:analysis:${article_id}:99`, { from: OPERATOR }));
    expect(edited().at(-1)).toMatch(/paid call/);
  });

  it("shows a live session's status once: the older message goes", async () => {
    await addWork(test.db, 2);
    const first = await ask("/status");
    await ask("/status");
    expect(recorded.calls.filter(({ method }) => method === "deleteMessage").map(({ payload }) => payload))
      .toEqual([
        { chat_id: OPERATOR, message_id: first.messageId },
      ]);
  });

  it("pages through sessions and the articles of one", async () => {
    for (let n = 0; n < 12; n++) {
      const session = await addWork(test.db, 1);
      await analyse(test.db, session.session_id, await claim(test.db, session.session_id, 1));
      await finishIfDone(test.db, session.session_id, "test");
    }
    const list = await ask("/sessions");
    expect(list.buttons.map(({ text }) => text)).toContain("Older ▶");
    await press(list, "Older");
    expect(edited().at(-1)).toMatch(/\n *2 +done[\s\S]*\n *1 +done/);
    await recorded.handle(pressUpdate("1:details:1:0", { from: OPERATOR }));
    expect(edited().at(-1)).toMatch(/Session 1, articles 1 to 1 of 1\n\n✅ #\d+ Article/);
  });
});

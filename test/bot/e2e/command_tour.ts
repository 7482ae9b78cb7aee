import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { readButton, VERBS } from "../../../bot/button_data.ts";
import { raiseAlert } from "../../../lib/alerts/raise.ts";
import { formatUsd, micros } from "../../../lib/money.ts";
import { addArticles } from "../../helpers/articles.ts";
import { useTestDatabase } from "../../helpers/database.ts";
import type { WireReply } from "../../fakes/wire_server.ts";
import type { FakeUser, StoredMessage } from "../../fakes/telegram.ts";
import { type BotBench, openBotBench } from "./bot_bench.ts";

const test = useTestDatabase();
let bench: BotBench;
/** What Gemini does with the next request instead of answering it. */
let nextReply: WireReply | null;

async function open(by: "polling" | "webhook"): Promise<void> {
  nextReply = null;
  bench = await openBotBench(test.db, {
    webhook: by === "webhook",
    gemini: {
      script() {
        const reply = nextReply;
        nextReply = null;
        return reply;
      },
    },
  });
  await addArticles(test.db, 8);
}

/** Kinds of buttons that were pressed: verb and words, with # for a number. */
const pressed = new Set<string>();

/** Every kind that the bot has, beside the pages of a long analysis and the names of verdicts on articles. */
const KINDS = [
  "ack",
  "ack #",
  "alerts",
  "analysis #",
  "articles",
  "articles ready",
  "budget day #",
  "budget day off",
  "budget day reset",
  "budget session # #",
  "cancel #",
  "cost #",
  "details #",
  "details # #",
  "health",
  "health again",
  "mute 1h here",
  "mute 4h",
  "no",
  "pause #",
  "recover #",
  "resume #",
  "sessions",
  "sessions #",
  "status #",
  "unknown #",
  "unmute",
  "verdict # paid",
  "verdict # unpaid",
  "yes",
];

function kindOf(data: string): string {
  const { verb, args } = readButton(data)!;
  if (verb === "yes" || verb === "no") return verb;
  return [verb, ...args.map((arg) => arg.replace(/^\d+$/, "#"))].join(" ");
}

/** Presses and remembers what kind of button it was. */
async function press(user: FakeUser, label: string, message: StoredMessage) {
  const buttons = (message.now.keyboard ?? []).flat();
  const button = buttons.find(({ text }) => text === label) ??
    buttons.find(({ text }) => text.includes(label));
  if (button && "callback_data" in button) pressed.add(kindOf(button.callback_data!));
  return await user.presses(label, message);
}

/** Presses a button whose answer is a message of its own. */
async function pressFor(user: FakeUser, label: string, message: StoredMessage): Promise<StoredMessage> {
  const last = message.chat.messages.at(-1)!;
  await press(user, label, message);
  return await user.chat.message(() => true, last);
}

/** A finished session over some of the articles. */
async function runSession(limit: number): Promise<number> {
  const { number } = await bench.desk.start({ limit }, "test");
  await bench.untilEnded(number);
  return number;
}

/** Every command and every kind of button, with updates that come so. A file each, so that they run beside each other. */
export function tourCommands(by: "polling" | "webhook"): void {
  beforeEach(() => open(by));
  afterEach(() => bench.close());

  describe("commands that look", () => {
    it("show the session, the articles and their analyses, page by page", async () => {
      await runSession(3);
      const { ann, vera } = bench;
      const status = await vera.asks("/status");
      expect(status.text).toMatch(/^✅ Session 1 is complete[\s\S]*3 of 3/);
      const details = await pressFor(vera, "Details", status);
      expect(details.text).toMatch(/completed +3\/3/);
      await press(vera, "Articles", details);
      await vera.chat.shows(details, /Article 1/);
      const analysis = await pressFor(vera, "#1", details);
      expect(analysis.text).toMatch(/^Article 1[\s\S]*#1 · test/);

      const sessions = await ann.asks("/sessions");
      expect(sessions.text).toMatch(/1 +\w+ +3\/3/);
      expect((await pressFor(ann, "#1", sessions)).text).toMatch(/Session 1 is complete/);
      // Older ones stand on a page of their own.
      await test.db.query(
        `INSERT INTO batch_processing_sessions SELECT (jsonb_populate_record(s, jsonb_build_object(
         'session_id', gen_random_uuid(), 'number', s.number + n, 'request_key', NULL))).*
       FROM batch_processing_sessions s, generate_series(1, 30) AS n WHERE s.number = 1`,
      );
      const long = await ann.asks("/sessions");
      await press(ann, "Older", long);
      await ann.chat.shows(long, ({ buttons }) => buttons.flat().includes("◀ Newest"));
      await press(ann, "◀ Newest", long);
      await ann.chat.shows(long, ({ buttons }) => !buttons.flat().includes("◀ Newest"));

      const articles = await ann.asks("/articles");
      expect(articles.text).toMatch(/5/);
      await press(ann, "Ready", articles);
      await ann.chat.shows(articles, /Article 4/);
      await press(ann, "All kinds", articles);
      await ann.chat.shows(articles, /analysed/i);
      expect((await ann.asks("/articles ready")).text).toMatch(/Article 4/);
      expect((await ann.asks("/analysis 2")).text).toMatch(/^Article 2/);
      expect((await ann.asks("/analysis 999")).text).toMatch(/^There is no article 999/);
      expect((await ann.asks("/estimate 2")).text).toMatch(/^Estimate for 2 articles/);
    });

    it("tell what was spent, with a picture, and where the caps are", async () => {
      await runSession(3);
      const { vera } = bench;
      const cost = await vera.asks("/cost 30");
      const { rows: [{ spent }] } = await test.db.query<{ spent: number }>(
        "SELECT sum(spent)::bigint AS spent FROM paid_calls",
      );
      expect(spent).toBeGreaterThan(1_000);
      expect(cost.text).toContain(`Spent     ${formatUsd(micros(spent))}\n`);
      expect(cost.text).toMatch(/^Spend of 30 days/);
      expect(cost.photo!.width).toBeGreaterThan(600);
      expect(cost.photo!.bytes.length).toBeGreaterThan(5_000);
      expect(cost.buttons).toEqual([["7 days", "90 days"]]);
      expect((await pressFor(vera, "90 days", cost)).text).toMatch(/90 days/);
      expect((await vera.asks("/budget")).text).toMatch(/0\.30/);
      expect((await vera.asks("/cost 0")).text).toMatch(/^Cannot read “0”/);
    });

    it("tell how everything is, what runs, who is asking and what there is", async () => {
      const { ann, vera } = bench;
      const health = await vera.asks("/health");
      expect(health.text).toMatch(/All is well[\s\S]*1 service/);
      await press(vera, "Alerts", health);
      await vera.chat.shows(health, /No alert|nothing/i);
      const again = await vera.asks("/health");
      expect((await press(vera, "Refresh", again)).alert).toBe(false);
      expect((await vera.asks("/version")).text).toMatch(/^Nightdesk \d[\s\S]*Deno/);
      expect((await vera.asks("/whoami")).text).toMatch(/1003[\s\S]*viewer/);
      const all = (await ann.asks("/help")).text;
      for (const name of ["start_batch", "pause", "recover", "budget", "mute", "whoami"]) {
        expect(all).toContain(`/${name}`);
      }
      expect((await vera.asks("/help")).text).not.toContain("/pause");
      expect((await ann.asks("/start")).text).toBe(all);
      expect((await ann.asks("/stauts")).text).toMatch(/There is no .*Did you mean \/status\?/);
      expect((await ann.asks("good evening")).text).toMatch(/\/help/);
    });
  });

  describe("commands and buttons that steer", () => {
    it("pause, resume and cancel a session, the last after a question", async () => {
      const { ann, desk, gemini } = bench;
      gemini.let(0);
      const question = await ann.asks("/start_batch 8");
      await press(ann, "Start", question);
      await ann.chat.shows(question, /at work/);
      expect((await press(ann, "Pause", question)).text).toMatch(/^Session 1 is paused/);
      await ann.chat.shows(question, ({ buttons }) => buttons.flat().includes("Resume"));
      expect((await press(ann, "Resume", question)).text).toBe("Session 1 goes on.");
      expect((await ann.asks("/pause 1")).text).toMatch(/^Session 1 is paused/);
      expect((await ann.asks("/resume")).text).toMatch(/Session 1/);
      const asked = await ann.asks("/cancel 1");
      expect(asked.text).toMatch(/^Cancel session 1\?/);
      expect((await desk.session(1)).session.status).toBe("PROCESSING");
      await press(ann, "Keep it going", asked);
      await ann.chat.shows(question, ({ buttons }) => buttons.flat().includes("Cancel"));
      const again = await pressFor(ann, "Cancel", question);
      expect((await press(ann, "Cancel it", again)).text).toMatch(/^Session 1 was cancelled/);
      gemini.open();
      await bench.untilEnded(1);
      const events = await desk.events(1, { after: 0, limit: 1_000 });
      const mine = events.filter(({ actor }) => actor === "operator:telegram:1001").map(({ action }) =>
        action
      );
      expect(mine).toEqual(
        expect.arrayContaining(["session_started", "session_paused", "session_cancelled"]),
      );
    });

    it("change the budget of a session and of the day after a question", async () => {
      const { ann, vera, desk, gemini } = bench;
      gemini.let(0);
      await press(ann, "Start", await ann.asks("/start_batch 4 0.05"));
      expect((await vera.asks("/budget session 1")).text).toMatch(/for operators/);
      await press(ann, "Set $0.1200", await ann.asks("/budget session 0.12"));
      await expect.poll(async () => (await desk.session(1)).session.budget).toBe(120_000);
      await press(ann, "Set", await ann.asks("/budget day 2"));
      await expect.poll(async () => (await desk.budgets()).dayCap).toBe(2_000_000);
      const budgets = await ann.asks("/budget");
      const raise = await pressFor(ann, "Session +", budgets);
      await press(ann, "Set", raise);
      await expect.poll(async () => (await desk.session(1)).session.budget).toBeGreaterThan(120_000);
      await press(ann, "Set $3.00", await pressFor(ann, "Day +50 %", budgets));
      await expect.poll(async () => (await desk.budgets()).dayCap).toBe(3_000_000);
      await press(ann, "Set no cap", await pressFor(ann, "Day: no cap", budgets));
      await expect.poll(async () => (await desk.budgets()).dayCap).toBeNull();
      const changed = await ann.asks("/budget");
      await press(ann, "Set no cap", await pressFor(ann, "Day: as configured", changed));
      await expect.poll(async () => (await desk.budgets()).dayCapChanged).toBeNull();
      expect((await ann.asks("/budget day nothing")).text).toMatch(/^Cannot read/);
    });
  });

  describe("commands and buttons that repair", () => {
    it("recover a session that ran out of money, with the budget that it needs", async () => {
      const { ann } = bench;
      await press(ann, "Start", await ann.asks("/start_batch 8 0.005"));
      await bench.untilEnded(1);
      const result = await ann.chat.message((message) =>
        message.buttons.flat().some((label) => /^Recover/.test(label))
      );
      expect(result.text).toMatch(/budget/);
      const question = await pressFor(ann, "Recover", result);
      await press(ann, "Recover", question);
      await ann.chat.shows(question, /Session 1 is complete/);
      expect((await ann.asks("/recover 1", { expecting: /nothing to recover/ })).text).toMatch(/^Session 1/);
      expect((await ann.asks("/cleanup", { expecting: /nothing|in order|well/i })).buttons).toEqual([]);
    });

    it("say whether calls with an unknown outcome were paid", async () => {
      nextReply = { kind: "reset" };
      await runSession(2);
      const { ann, desk } = bench;
      expect(await desk.unknownCalls(1)).toHaveLength(1);
      const status = await ann.asks("/status");
      const unknown = await pressFor(ann, "Unknown calls", status);
      const question = await pressFor(ann, "None was paid", unknown);
      await press(ann, "They were not paid", question);
      await expect.poll(async () => await desk.unknownCalls(1)).toEqual([]);
      expect((await desk.progress(1)).session.unknown).toBe(0);

      nextReply = { kind: "reset" };
      await runSession(2);
      const { session: { spent } } = await desk.progress(2);
      const second = await pressFor(ann, "Unknown calls", await ann.asks("/status 2"));
      const paid = await pressFor(ann, "All were paid", second);
      expect((await press(ann, "They were paid", paid)).text).toMatch(/1 call recorded as paid/);
      expect((await desk.progress(2)).session).toMatchObject({ unknown: 0, spent });
    });
  });

  describe("alerts", () => {
    it("are marked as seen one by one from the list, and have what helps beside them", async () => {
      const { ann, alertGroup, desk } = bench;
      await raiseAlert(test.db, { rule: "cannot_work", text: "no key" });
      const alert = await alertGroup.message(/no key/);
      await press(ann, "Health", alert);
      await alertGroup.message(/1 thing to look at/, alert);
      const list = await ann.asks("/alerts");
      expect((await press(ann, "Seen #", list)).text).toMatch(/^Alert \d+ is marked as seen/);
      expect((await desk.openAlerts())[0]).toMatchObject({ acknowledged_by: "operator:telegram:1001" });
      await ann.chat.shows(list, ({ buttons }) => !buttons.flat().some((label) => label.startsWith("Seen")));
      expect((await press(ann, "4 h", list)).text).toMatch(/^Everything is muted until/);
    });

    it("are pushed to the chats that want them, seen, muted and listed; their end is told", async () => {
      const { ann, alertGroup, desk, gemini, telegram } = bench;
      gemini.let(3);
      await press(ann, "Start", await ann.asks("/start_batch 8 0.02"));
      await expect.poll(async () => (await desk.progress(1)).done).toBe(3);
      await test.db.query("UPDATE batch_processing_sessions SET warn_percent = 10, critical_percent = 90");
      gemini.let(1);
      const alert = await alertGroup.message(/Budget warning/);
      expect(alert.text).toMatch(/Session 1 has spent 1\d %/);
      expect((await press(ann, "Seen", alert)).text).toMatch(/seen/i);
      await alertGroup.shows(alert, ({ buttons }) => !buttons.flat().includes("Seen"));
      expect((await desk.openAlerts())[0]).toMatchObject({ acknowledged_by: "operator:telegram:1001" });
      expect((await press(ann, "Mute 1 h", alert)).text).toMatch(/^Muted until/);
      const list = await ann.asks("/alerts");
      expect(list.text).toMatch(/Budget warning/);
      await press(ann, "End all mutes", list);
      await expect.poll(async () => await desk.mutes()).toEqual([]);
      expect((await ann.asks("/mute 4h budget_warning")).text).toMatch(/^Muted: .*until/);
      expect((await ann.asks("/mute off")).text).toMatch(/1 mute ended/);
      expect((await ann.asks("/mute")).text).toMatch(/\/mute 1h, 4h or morning/);
      // With a larger budget the warning is over.
      const { number } = (await desk.session(1)).session;
      await desk.changeBudget(number, 1_000_000 as Parameters<typeof desk.changeBudget>[1], "test");
      await alertGroup.shows(alert, ({ buttons }) => buttons.length === 0);
      await telegram.until(() => alertGroup.fromBot.length === 2 || null, "a notice of the end");
      gemini.open();
      await bench.untilEnded(1);
      await alertGroup.message(/Session 1 is complete/);
    });
  });

  afterAll(() => {
    expect([...pressed].toSorted()).toEqual(KINDS);
    expect(new Set(KINDS.map((kind) => kind.split(" ")[0]))).toEqual(new Set(VERBS));
    pressed.clear();
  });
}

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addArticles } from "../../helpers/articles.ts";
import { useTestDatabase } from "../../helpers/database.ts";
import { ALERT_GROUP, type BotBench, GROUP, openBotBench } from "./bot_bench.ts";
import { makeStrangeUpdates } from "./strange_updates.ts";

const test = useTestDatabase();
let bench: BotBench;

beforeEach(async () => {
  // The first batch is read; the others are due tomorrow.
  bench = await openBotBench(test.db, { env: { BATCH_SIZE: "2", BATCH_DELAY_SECONDS: "86400" } });
  await addArticles(test.db, 12);
});
afterEach(() => bench.close());

/** Everything that a person can change, as text; not when a message is looked at again. */
async function readState(): Promise<string> {
  const tables = [
    "articles",
    "article_analyses",
    "batch_processing_sessions",
    "batch_processing_records",
    "batch_processing_items",
    "paid_calls",
    "day_budgets",
    "session_events",
    "alerts",
    "alert_mutes",
    "changed_settings",
    "telegram_confirmations",
    "telegram_progress",
  ];
  const parts = await Promise.all(tables.map(async (table) => {
    const { rows } = await test.db.query<{ state: string }>(
      `SELECT coalesce(jsonb_agg(to_jsonb(t) - '{next_at,edited_at,shown}'::text[] ORDER BY t::text), '[]')::text AS state FROM ${table} t`,
    );
    return `${table}: ${rows[0]!.state}`;
  }));
  return parts.join("\n");
}

/** What may be said to somebody who is not admitted: no name, number or state of the desk. */
const HARMLESS = [
  /^This bot is private\.$/,
  /^Commands are not taken in this chat\.$/,
  // Their own ids, and for a member the role that they have elsewhere.
  /^User +-?\d+(\nChat +-?\d+)?(\nRole +(operator|viewer))?(\n\nCommands are not taken in this chat\.)?$/,
];

describe("1,000 updates from people and chats that are on no list", () => {
  it.each(["one", "two"])("change nothing and show nothing (seed %s)", async (seed) => {
    const { telegram, ann, group, desk } = bench;
    // A session that is paused half-way, and questions that wait: there is much to be told and to be broken.
    const started = await ann.asks("/start_batch 12");
    await ann.presses("Start", started);
    await ann.chat.shows(started, /2 of 12/);
    await desk.pause(1, "test");
    const questions = [await ann.asks("/budget session 4"), await ann.asks("/cancel 1", { in: group })];
    for (const id of [6_666, 7, 10_010, 2 ** 40, 999_999, 5_555]) telegram.user(id).chat.state.refusal = null;
    for (const id of [-100_777, -5, -1_001_000_000_201, -1_009_999]) telegram.group(id);
    await ann.chat.shows(started, /is paused/);
    const before = await readState();
    const shown = new Map(chats().map((chat) => [chat.info.id, chat.messages.length]));

    const updates = makeStrangeUpdates(1_000, seed, {
      people: [1001, 1002, 1003],
      groups: [GROUP, ALERT_GROUP],
      questions: questions.map((question) => ({
        data: (question.now.keyboard![0]![0]! as { callback_data: string }).callback_data,
        chat: question.chat.info.id,
        message: question.message_id,
        user: 1001,
      })),
    });
    for (const update of updates) telegram.push(update);
    await telegram.settled();
    await expect.poll(countWaiting, { timeout: 60_000 }).toBe(0);

    expect(await readState()).toBe(before);
    const said = chats().flatMap((chat) =>
      chat.messages.slice(shown.get(chat.info.id) ?? 0).filter((message) =>
        message.from?.id === telegram.me.id
      )
    );
    for (const message of said) {
      expect(HARMLESS.some((form) => form.test(message.text)), message.text).toBe(true);
      expect(message.buttons).toEqual([]);
    }
    // They are answered now and then, not each time.
    expect(said.length).toBeGreaterThan(3);
    expect(said.length).toBeLessThan(60);
    const toasts = telegram.callsOf("answerCallbackQuery").slice(1).map(({ params }) => params.text("text"));
    expect(new Set(toasts)).toEqual(new Set(["You are not on the list."]));
    const warnings = bench.logged.filter(({ msg }) => msg === "turned somebody away");
    expect(warnings.length).toBeGreaterThan(3);
    expect(warnings.length).toBeLessThan(60);
    expect(bench.logged.filter(({ level }) => level === "error")).toEqual([]);

    // Those who may are served as before.
    expect((await ann.asks("/status")).text).toMatch(/Session 1 is paused/);
    const health = await ann.asks("/health");
    expect(health.text).toMatch(/Strangers +\d{3} turned away/);
  });
});

function chats() {
  return [...bench.ann.server.world.chats.values()];
}

async function countWaiting(): Promise<number> {
  const { rows: [row] } = await test.db.query<{ waiting: number }>(
    "SELECT count(*)::int AS waiting FROM telegram_updates WHERE handled_at IS NULL",
  );
  return row!.waiting;
}

/** A session while Telegram is away, and the alert about its money that must arrive once afterwards. */
import { expect } from "vitest";
import { addArticles } from "../../helpers/articles.ts";
import type { Database } from "../../../lib/database/port.ts";
import { type BotBench, openBotBench, untilQuiet } from "./bot_bench.ts";

export async function rideOutAbsence(
  db: Database,
  how: Parameters<BotBench["telegram"]["goAway"]>[0],
): Promise<void> {
  // A poll that hangs is given up after 20 s.
  const bench = await openBotBench(db, { telegram: { waitMs: 30_000 } });
  try {
    await addArticles(db, 6);
    const { ann, telegram, alertGroup, gemini, desk } = bench;
    gemini.let(1);
    const progress = await ann.asks("/start_batch 6 0.02");
    await ann.presses("Start", progress);
    await ann.chat.shows(progress, /1 of 6/);
    const comeBack = await telegram.goAway(how);
    gemini.let(2);
    await expect.poll(async () => (await desk.progress(1)).done, { timeout: 60_000 }).toBe(3);
    // An article takes about 3 % of this budget: the next one crosses the line.
    await db.query("UPDATE batch_processing_sessions SET warn_percent = 10, critical_percent = 11");
    gemini.let(1);
    await expect.poll(async () => (await desk.openAlerts()).map(({ rule }) => rule), { timeout: 60_000 })
      .toContain("budget_critical");
    // Commands that were typed meanwhile wait at Telegram.
    ann.says("/whoami");
    // Twenty minutes in small: several tries fail, and their waits grow.
    await expect.poll(() => failuresOfSink(db), { timeout: 40_000 }).toBeGreaterThanOrEqual(
      how === "silent" ? 1 : 2,
    );
    expect(alertGroup.fromBot).toEqual([]);

    await comeBack();
    // The rest of the wait, of which nothing depends but the length of this test.
    await db.query("UPDATE alert_sinks SET not_before = now()");
    const alert = await alertGroup.message(/Budget critical/);
    expect(alert.text).toMatch(/Session 1/);
    await ann.chat.message("operator");
    gemini.open();
    await bench.untilEnded(1);
    await alertGroup.message(/Session 1 is complete/, alert);
    await ann.chat.shows(progress, /complete/);
    await untilQuiet(bench);
    expect(alertGroup.fromBot.filter(({ text }) => text.includes("Budget critical"))).toHaveLength(1);
    expect(alertGroup.fromBot.filter(({ text }) => text.includes("Session 1 is complete"))).toHaveLength(1);
    expect(ann.chat.fromBot.filter(({ text }) => text.includes("operator"))).toHaveLength(1);
    expect(bench.logged.filter(({ level }) => level === "error")).toEqual([]);
  } finally {
    await bench.close();
  }
}

async function failuresOfSink(db: Database): Promise<number> {
  const { rows } = await db.query<{ attempts: number }>(
    "SELECT attempts FROM alert_sinks WHERE sink LIKE 'telegram:%'",
  );
  return rows[0]?.attempts ?? 0;
}

import { describe, expect, it } from "vitest";
import { keepDelivering } from "../../lib/alerts/keep_delivering.ts";
import { parseMuteTime } from "../../lib/alerts/mute_time.ts";
import { dedupeKey } from "../../lib/alerts/raise.ts";
import { adviceFor, RULE_NAMES, ruleOf, RULES } from "../../lib/alerts/rules.ts";
import { createLogSink } from "../../lib/alerts/sinks/log.ts";
import { makeSinks } from "../../lib/alerts/sinks/make_sinks.ts";
import type { Notice } from "../../lib/alerts/sinks/port.ts";
import { longTime } from "../../lib/alerts/words.ts";
import { projectFit, type Spending } from "../../lib/budget/project_fit.ts";
import { readConfig } from "../../lib/config.ts";
import type { Database } from "../../lib/database/port.ts";
import { micros } from "../../lib/money.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { deliveryOptions, type LogLine, raise, recordingSink } from "./watch_sinks.ts";

const test = useTestDatabase();

describe("the projection of a session", () => {
  const spending: Spending = {
    budget: micros(10_000),
    spent: micros(1_000),
    overrun: micros(0),
    analyzed: 10,
    left: 80,
    worst: micros(1_000),
  };

  it("fits to the last article that finds room for its worst case", () => {
    expect(projectFit(spending)).toEqual({ projected: 9_000, leftOut: 0, enough: 10_000 });
    expect(projectFit({ ...spending, left: 81 })).toMatchObject({ leftOut: 0 });
    expect(projectFit({ ...spending, left: 82 })).toMatchObject({ leftOut: 1 });
    expect(projectFit({ ...spending, left: 182 })).toMatchObject({ leftOut: 101, enough: 30_000 });
  });

  it("counts what was billed above holds, and knows nothing before the first article", () => {
    expect(projectFit({ ...spending, overrun: micros(1_000) })).toMatchObject({
      projected: 18_000,
      leftOut: 39,
    });
    expect(projectFit({ ...spending, analyzed: 0 })).toBeNull();
  });

  it("leaves everything out when not one more fits, and nothing when it costs nothing", () => {
    expect(projectFit({ ...spending, worst: micros(9_001) })).toMatchObject({ leftOut: 80 });
    expect(projectFit({ ...spending, spent: micros(0) })).toMatchObject({ leftOut: 0, projected: 0 });
    expect(projectFit({ ...spending, left: 0, worst: micros(9_001) })).toMatchObject({ leftOut: 0 });
  });
});

describe("the length of a mute", () => {
  const now = new Date("2026-11-24T02:00:00Z");
  const until = (text: string) =>
    parseMuteTime(text, now, { quietHours: { from: 1_320, to: 390 }, timeZone: "Europe/Berlin" })
      ?.toISOString() ?? null;

  it("is minutes, hours, days, or until the quiet hours end", () => {
    expect(until("30m")).toBe("2026-11-24T02:30:00.000Z");
    expect(until(" 4H ")).toBe("2026-11-24T06:00:00.000Z");
    expect(until("2d")).toBe("2026-11-26T02:00:00.000Z");
    expect(until("morning")).toBe("2026-11-24T05:30:00.000Z");
  });

  it("is nothing else", () => {
    for (const text of ["", "0m", "1", "m", "1w", "-1h", "1.5h", "99999h", "evening"]) {
      expect(until(text)).toBeNull();
    }
  });
});

describe("the rules", () => {
  it("all say what they are about, and what lasts says what to do", () => {
    for (const name of RULE_NAMES) {
      const { title, lasting, advice } = ruleOf(name);
      expect(title).toMatch(/^[A-Z].{3,40}$/);
      if (lasting) expect(advice).toMatch(/^[A-Z].{10,100}[^.]$/);
      // A message for people in a chat as well: nothing to type into a terminal.
      expect(advice).not.toMatch(/deno|desk |`/);
    }
  });

  it("give nobody advice on what is only information", () => {
    expect(adviceFor({ rule: "session_ended", level: "info" })).toBe("");
    expect(adviceFor({ rule: "session_ended", level: "critical" })).toBe(RULES.session_ended.advice);
  });

  it("part alerts by session, subject and a level of their own", () => {
    expect(dedupeKey({ rule: "stalled", sessionId: "s" })).toBe("stalled:s");
    expect(dedupeKey({ rule: "stalled", sessionId: "s", level: "critical" })).toBe("stalled:s");
    expect(dedupeKey({ rule: "session_ended", sessionId: "s", level: "warning" })).toBe(
      "session_ended:s:warning",
    );
    expect(dedupeKey({ rule: "daily_digest", subject: "2026-11-23" })).toBe("daily_digest:2026-11-23");
  });
});

it("long times are as exact as a person needs", () => {
  expect([0, 59_000, 30 * 60_000, 60 * 60_000, 130 * 60_000].map(longTime)).toEqual([
    "1 min",
    "1 min",
    "30 min",
    "1 h",
    "2 h 10 min",
  ]);
});

describe("the log as a sink", () => {
  it("has a level for each alert and says when one is over", async () => {
    const lines: LogLine[] = [];
    const sink = createLogSink((level, fields, message) => void lines.push({ level, fields, message }));
    const alert = { alert_id: 1, number: 3, rule: "stalled", text: "it stands", resolution: "it moves" };
    for (const level of ["info", "warning", "critical"] as const) {
      const told = { alert: { ...alert, level }, notice: "raised" } as unknown as Notice;
      expect(await sink.send(told, new AbortController().signal)).toEqual({ ok: true });
    }
    const over = { alert: { ...alert, level: "critical" }, notice: "resolved" } as unknown as Notice;
    await sink.send(over, new AbortController().signal);
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      "info it stands",
      "warn it stands",
      "error it stands",
      "info Over (it moves): it stands",
    ]);
    expect(lines[0].fields).toEqual({ alert: 1, rule: "stalled", level_of_alert: "info", session: 3 });
  });

  it("is always there, the webhook when it is set", () => {
    const names = (env: Record<string, string>) =>
      makeSinks(readConfig(env), () => {}).map(({ name }) => name);
    expect(names({})).toEqual(["log"]);
    expect(names({ ALERT_WEBHOOK_URL: "https://hooks.example/x" })).toEqual(["log", "webhook"]);
  });
});

describe("delivering for as long as a process lives", () => {
  it("registers its sinks first, looks every two seconds and tells the last alerts at its end", async () => {
    const sink = recordingSink();
    const delivery = await keepDelivering({ ...deliveryOptions(), db: test.db, sinks: [sink] });
    await raise(test.db, "one");
    await expect.poll(() => sink.told, { timeout: 20_000 }).toEqual(["raised one"]);
    await raise(test.db, "two");
    await delivery.stop(1_000);
    expect(sink.told).toEqual(["raised one", "raised two"]);
  });

  it("does not let a sink that never answers keep another one waiting, or the process from ending", async () => {
    const [slow, quick] = [recordingSink("slow"), recordingSink("quick")];
    const delivery = await keepDelivering({ ...deliveryOptions(), db: test.db, sinks: [slow, quick] });
    slow.answer = () => new Promise(() => {});
    await raise(test.db, "one");
    await expect.poll(() => quick.told, { timeout: 20_000 }).toEqual(["raised one"]);
    await raise(test.db, "two");
    await expect.poll(() => quick.told, { timeout: 20_000 }).toEqual(["raised one", "raised two"]);
    const began = performance.now();
    await delivery.stop(50);
    expect(performance.now() - began).toBeLessThan(3_000);
    const { rows } = await test.db.query("SELECT attempts FROM alert_sinks WHERE sink = 'slow'");
    expect(rows).toEqual([{ attempts: 0 }]);
  });

  it("says once that the database is away and goes on when it is back", async () => {
    const options = deliveryOptions();
    let away = true;
    const db: Database = {
      ...test.db,
      query: (text, ...rest) =>
        away ? Promise.reject(new Error("no database")) : test.db.query(text, ...rest),
    };
    const sink = recordingSink();
    const delivery = await keepDelivering({ ...options, db, sinks: [sink] });
    expect(options.lines).toEqual([
      expect.objectContaining({ level: "warn", fields: { sink: "test", error: "no database" } }),
    ]);
    away = false;
    await expect.poll(async () => (await test.db.query("SELECT FROM alert_sinks")).rows.length, {
      timeout: 20_000,
    }).toBe(1);
    await raise(test.db, "one");
    await delivery.stop(1_000);
    expect(sink.told).toEqual(["raised one"]);
    expect(options.lines).toHaveLength(1);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { deliverAlerts } from "../../lib/alerts/deliver.ts";
import { backoffMs } from "../../lib/alerts/delivery_pass.ts";
import { NEWS_DAYS } from "../../lib/alerts/outbox.ts";
import { raiseAlert, resolveAlerts } from "../../lib/alerts/raise.ts";
import type { SendResult } from "../../lib/alerts/sinks/port.ts";
import { openDatabase } from "../../lib/database/connect.ts";
import type { Database } from "../../lib/database/port.ts";
import { emptyDatabase, openTestDatabase, type TestDatabase } from "../helpers/database.ts";
import {
  deliveryOptions,
  DOWN,
  endAlert,
  listOutcomes,
  raise,
  recordingSink,
  registeredSink,
} from "./watch_sinks.ts";

let test: TestDatabase;
let db: Database;
beforeAll(async () => {
  test = await openTestDatabase();
  db = test.db;
});
afterAll(() => test.close());
beforeEach(() => emptyDatabase(db));

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const later = (ms: number) => new Date(Date.now() + ms);

const registered = (name?: string) => registeredSink(db, name);
const resolve = (dedupeKey: string, tell = true) => endAlert(db, dedupeKey, tell);
const readOutcomes = () => listOutcomes(db);

describe("an alert", () => {
  it("is open once however many raise it at the same moment, and may come again after its end", async () => {
    const alert = { rule: "stalled", subject: "x", text: "stalled" } as const;
    const raised = await Promise.all(Array.from({ length: 12 }, () => raiseAlert(db, alert)));
    expect(raised.filter(Boolean)).toHaveLength(1);
    await resolveAlerts(db, { rules: ["stalled"] }, { resolution: "it moves", tell: true });
    expect(await raiseAlert(db, alert)).toBe(true);
  });

  it("is delivered once, in the order in which things happened", async () => {
    const sink = await registered();
    await raise(db, "one");
    const two = await raise(db, "two", { lasting: true });
    await raise(db, "three", { level: "critical" });
    expect(await deliverAlerts(db, [sink], deliveryOptions())).toMatchObject({ sent: 3, failed: [] });
    await resolve(two);
    await raise(db, "four");
    await deliverAlerts(db, [sink], deliveryOptions());
    await deliverAlerts(db, [sink], deliveryOptions());
    expect(sink.told).toEqual(["raised one", "raised two", "raised three", "resolved two", "raised four"]);
    expect(sink.notices[3].alert).toMatchObject({
      resolution: "it went away",
      rule: "feed_failing",
      lasting: true,
    });
  });

  it("goes to every sink by itself: one that is down does not hold up another", async () => {
    const [up, down] = [await registered("up"), await registered("down")];
    down.answer = () => DOWN;
    await raise(db, "one");
    const report = await deliverAlerts(db, [down, up], deliveryOptions());
    expect(report).toMatchObject({ sent: 1, failed: [{ sink: "down", error: "the sink is down" }] });
    expect(up.told).toEqual(["raised one"]);
  });

  it("from before a sink's first hour is not told to it", async () => {
    await raise(db, "before");
    const sink = await registered();
    await raise(db, "after");
    await deliverAlerts(db, [sink], deliveryOptions());
    expect(sink.told).toEqual(["raised after"]);
  });

  it("of a transaction that became visible late is delivered all the same", async () => {
    const sink = await registered();
    await db.query(`INSERT INTO alerts (alert_id, dedupe_key, rule, level, text) OVERRIDING SYSTEM VALUE
      VALUES (1000, 'b', 'overrun', 'info', 'second')`);
    await deliverAlerts(db, [sink], deliveryOptions());
    await db.query(
      `INSERT INTO alerts (alert_id, dedupe_key, rule, level, text, created_at) OVERRIDING SYSTEM VALUE
      SELECT 999, 'a', 'overrun', 'info', 'first', created_at FROM alerts`,
    );
    await deliverAlerts(db, [sink], deliveryOptions());
    expect(sink.told).toEqual(["raised second", "raised first"]);
  });

  it("that waited for two weeks is no news and is put aside with its end and a reason; what still lasts is told", async () => {
    const sink = await registered();
    await raise(db, "old");
    const over = await raise(db, "over", { lasting: true, level: "critical" });
    await raise(db, "lasts", { lasting: true });
    await resolve(over);
    await deliverAlerts(db, [sink], deliveryOptions({ now: later(NEWS_DAYS * DAY + MINUTE) }));
    expect(sink.told).toEqual(["raised lasts"]);
    const { rows } = await db.query(
      "SELECT DISTINCT outcome, detail FROM alert_deliveries WHERE outcome <> 'sent'",
    );
    expect(rows).toEqual([{ outcome: "obsolete", detail: "too old to be news" }]);
    expect(await readOutcomes()).toEqual([
      "old raised obsolete",
      "old resolved obsolete",
      "over raised obsolete",
      "over resolved obsolete",
      "lasts raised sent",
    ]);
  });
});

describe("a sink that is down", () => {
  it("is tried again after a wait that doubles, and then told everything once, in order", async () => {
    const sink = await registered();
    sink.answer = () => DOWN;
    const options = deliveryOptions({ backoff: { firstMs: 4 * SECOND, longestMs: MINUTE } });
    await raise(db, "one");
    const start = Date.now();
    const tries: number[] = [];
    for (let at = 0; at <= 80; at++) {
      if (at === 20) await raise(db, "two");
      const { failed } = await deliverAlerts(db, [sink], { ...options, now: new Date(start + at * SECOND) });
      if (failed.length > 0) tries.push(at);
    }
    // 4, 8, 16 and 32 seconds, up to a quarter less.
    expect(tries).toHaveLength(5);
    for (const [index, wait] of [4, 8, 16, 32].entries()) {
      const waited = tries[index + 1] - tries[index];
      expect(waited).toBeGreaterThanOrEqual(wait * 0.75);
      expect(waited).toBeLessThanOrEqual(wait + 1);
    }
    await raise(db, "three");
    sink.answer = () => ({ ok: true });
    await deliverAlerts(db, [sink], { ...options, now: new Date(start + HOUR) });
    expect(sink.told).toEqual(["raised one", "raised two", "raised three"]);
    expect(options.lines.filter(({ level }) => level === "warn")).toHaveLength(1);
    expect(options.lines.at(-1)).toMatchObject({ level: "info", message: "a sink takes alerts again" });
    const { rows: [state] } = await db.query("SELECT attempts, last_error, lease_token FROM alert_sinks");
    expect(state).toEqual({ attempts: 0, last_error: null, lease_token: null });
  });

  it("waits no longer than the longest wait, and as long as it asks for", async () => {
    for (const failures of [1, 2, 9, 10, 50, 5_000]) {
      const wait = backoffMs(failures);
      const most = Math.min(300_000, 1_000 * 2 ** (failures - 1));
      expect(wait).toBeLessThanOrEqual(most);
      expect(wait).toBeGreaterThanOrEqual(most * 0.75);
    }
    const sink = await registered();
    sink.answer = () => ({ ...DOWN, retryAfterMs: 90 * SECOND } as const);
    await raise(db, "one");
    const start = Date.now();
    await deliverAlerts(db, [sink], deliveryOptions({ now: new Date(start) }));
    sink.answer = () => ({ ok: true });
    await deliverAlerts(db, [sink], deliveryOptions({ now: new Date(start + 89 * SECOND) }));
    expect(sink.told).toEqual([]);
    await deliverAlerts(db, [sink], deliveryOptions({ now: new Date(start + 91 * SECOND) }));
    expect(sink.told).toEqual(["raised one"]);
  });

  it("that throws or never answers counts as down", async () => {
    const sink = await registered();
    await raise(db, "one");
    sink.answer = () => Promise.reject(new Error("it broke"));
    expect((await deliverAlerts(db, [sink], deliveryOptions())).failed).toEqual([{
      sink: "test",
      error: "it broke",
    }]);
    // It does not even heed the signal.
    sink.answer = () => new Promise(() => {});
    const report = await deliverAlerts(db, [sink], deliveryOptions({ now: later(MINUTE), sendMs: 20 }));
    expect(report.failed).toEqual([{ sink: "test", error: "no answer in time" }]);
  });

  it("that refuses one notice is sent the next, and no end of what it refused", async () => {
    const sink = await registered();
    const one = await raise(db, "one", { lasting: true });
    await raise(db, "two");
    sink.answer = ({ alert }) =>
      alert.text === "one" ? { ok: false, refused: true, error: "too long" } : { ok: true };
    const options = deliveryOptions();
    expect(await deliverAlerts(db, [sink], options)).toMatchObject({ sent: 1, refused: 1, failed: [] });
    await resolve(one);
    await deliverAlerts(db, [sink], options);
    expect(sink.told).toEqual(["raised two"]);
    expect(await readOutcomes()).toEqual(["one raised refused", "two raised sent"]);
    expect(options.lines).toEqual([
      expect.objectContaining({ level: "error", message: "a sink refused an alert" }),
    ]);
  });
});

describe("what is over before it could be told", () => {
  it("is put aside with its end, unless it was critical: then both are told, even where its end is quiet", async () => {
    const sink = await registered();
    await resolve(await raise(db, "warning", { lasting: true }));
    await resolve(await raise(db, "critical", { lasting: true, level: "critical" }));
    await resolve(await raise(db, "closed", { lasting: true, level: "critical" }), false);
    const report = await deliverAlerts(db, [sink], deliveryOptions());
    expect(report).toMatchObject({ sent: 4, obsolete: 1 });
    expect(sink.told).toEqual(["raised critical", "resolved critical", "raised closed", "resolved closed"]);
    expect(sink.notices[0].alert.resolved_at).not.toBeNull();
    expect((await readOutcomes()).slice(0, 2)).toEqual([
      "warning raised obsolete",
      "warning resolved obsolete",
    ]);
  });

  it("is told when it is an event: what happened, happened", async () => {
    const sink = await registered();
    await resolve(await raise(db, "event"), false);
    await deliverAlerts(db, [sink], deliveryOptions());
    expect(sink.told).toEqual(["raised event"]);
  });

  it("is told nowhere when its end is quiet and it was told in time", async () => {
    const sink = await registered();
    const key = await raise(db, "one", { lasting: true, level: "critical" });
    await deliverAlerts(db, [sink], deliveryOptions());
    await resolve(key, false);
    await deliverAlerts(db, [sink], deliveryOptions());
    expect(sink.told).toEqual(["raised one"]);
  });
});

describe("several processes", () => {
  it("that deliver at once send each notice once, in order", async () => {
    const { database: another } = await openDatabase({
      ...test.settings,
      role: "test",
      onConnectionError() {},
    });
    const sink = await registered();
    sink.answer = async () => {
      await new Promise((resolve) => setTimeout(resolve, 3));
      return { ok: true };
    };
    const texts = Array.from({ length: 15 }, (_, n) => `alert ${n}`);
    for (const text of texts) await raise(db, text);
    const passes = Array.from(
      { length: 12 },
      (_, n) => deliverAlerts(n % 2 === 0 ? db : another, [sink], deliveryOptions()),
    );
    await Promise.all(passes);
    await deliverAlerts(another, [sink], deliveryOptions());
    await another.close();
    expect(sink.told).toEqual(texts.map((text) => `raised ${text}`));
  });

  it("take over from one that died between sending and writing: what it had sent comes again, nothing is lost", async () => {
    const sink = await registered();
    await raise(db, "one");
    await raise(db, "two");
    const dying: Database = {
      ...db,
      query: (text, ...rest) =>
        text.includes("INSERT INTO alert_deliveries") || text.includes("lease_token = NULL")
          ? Promise.reject(new Error("the process is gone"))
          : db.query(text, ...rest),
    };
    await expect(deliverAlerts(dying, [sink], deliveryOptions())).rejects.toThrow("the process is gone");
    expect(sink.told).toEqual(["raised one"]);
    await deliverAlerts(db, [sink], deliveryOptions());
    expect(sink.told).toEqual(["raised one"]);
    await deliverAlerts(db, [sink], deliveryOptions({ now: later(11 * SECOND) }));
    expect(sink.told).toEqual(["raised one", "raised one", "raised two"]);
    expect(sink.notices[0].alert.alert_id).toBe(sink.notices[1].alert.alert_id);
  });

  it("leave a sink alone while another one waits long for its answer", async () => {
    const sink = await registered();
    await raise(db, "one");
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<SendResult>();
    sink.answer = () => {
      asked.resolve();
      return answer.promise;
    };
    const slow = deliverAlerts(db, [sink], deliveryOptions({ leaseMs: 1_000 }));
    await asked.promise;
    const other = recordingSink("test");
    const until = Date.now() + 2_500;
    while (Date.now() < until) await deliverAlerts(db, [other], deliveryOptions());
    answer.resolve({ ok: true });
    expect(await slow).toMatchObject({ sent: 1 });
    expect(other.told).toEqual([]);
  });

  it("do not go on when somebody took over while they were away", async () => {
    const sink = await registered();
    await raise(db, "one");
    await raise(db, "two");
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<SendResult>();
    sink.answer = () => {
      asked.resolve();
      return answer.promise;
    };
    const slow = deliverAlerts(db, [sink], deliveryOptions());
    await asked.promise;
    const other = recordingSink("test");
    await deliverAlerts(db, [other], deliveryOptions({ now: later(11 * SECOND) }));
    expect(other.told).toEqual(["raised one", "raised two"]);
    answer.resolve({ ok: true });
    expect(await slow).toMatchObject({ sent: 1 });
    expect(sink.told).toEqual(["raised one"]);
  });
});

describe("a process that ends", () => {
  it("begins nothing new, and what it cuts off counts against nobody", async () => {
    const sink = await registered();
    await raise(db, "one");
    await raise(db, "two");
    const cut = new AbortController();
    sink.answer = (_, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve(DOWN), { once: true });
        cut.abort();
      });
    expect(await deliverAlerts(db, [sink], deliveryOptions({ cut: cut.signal }))).toMatchObject({
      failed: [],
    });
    const stop = AbortSignal.abort();
    sink.answer = () => ({ ok: true });
    await deliverAlerts(db, [sink], deliveryOptions({ stop }));
    expect(sink.told).toEqual([]);
    await deliverAlerts(db, [sink], deliveryOptions());
    expect(sink.told).toEqual(["raised one", "raised two"]);
  });
});

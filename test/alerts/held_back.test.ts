/** Alerts that wait for a while, because of the hour or because somebody wished it. */
import { describe, expect, it } from "vitest";
import { deliverAlerts } from "../../lib/alerts/deliver.ts";
import { LONGEST_DAYS, muteAlerts, unmuteAlerts } from "../../lib/alerts/mutes.ts";
import { NEWS_DAYS } from "../../lib/alerts/outbox.ts";
import { raiseAlert } from "../../lib/alerts/raise.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { addWork } from "../batches/work_session.ts";
import { deliveryOptions, endAlert, listOutcomes, raise, registeredSink } from "./watch_sinks.ts";

const test = useTestDatabase();

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const later = (ms: number) => new Date(Date.now() + ms);

describe("quiet hours", () => {
  const night = { from: 22 * 60, to: 7 * 60 };
  const at = (time: string) =>
    new Date(`${new Date(Date.now() + 24 * HOUR).toISOString().slice(0, 10)}T${time}:00Z`);

  it("let critical alerts through and hold the others until the morning, in order", async () => {
    const sink = await registeredSink(test.db);
    const options = deliveryOptions({ quietHours: night });
    await raise(test.db, "one", { level: "info" });
    await raise(test.db, "two", { level: "critical" });
    const three = await raise(test.db, "three", { lasting: true });
    await deliverAlerts(test.db, [sink], { ...options, now: at("23:30") });
    await deliverAlerts(test.db, [sink], { ...options, now: at("06:59") });
    expect(sink.told).toEqual(["raised two"]);
    await deliverAlerts(test.db, [sink], { ...options, now: at("07:00") });
    expect(sink.told).toEqual(["raised two", "raised one", "raised three"]);
    await endAlert(test.db, three);
    await deliverAlerts(test.db, [sink], { ...options, now: at("22:00") });
    expect(sink.told).toHaveLength(3);
  });

  it("are those of the time zone", async () => {
    const sink = await registeredSink(test.db);
    await raise(test.db, "one");
    const options = deliveryOptions({ quietHours: night, timeZone: "Asia/Tokyo" });
    await deliverAlerts(test.db, [sink], { ...options, now: at("14:00") });
    expect(sink.told).toEqual([]);
    await deliverAlerts(test.db, [sink], { ...options, now: at("22:30") });
    expect(sink.told).toEqual(["raised one"]);
  });
});

describe("a mute", () => {
  it("holds what it matches, of any level, until it ends; what is over by then is never told", async () => {
    const sink = await registeredSink(test.db);
    await muteAlerts(test.db, { rule: "feed_failing", session: null, until: later(HOUR) }, "operator:test");
    await raise(test.db, "lasts", { lasting: true, level: "critical" });
    const over = await raise(test.db, "passes", { lasting: true, level: "critical" });
    await raise(test.db, "other");
    await deliverAlerts(test.db, [sink], deliveryOptions());
    expect(sink.told).toEqual(["raised other"]);
    await endAlert(test.db, over);
    await deliverAlerts(test.db, [sink], deliveryOptions({ now: later(59 * MINUTE) }));
    await deliverAlerts(test.db, [sink], deliveryOptions({ now: later(61 * MINUTE) }));
    expect(sink.told).toEqual(["raised other", "raised lasts"]);
    expect((await listOutcomes(test.db)).filter((outcome) => outcome.startsWith("passes"))).toEqual([
      "passes raised obsolete",
      "passes resolved obsolete",
    ]);
  });

  it("of a session leaves everything else alone", async () => {
    const sink = await registeredSink(test.db);
    const { session_id, number } = await addWork(test.db, 1);
    await muteAlerts(test.db, { rule: null, session: number, until: later(HOUR) }, "operator:test");
    await raiseAlert(test.db, { rule: "stalled", sessionId: session_id, text: "of the session" });
    await raise(test.db, "of the desk");
    await deliverAlerts(test.db, [sink], deliveryOptions());
    expect(sink.told).toEqual(["raised of the desk"]);
    expect(await unmuteAlerts(test.db, "operator:test")).toBe(1);
    await deliverAlerts(test.db, [sink], deliveryOptions());
    expect(sink.told).toEqual(["raised of the desk", "raised of the session"]);
  });

  it("as long as one may be leaves time for what the quiet hours had held before: it is told when the mute ends", async () => {
    expect(NEWS_DAYS).toBeGreaterThan(LONGEST_DAYS + 1);
    const sink = await registeredSink(test.db);
    await raise(test.db, "of the evening");
    const tomorrow = new Date(Date.now() + DAY).toISOString().slice(0, 10);
    const options = deliveryOptions({ quietHours: { from: 0, to: 7 * 60 } });
    await deliverAlerts(test.db, [sink], { ...options, now: new Date(`${tomorrow}T06:00:00Z`) });
    const morning = new Date(`${tomorrow}T06:59:00Z`);
    const until = new Date(morning.getTime() + LONGEST_DAYS * DAY);
    await muteAlerts(test.db, { rule: null, session: null, until }, "operator:test", morning);
    await deliverAlerts(test.db, [sink], deliveryOptions({ now: morning }));
    await deliverAlerts(test.db, [sink], deliveryOptions({ now: new Date(until.getTime() - MINUTE) }));
    expect(sink.told).toEqual([]);
    await deliverAlerts(test.db, [sink], deliveryOptions({ now: new Date(until.getTime() + MINUTE) }));
    expect(sink.told).toEqual(["raised of the evening"]);
  });

  it("that began after an alert was told holds its end until the mute is over", async () => {
    const sink = await registeredSink(test.db);
    const key = await raise(test.db, "one", { lasting: true });
    await deliverAlerts(test.db, [sink], deliveryOptions());
    await muteAlerts(test.db, { rule: null, session: null, until: later(HOUR) }, "operator:test");
    await endAlert(test.db, key);
    await deliverAlerts(test.db, [sink], deliveryOptions());
    expect(sink.told).toEqual(["raised one"]);
    await deliverAlerts(test.db, [sink], deliveryOptions({ now: later(2 * HOUR) }));
    expect(sink.told).toEqual(["raised one", "resolved one"]);
  });
});

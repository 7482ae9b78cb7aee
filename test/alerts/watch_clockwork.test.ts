/** Alerts about what runs by the clock: crons and feeds. */
import { describe, expect, it } from "vitest";
import { takeSlot } from "../../lib/crons/cron_rows.ts";
import { announceSchedules } from "../../lib/crons/schedules.ts";
import { recordFailure, recordReading } from "../../lib/articles/feed_rows.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { ANNOUNCER } from "../helpers/jobs.ts";
import { addWorkerRow, lookAt, MINUTE, NOTHING, readAlertText } from "./look.ts";

const test = useTestDatabase();

const look = (after?: number) => lookAt(test.db, after);
const readText = (rule: string) => readAlertText(test.db, rule);
const addWorker = (after: number, age: number, role?: string) => addWorkerRow(test.db, after, age, role);

describe("crons", () => {
  const EVERY_HOUR = { job: "monitor_batch_processing", schedule: "0 * * * *" };

  /** ms from now until the next hour begins. */
  const untilHour = () => 60 * MINUTE - Date.now() % (60 * MINUTE);

  async function take(after: number) {
    const slot = new Date(Date.now() + after);
    slot.setUTCMinutes(0, 0, 0);
    await takeSlot(test.db, { ...EVERY_HOUR, slot, runner: "test", now: slot });
    await test.db.query("UPDATE crons SET running_since = NULL, lease_until = NULL");
  }

  it("that miss a slot by three minutes are told one by one; the next run is their end", async () => {
    await announceSchedules(test.db, ANNOUNCER, [EVERY_HOUR, { job: "send_digest", schedule: null }]);
    const hour = untilHour();
    await addWorker(hour + 2 * MINUTE, hour + 3 * MINUTE);
    expect(await look(hour + 2 * MINUTE)).toEqual(NOTHING);
    const late = hour + 4 * MINUTE;
    await addWorker(late, hour + 5 * MINUTE);
    expect(await look(late)).toEqual({ raised: ["cron_not_running"], resolved: [] });
    expect(await readText("cron_not_running")).toMatch(
      /^The cron monitor_batch_processing \(0 \* \* \* \*\) should have run at \S+ \d\d:00 UTC and did not\. It never ran$/,
    );
    await take(late);
    expect(await look(late)).toEqual({ raised: [], resolved: ["cron_not_running"] });
  });

  it("are nobody's fault for slots from before the service began", async () => {
    await announceSchedules(test.db, ANNOUNCER, [EVERY_HOUR]);
    const after = untilHour() + 20 * MINUTE;
    await addWorker(after, 10 * MINUTE);
    expect(await look(after)).toEqual(NOTHING);
  });

  it("are one alert all together when no service runs", async () => {
    await announceSchedules(test.db, ANNOUNCER, [EVERY_HOUR, {
      job: "cleanup_stalled_batches",
      schedule: "0 * * * *",
    }]);
    const hour = untilHour();
    expect(await look(hour + 4 * MINUTE)).toEqual({ raised: ["cron_not_running"], resolved: [] });
    expect(await readText("cron_not_running")).toBe(
      "No service runs, so 2 crons stand still: cleanup_stalled_batches, monitor_batch_processing",
    );
    await addWorker(hour + 5 * MINUTE, MINUTE);
    expect(await look(hour + 5 * MINUTE)).toEqual({ raised: [], resolved: ["cron_not_running"] });
  });

  it("that run and fail are told when none of their runs went well for ten minutes", async () => {
    await announceSchedules(test.db, ANNOUNCER, [EVERY_HOUR]);
    await addWorker(0, MINUTE);
    const set = (error: string | null, okMinutesAgo: number) =>
      test.db.query(
        "UPDATE crons SET last_error = $1, last_ok_at = now() - $2 * interval '1 min', last_slot = now()",
        [error, okMinutesAgo],
      );
    await set("no key", 9);
    expect(await look()).toEqual(NOTHING);
    await set("no key", 11);
    expect(await look()).toEqual({ raised: ["cron_failing"], resolved: [] });
    await set(null, 0);
    expect(await look()).toEqual({ raised: [], resolved: ["cron_failing"] });
  });

  it("that fail are not told while the slot is tried again soon; once told, only a success is their end", async () => {
    await announceSchedules(test.db, ANNOUNCER, [EVERY_HOUR]);
    await addWorker(0, MINUTE);
    const set = (error: string | null, again: string) =>
      test.db.query(`UPDATE crons SET last_error = $1, retry_at = ${again}, last_slot = now()`, [error]);
    await set("the backend was terminated", "now() + interval '1 min'");
    expect(await look()).toEqual(NOTHING);
    await set("the backend was terminated", "NULL");
    expect(await look()).toEqual({ raised: ["cron_failing"], resolved: [] });
    await set("no key", "now() + interval '1 min'");
    expect(await look()).toEqual(NOTHING);
    await set(null, "NULL");
    expect(await look()).toEqual({ raised: [], resolved: ["cron_failing"] });
  });

  it("for which two processes have different schedules are told, until they agree", async () => {
    const other = { process: "worker:other", production: true };
    const say = (who: typeof other, schedule: string | null) =>
      announceSchedules(test.db, who, [{ job: "start_scheduled_session", schedule }]);
    await addWorker(0, MINUTE);
    await say(ANNOUNCER, "30 2 1 1 *");
    await say(other, "0 4 1 1 *");
    await test.db.query(
      "UPDATE cron_schedules SET began_at = now() - CASE process WHEN $1 THEN interval '5 min' ELSE interval '9 min' END",
      [other.process],
    );
    expect(await look()).toEqual({ raised: ["schedules_differ"], resolved: [] });
    expect(await readText("schedules_differ")).toBe(
      "Processes that run now have different schedules for the cron start_scheduled_session: " +
        "0 4 1 1 * and 30 2 1 1 *. 0 4 1 1 * holds",
    );
    await say(other, null);
    expect(await look()).toEqual({ raised: [], resolved: ["schedules_differ"] });
  });
});

describe("feeds", () => {
  it("that fail three times in a row are told, without the key in their address, until they are read again", async () => {
    const feed = "https://news.example/feed.xml?token=topsecret123";
    await recordFailure(test.db, feed, "it does not answer");
    await recordFailure(test.db, feed, "it does not answer");
    expect(await look()).toEqual(NOTHING);
    await recordFailure(test.db, feed, `${feed} does not answer`);
    expect(await look()).toEqual({ raised: ["feed_failing"], resolved: [] });
    expect(await readText("feed_failing")).toMatch(
      /^The feed https:\/\/news\.example\/feed\.xml.* failed 3 times/,
    );
    const { rows } = await test.db.query("SELECT * FROM alerts");
    expect(JSON.stringify(rows)).not.toContain("topsecret123");
    await recordReading(test.db, feed, { added: 0 });
    expect(await look()).toEqual({ raised: [], resolved: ["feed_failing"] });
  });
});

import { afterEach, describe, expect, it } from "vitest";
import { CRONS } from "../../jobs/crons.ts";
import { announceSchedules } from "../../lib/crons/schedules.ts";
import { readCrons } from "../../lib/crons/read_crons.ts";
import { newestSlot, nextSlot } from "../../lib/crons/slots.ts";
import { readConfig } from "../../lib/config.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { ANNOUNCER } from "../helpers/jobs.ts";
import { endProcesses, startChild } from "../helpers/process.ts";

afterEach(endProcesses);

describe("the crons", () => {
  it("are registered by the import of the service alone, each once a minute and without repeats; ten at most", async () => {
    const { code, stdout, stderr } = await startChild("list_crons", { PROGRAM: "main.ts" }).ended;
    expect([code, stderr]).toEqual([0, ""]);
    const registered = JSON.parse(stdout);
    expect(registered).toEqual(
      [...CRONS.map(({ job }) => job), "drain_due_work"].map((name) => (
        { name, schedule: "* * * * *", backoffSchedule: [] }
      )),
    );
    // Deno Deploy takes no more than ten.
    expect(registered.length).toBeLessThanOrEqual(10);
    expect(new Set(CRONS.map(({ job }) => job)).size).toBe(CRONS.length);
  });

  it("are not registered by commands", async () => {
    const { stdout } = await startChild("list_crons", { PROGRAM: "lib/cli/main.ts" }).ended;
    expect(JSON.parse(stdout)).toEqual([]);
  });

  it("have schedules that croner reads, and follow the settings", () => {
    const config = readConfig({ SCHEDULE: "30 2 * * 1-5", FEEDS: "feed.xml", FEEDS_SCHEDULE: "0 * * * *" });
    const schedules = Object.fromEntries(CRONS.map(({ job, schedule }) => [job, schedule(config)]));
    expect(schedules).toEqual({
      dispatch_due_batches: "* * * * *",
      monitor_batch_processing: "* * * * *",
      deliver_alerts: "* * * * *",
      cleanup_stalled_batches: "*/5 * * * *",
      ingest_feeds: "0 * * * *",
      start_scheduled_session: "30 2 * * 1-5",
      send_digest: "0 7 * * *",
    });
    for (const schedule of Object.values(schedules)) {
      expect(nextSlot(String(schedule), new Date())).toBeInstanceOf(Date);
    }
    const bare = readConfig({ FEEDS: "", DIGEST_SCHEDULE: "off" });
    expect(CRONS.filter(({ schedule }) => schedule(bare) === null).map(({ job }) => job)).toEqual([
      "ingest_feeds",
      "start_scheduled_session",
      "send_digest",
    ]);
  });
});

describe("days of the week", () => {
  it("go from 0 to 7 in a schedule of ours, both Sunday; Deno's go from 1 to 7, and it sees none of ours", () => {
    const wednesday = new Date("2026-11-25T12:00:00Z");
    const weekday = (schedule: string) => newestSlot(schedule, wednesday)?.getUTCDay();
    expect(["0 3 * * 0", "0 3 * * 7", "0 3 * * 1", "0 3 * * SUN", "0 3 * * MON"].map(weekday)).toEqual(
      [0, 0, 1, 0, 1],
    );
    const takes = (day: number) => {
      const ending = new AbortController();
      try {
        Deno.cron(`probe ${day}`, `0 3 * * ${day}`, { signal: ending.signal }, () => {});
        return true;
      } catch (error) {
        expect(error).toEqual(new TypeError("Invalid cron schedule"));
        return false;
      } finally {
        ending.abort();
      }
    };
    expect([0, 1, 7, 8].map(takes)).toEqual([false, true, true, false]);
  });
});

describe("the rows of the crons", () => {
  const test = useTestDatabase();
  const MINUTELY = [{ job: "a", schedule: "* * * * *" }];
  const soon = (seconds: number) => new Date(Date.now() + seconds * 1_000);

  it("stand from the service's start on, so that one that never ran is seen", async () => {
    await announceSchedules(test.db, ANNOUNCER, [...MINUTELY, { job: "b", schedule: null }]);
    const [a, b] = await readCrons(test.db);
    expect(a).toMatchObject({ job: "a", last_slot: null, last_ok_at: null, runs: 0, overdue: false });
    expect(a.next_slot?.getTime()).toBeGreaterThan(Date.now() - 1_000);
    expect(b).toMatchObject({ job: "b", schedule: "off", next_slot: null, overdue: false });
    const later = await readCrons(test.db, soon(300));
    expect(later.map(({ job, overdue }) => [job, overdue])).toEqual([["a", true], ["b", false]]);
  });

  it("are overdue when a slot is long past, unless a run is going", async () => {
    await announceSchedules(test.db, ANNOUNCER, MINUTELY);
    await test.db.query("UPDATE crons SET last_slot = date_trunc('minute', now())");
    expect((await readCrons(test.db, soon(100)))[0].overdue).toBe(false);
    expect((await readCrons(test.db, soon(300)))[0].overdue).toBe(true);
    await test.db.query(
      "UPDATE crons SET running_since = now(), lease_until = now() + interval '10 minutes'",
    );
    expect((await readCrons(test.db, soon(300)))[0]).toMatchObject({ running: true, overdue: false });
    expect((await readCrons(test.db, soon(800)))[0]).toMatchObject({ running: false, overdue: true });
  });

  it("keep their past when the service starts again, and count anew from a new schedule on", async () => {
    await announceSchedules(test.db, ANNOUNCER, MINUTELY);
    await test.db.query("UPDATE crons SET since = '2026-01-01', last_slot = '2026-02-01', runs = 7");
    await announceSchedules(test.db, ANNOUNCER, MINUTELY);
    expect((await readCrons(test.db))[0]).toMatchObject({ since: new Date("2026-01-01T00:00:00Z"), runs: 7 });
    await announceSchedules(test.db, ANNOUNCER, [{ job: "a", schedule: "5 * * * *" }]);
    const [changed] = await readCrons(test.db);
    expect(changed).toMatchObject({ schedule: "5 * * * *", runs: 7, overdue: false });
    expect(changed.since.getTime()).toBeGreaterThan(Date.now() - 60_000);
    await announceSchedules(test.db, ANNOUNCER, [{ job: "renamed", schedule: "5 * * * *" }]);
    expect((await readCrons(test.db)).map(({ job }) => job)).toEqual(["renamed"]);
  });
});

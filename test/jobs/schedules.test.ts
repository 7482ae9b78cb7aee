import { describe, expect, it } from "vitest";
import { readCrons } from "../../lib/crons/read_crons.ts";
import {
  type Announcer,
  announceSchedules,
  listDisagreements,
  withdrawSchedules,
} from "../../lib/crons/schedules.ts";
import { registerCrons } from "../../jobs/crons.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { makeJobs } from "../helpers/jobs.ts";

const test = useTestDatabase();

const JOB = "start_scheduled_session";
const NIGHTLY = "30 2 * * *";
const LATER = "0 4 * * *";
const LONG_AGO = new Date("2026-01-01T00:00:00Z");
const process = (name: string, production = true): Announcer => ({ process: name, production });
const [web, worker] = [process("web:web-1"), process("worker:worker-2")];

function say(who: Announcer, schedule: string | null): Promise<void> {
  return announceSchedules(test.db, who, [{ job: JOB, schedule }]);
}

async function holds(): Promise<string> {
  const [cron] = await readCrons(test.db);
  return cron.schedule;
}

/** As if the process had said nothing for so long, and had begun before that. */
async function age(who: Announcer, seconds: number): Promise<void> {
  await test.db.query(
    `UPDATE cron_schedules SET seen_at = now() - $2 * interval '1 s', began_at = now() - $2 * interval '1 s' - interval '1 h'
     WHERE process = $1`,
    [who.process, seconds],
  );
}

describe("a schedule", () => {
  it("is not turned off by a process that has none while another one lives that has it", async () => {
    await say(web, NIGHTLY);
    await test.db.query("UPDATE crons SET since = $1", [LONG_AGO]);
    for (let restart = 0; restart < 3; restart++) {
      await say(process(`worker:${restart}`), null);
      expect(await readCrons(test.db)).toMatchObject([{ schedule: NIGHTLY, since: LONG_AGO }]);
    }
    expect(await listDisagreements(test.db)).toEqual([]);
  });

  it("is off when no process has it any more: they ended, started without it, or died", async () => {
    await say(worker, null);
    await say(web, NIGHTLY);
    await withdrawSchedules(test.db, web);
    expect(await holds()).toBe(NIGHTLY);
    await say(worker, null);
    expect(await holds()).toBe("off");
    await say(web, NIGHTLY);
    expect(await holds()).toBe(NIGHTLY);
    await say(web, null);
    expect(await holds()).toBe("off");
    await say(web, NIGHTLY);
    await age(web, 80);
    await say(worker, null);
    expect(await holds()).toBe(NIGHTLY);
    await age(web, 100);
    await say(worker, null);
    expect(await holds()).toBe("off");
  });

  it("that comes back after a restart counts from when it held before, so that no slot is lost", async () => {
    await say(web, NIGHTLY);
    await test.db.query("UPDATE crons SET since = $1", [LONG_AGO]);
    await withdrawSchedules(test.db, web);
    await say(worker, null);
    await say(process("web:web-3"), NIGHTLY);
    expect(await readCrons(test.db)).toMatchObject([{ schedule: NIGHTLY, since: LONG_AGO }]);
    await withdrawSchedules(test.db, process("web:web-3"));
    await say(worker, null);
    await test.db.query("UPDATE crons SET since = since - interval '11 minutes'");
    await say(web, NIGHTLY);
    const [late] = await readCrons(test.db);
    expect(late.since.getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  it("is that of the process that began last where two have different ones, and that is told once both stay", async () => {
    await say(web, NIGHTLY);
    await age(web, 0);
    await say(worker, LATER);
    expect(await holds()).toBe(LATER);
    await say(web, NIGHTLY);
    expect(await holds()).toBe(LATER);
    // The one may be in the place of the other, which was killed.
    expect(await listDisagreements(test.db)).toEqual([]);
    await test.db.query("UPDATE cron_schedules SET began_at = began_at - interval '2 min'");
    expect(await listDisagreements(test.db)).toEqual([{ job: JOB, schedules: [LATER, NIGHTLY] }]);
    await withdrawSchedules(test.db, worker);
    await say(web, NIGHTLY);
    expect(await holds()).toBe(NIGHTLY);
    expect(await listDisagreements(test.db)).toEqual([]);
  });

  it("of production is not changed by another timeline of Deno Deploy, which has its own only where nobody else is", async () => {
    const branch = process("web:branch", false);
    await say(branch, LATER);
    expect(await holds()).toBe(LATER);
    await say(branch, null);
    expect(await holds()).toBe("off");
    await say(web, NIGHTLY);
    await test.db.query("UPDATE crons SET since = $1", [LONG_AGO]);
    for (const schedule of [null, LATER]) {
      await say(branch, schedule);
      await announceSchedules(test.db, branch, [{ job: "renamed", schedule }]);
      await say(web, NIGHTLY);
      await withdrawSchedules(test.db, web);
      await say(branch, schedule);
      expect((await readCrons(test.db)).find(({ job }) => job === JOB)).toMatchObject({
        schedule: NIGHTLY,
        since: LONG_AGO,
      });
    }
    expect(await listDisagreements(test.db)).toEqual([]);
  });

  it("is kept by its process from its start to its end", async () => {
    const deno = Object.getOwnPropertyDescriptor(Deno, "cron")!;
    Object.defineProperty(Deno, "cron", { configurable: true, value: () => {} });
    try {
      const [first, second] = [registerCrons(), registerCrons()];
      await first.begin(
        makeJobs(test.db, { SCHEDULE: NIGHTLY, FEEDS: "feed.xml" }, { runner: "web:1" }).context,
      );
      const before = await readCrons(test.db);
      await second.begin(makeJobs(test.db, { DIGEST_SCHEDULE: "off" }, { runner: "worker:2" }).context);
      expect(await readCrons(test.db)).toEqual(before);
      await first.stop();
      const processes = await test.db.query("SELECT DISTINCT process FROM cron_schedules");
      expect(processes.rows).toEqual([{ process: "worker:2" }]);
      await second.stop();
    } finally {
      Object.defineProperty(Deno, "cron", deno);
    }
  });
});

import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CRONS } from "../../jobs/crons.ts";
import { readConfig } from "../../lib/config.ts";
import { openDatabase } from "../../lib/database/connect.ts";
import type { Database } from "../../lib/database/port.ts";
import { addArticles } from "../helpers/articles.ts";
import { dropDatabase, makeDatabase, SERVER, type TestDatabase } from "../helpers/database.ts";
import { endProcesses, environmentOf, startChild, startService } from "../helpers/process.ts";

/** Deno fires every cron after so many ms instead of once a minute; what is due is decided as ever. */
const OFTEN = { DENO_CRON_TEST_SCHEDULE_OFFSET: "100" };

let settings: TestDatabase["settings"];
let db: Database;
beforeEach(async () => {
  settings = await makeDatabase();
  const { database } = await openDatabase({ ...settings, role: "test", onConnectionError: () => {} });
  db = database;
});
afterEach(async () => {
  await endProcesses();
  await db.close();
  await dropDatabase(settings);
});

/** Rows as if services had been here for long, so that the newest slot is due at once. */
async function storeOldRows(schedules: readonly { job: string; schedule: string | null }[]): Promise<void> {
  await db.query(
    `INSERT INTO crons (job, schedule, since)
     SELECT job, coalesce(schedule, 'off'), '2020-01-01' FROM unnest($1::text[], $2::text[]) AS c (job, schedule)`,
    [schedules.map(({ job }) => job), schedules.map(({ schedule }) => schedule)],
  );
}

/** Every slot that was taken, with the round of the test in which that was: a round opens the slots again. */
async function watchSlots(): Promise<void> {
  await db.query("CREATE TABLE round (number integer)");
  await db.query("INSERT INTO round VALUES (1)");
  await db.query("CREATE TABLE taken (job text, slot timestamptz, runner text, round integer)");
  await db.query(`CREATE FUNCTION note_slot() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO taken SELECT NEW.job, NEW.last_slot, NEW.runner, number FROM round;
    RETURN NULL;
  END $$`);
  await db.query(`CREATE TRIGGER slots AFTER UPDATE OF tries ON crons
    FOR EACH ROW WHEN (NEW.running_since IS NOT NULL) EXECUTE FUNCTION note_slot()`);
  // Also the attempts that get nothing.
  await db.query("CREATE TABLE attempts (n integer GENERATED ALWAYS AS IDENTITY)");
  await db.query(`CREATE FUNCTION note_attempt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO attempts DEFAULT VALUES;
    RETURN NULL;
  END $$`);
  await db.query(`CREATE TRIGGER attempts AFTER UPDATE OF tries ON crons
    FOR EACH STATEMENT EXECUTE FUNCTION note_attempt()`);
}

async function openSlotsAgain(): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query("UPDATE round SET number = number + 1");
    await tx.query("UPDATE crons SET last_slot = last_slot - interval '1 day'");
  });
}

/** Jobs that have run in this round, each with how often a slot of it was taken at most. */
async function takenInRound(): Promise<Record<string, number>> {
  const { rows } = await db.query<{ job: string; times: number }>(
    `SELECT job, max(times) AS times FROM (
       SELECT job, count(*) AS times FROM taken WHERE round = (SELECT number FROM round) GROUP BY job, slot
     ) slots GROUP BY job ORDER BY job`,
  );
  return Object.fromEntries(rows.map(({ job, times }) => [job, times]));
}

async function runners(): Promise<string[]> {
  const { rows } = await db.query<{ runner: string }>("SELECT DISTINCT runner FROM taken ORDER BY runner");
  return rows.map(({ runner }) => runner);
}

const idle = async () =>
  (await db.query("SELECT FROM crons WHERE running_since IS NOT NULL")).rows.length === 0;

/** Rounds until both processes have had their share: in each, every slot of these jobs is taken once. */
async function playRounds(jobs: readonly string[], least: number): Promise<void> {
  const once = Object.fromEntries(jobs.map((job) => [job, 1]));
  for (let round = 1; round <= least || (round <= 40 && (await runners()).length < 2); round++) {
    if (round > 1) await openSlotsAgain();
    await expect.poll(takenInRound, { timeout: 60_000 }).toEqual(once);
    await expect.poll(idle, { timeout: 60_000 }).toBe(true);
    await seeAttempts(4 * jobs.length);
    expect(await takenInRound()).toEqual(once);
  }
}

/** Resolves when so many more attempts were made: enough for every process to have tried again. */
async function seeAttempts(more: number): Promise<void> {
  const made = async () => (await db.query("SELECT FROM attempts")).rows.length;
  const before = await made();
  await expect.poll(made, { timeout: 60_000 }).toBeGreaterThanOrEqual(before + more);
}

describe("two processes on one database", () => {
  const JOBS = ["a", "b", "c"];
  beforeEach(async () => {
    // Hourly, so that a slower run does not see the next slot begin.
    await storeOldRows(JOBS.map((job) => ({ job, schedule: "0 * * * *" })));
    await db.query("CREATE TABLE fired (job text, slot timestamptz, runner text)");
    await watchSlots();
  });

  it("run each slot of each cron once, round after round", async () => {
    const processes = ["one", "two"].map((RUNNER) =>
      startChild("run_crons", { ...environmentOf(settings), ...OFTEN, RUNNER })
    );
    await Promise.all(processes.map((started) => started.printed(/ready/)));
    await playRounds(JOBS, 8);
    expect(await runners()).toEqual(["one", "two"]);
    const read = async (table: string) =>
      (await db.query(`SELECT job, slot, runner FROM ${table} ORDER BY job, slot, runner`)).rows;
    await expect.poll(async () =>
      JSON.stringify([await read("fired")]) === JSON.stringify([await read("taken")])
    )
      .toBe(true);
  }, 120_000);

  it(
    "follow each other when one is killed in the middle of a run: the slot is run again after its lease",
    async () => {
      const env = { ...environmentOf(settings), ...OFTEN };
      const doomed = startChild("run_crons", { ...env, RUNNER: "doomed", HANG: "yes" });
      await expect.poll(takenInRound, { timeout: 60_000 }).toEqual({ a: 1, b: 1, c: 1 });
      doomed.kill("SIGKILL");
      await doomed.ended;
      const next = startChild("run_crons", { ...env, RUNNER: "next" });
      await next.printed(/ready/);
      await seeAttempts(2 * JOBS.length);
      expect(await runners()).toEqual(["doomed"]);
      const { rows: [slot] } = await db.query<{ last_slot: Date }>(
        "SELECT last_slot FROM crons WHERE job = 'a'",
      );
      await db.query("UPDATE crons SET lease_until = now()");
      await expect.poll(async () =>
        (await db.query("SELECT runner, tries, runs, running_since, last_error FROM crons WHERE job = 'a'"))
          .rows
      ).toEqual([{
        runner: "next",
        tries: expect.any(Number),
        runs: 1,
        running_since: null,
        last_error: null,
      }]);
      const { rows } = await db.query(
        "SELECT runner FROM fired WHERE job = 'a' AND slot >= $1 ORDER BY runner",
        [
          slot.last_slot,
        ],
      );
      expect(rows).toEqual([{ runner: "doomed" }, { runner: "next" }]);
    },
    120_000,
  );
});

// On the embedded database a second service is refused.
describe.skipIf(!SERVER)("two services on one PostgreSQL", () => {
  it("run each slot of each cron once; the night has one session and one word about it", async () => {
    const feed = join(settings.dataDir, "feed.xml");
    await Deno.writeTextFile(feed, '<rss version="2.0"><channel><title>f</title></channel></rss>');
    const env = {
      ...environmentOf(settings),
      FEEDS: feed,
      FEEDS_SCHEDULE: "* * * * *",
      SCHEDULE: "* * * * *",
      DIGEST_SCHEDULE: "* * * * *",
      PORT: "0",
    };
    const config = readConfig(env);
    await storeOldRows(CRONS.map(({ job, schedule }) => ({ job, schedule: schedule(config) })));
    await watchSlots();
    await addArticles(db, 3);
    const folders = await Promise.all(
      ["one", "two"].map((name) => Deno.makeTempDir({ prefix: `nd-${name}-` })),
    );
    const services = folders.map((DATA_DIR) => startService({ ...env, ...OFTEN, DATA_DIR }));
    await Promise.all(services.map((service) => service.printed(/"msg":"ready"/)));

    await playRounds(CRONS.map(({ job }) => job).toSorted(), 3);
    expect(await runners()).toHaveLength(2);
    const { rows: failed } = await db.query("SELECT job, last_error FROM crons WHERE last_error IS NOT NULL");
    expect(failed).toEqual([]);
    const { rows: sessions } = await db.query(
      "SELECT started_by, request_key FROM batch_processing_sessions WHERE total > 0",
    );
    expect(sessions).toEqual([{
      started_by: "cron:start_scheduled_session",
      request_key: expect.stringMatching(/^scheduled_session:/),
    }]);
    const { rows: told } = await db.query(
      "SELECT detail ->> 'slot' AS slot, count(*) AS times FROM alerts WHERE text LIKE 'Nightly session 1 started%' GROUP BY 1",
    );
    expect(told).toEqual([{ slot: expect.any(String), times: 1 }]);

    services[0].kill("SIGKILL");
    services[1].kill("SIGTERM");
    expect((await services[1].ended).code).toBe(0);
    await services[0].ended;
    await Promise.all(folders.map((folder) => Deno.remove(folder, { recursive: true })));
  }, 120_000);
});

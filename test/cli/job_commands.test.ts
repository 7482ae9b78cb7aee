import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CRONS } from "../../jobs/crons.ts";
import { readConfig } from "../../lib/config.ts";
import { announceSchedules } from "../../lib/crons/schedules.ts";
import type { CronState } from "../../lib/crons/read_crons.ts";
import { describeCrons } from "../../lib/cli/describe_crons.ts";
import { addArticles } from "../helpers/articles.ts";
import { openTestDatabase, type TestDatabase } from "../helpers/database.ts";
import { ANNOUNCER } from "../helpers/jobs.ts";
import { keepDesk } from "../helpers/kept_desk.ts";
import { endProcesses, environmentOf } from "../helpers/process.ts";

const desk = keepDesk();
let test: TestDatabase;
let env: Record<string, string>;
let files: string;
// This process owns the database; every command joins it, as it joins a service.
beforeAll(async () => {
  test = await openTestDatabase();
  files = await Deno.makeTempDir({ prefix: "nd-files-" });
  env = environmentOf(test.settings);
});
afterEach(endProcesses);
afterAll(async () => {
  await test.close();
  await Deno.remove(files, { recursive: true });
});

const NAMES = CRONS.map(({ job }) => job);

async function readSlots() {
  const { rows } = await test.db.query("SELECT job, last_slot, runs, runner FROM crons ORDER BY job");
  return rows;
}

describe("desk run", () => {
  it("without a job lists all of them, also before a service has set their schedules", async () => {
    const before = await desk(["run"], env);
    for (const name of NAMES) expect(before.stdout).toMatch(new RegExp(`^${name} +not set yet$`, "m"));
    expect(before.stdout).toMatch(/\nNo service has run yet: start one with: deno task start\n$/);
    expect([before.code, before.stderr]).toEqual([0, ""]);
    const config = readConfig(env);
    await announceSchedules(
      test.db,
      ANNOUNCER,
      CRONS.map(({ job, schedule }) => ({ job, schedule: schedule(config) })),
    );
    const [plain, json] = await Promise.all([desk(["run"], env), desk(["run", "--json"], env)]);
    expect(plain.stdout).toMatch(/^deliver_alerts +\* \* \* \* \* +\d{4}-\d\d-\d\d \d\d:\d\d +not run yet$/m);
    expect(plain.stdout).toMatch(/^start_scheduled_session +off +off$/m);
    expect(JSON.parse(json.stdout)).toHaveLength(NAMES.length);
  });

  it.each(NAMES)("%s runs it now, beside its slots, and says what it did", async (name) => {
    const slots = await readSlots();
    const { code, stdout, stderr } = await desk(["run", name], env);
    expect(stdout).toMatch(/^[A-Z0-9][^\n]+\n$/);
    expect([code, stderr]).toEqual([0, ""]);
    const json = await desk(["run", name, "--json"], env);
    expect(JSON.parse(json.stdout)).toMatchObject({ job: name, text: expect.any(String) });
    expect(await readSlots()).toEqual(slots);
  });

  it("says how to go on when it has started a session and nobody works", async () => {
    await addArticles(test.db, 1);
    const { code, stdout, stderr } = await desk(["run", "start_scheduled_session"], env);
    expect(stdout).toMatch(/^Nightly session 1 started: 1 article, expected /);
    expect(stderr).toBe(
      "Nobody is at work on it. Start the service, or go on here with: deno task desk resume 1\n",
    );
    expect(code).toBe(0);
    const { rows } = await test.db.query("SELECT started_by FROM batch_processing_sessions");
    expect(rows).toEqual([{ started_by: "operator:cli" }]);
    const due = await desk(["run", "dispatch_due_batches"], env);
    expect(due.stdout).toBe("Work is due in session 1\n");
    expect(due.stderr).toMatch(/desk resume 1\n$/);
  });

  it("asks after a job that there is not, with exit code 2 and before anything is opened", async () => {
    const elsewhere = { DATA_DIR: join(files, "unused") };
    const [near, far] = await Promise.all([
      desk(["run", "monitor"], elsewhere),
      desk(["run", "make_coffee"], elsewhere),
    ]);
    expect(near.stderr).toMatch(
      /^Cannot run "monitor": wanted one of [^\n]*; did you mean monitor_batch_processing\?\n$/,
    );
    expect(far.stderr).toMatch(/^Cannot run "make_coffee": wanted one of [^\n]*, send_digest\n$/);
    expect([near.code, far.code, near.stdout, far.stdout]).toEqual([2, 2, "", ""]);
    await expect(Deno.stat(elsewhere.DATA_DIR)).rejects.toThrow(Deno.errors.NotFound);
  });
});

describe("desk feeds", () => {
  it("lists the feeds with what they brought, or that there are none", async () => {
    expect((await desk(["feeds"], env)).stdout).toBe("No feeds are set: name some in FEEDS\n");
    const good = join(files, "good.xml");
    await Deno.writeTextFile(good, '<rss version="2.0"><channel><title>f</title></channel></rss>');
    const some = {
      ...env,
      FEEDS: `${good},${join(files, "missing.xml")},https://a.example/?token=hunter2hunter2`,
    };
    await test.db.query("INSERT INTO feeds (location, failures, last_error) VALUES ($1, 2, 'no answer')", [
      "https://a.example/?token=hunter2hunter2",
    ]);
    await desk(["ingest"], some);
    const [plain, json] = await Promise.all([desk(["feeds"], some), desk(["feeds", "--json"], some)]);
    expect(plain.stdout).toMatch(/good\.xml +\d{4}-\d\d-\d\d \d\d:\d\d +0 +ok$/m);
    expect(plain.stdout).toMatch(/missing\.xml +0 +failed once: Cannot read /m);
    expect(plain.stdout).toMatch(/^https:\/\/a\.example\/\?token=… +0 +failed 2 times in a row: no answer$/m);
    expect(JSON.parse(json.stdout)).toMatchObject([{ failures: 0 }, { failures: 1 }, { failures: 2 }]);
    expect(plain.stdout + json.stdout).not.toContain("hunter2");
  });
});

describe("the state of a cron", () => {
  const NOW = new Date("2026-11-24T12:00:30Z");
  const fine: CronState = {
    job: "a",
    schedule: "* * * * *",
    since: new Date("2026-11-01T00:00:00Z"),
    last_slot: new Date("2026-11-24T12:00:00Z"),
    next_slot: new Date("2026-11-24T12:01:00Z"),
    running_since: null,
    runner: "worker:service-1",
    last_ended_at: NOW,
    last_ok_at: NOW,
    last_error: null,
    retry_at: null,
    runs: 9,
    failures: 0,
    running: false,
    overdue: false,
  };
  const began = { running_since: new Date("2026-11-24T12:00:00Z") };
  const STATES: [state: string, change: Partial<CronState>][] = [
    ["ok", {}],
    ["running for 30s, ok", { ...began, running: true }],
    ["cut short", began],
    ["overdue, cut short", { ...began, overdue: true }],
    ["overdue", { overdue: true }],
    ["failed: no answer", { last_error: "no answer", failures: 1 }],
    ["overdue, failed: no answer", { overdue: true, last_error: "no answer" }],
    ["not run yet", { last_slot: null, last_ended_at: null, last_ok_at: null, runs: 0 }],
    ["off", { schedule: "off", next_slot: null }],
  ];

  it.each(STATES)("is told as: %s", (state, change) => {
    const [, line] = describeCrons([{ ...fine, ...change }], [{ job: "a", help: "" }], NOW).split("\n");
    expect(line.endsWith(`  ${state}`)).toBe(true);
  });
});

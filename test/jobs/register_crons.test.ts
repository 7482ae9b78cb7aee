import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type CronJob, type Crons, registerCrons } from "../../jobs/crons.ts";
import type { Job } from "../../jobs/job.ts";
import { readCrons } from "../../lib/crons/read_crons.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { makeJobs, type TestJobs } from "../helpers/jobs.ts";

const test = useTestDatabase();

const deno = Object.getOwnPropertyDescriptor(Deno, "cron")!;
let fire: Map<string, () => Promise<void>>;
let crons: Crons;
let jobs: TestJobs;
// The clock is Deno's part; here the tests are the clock.
beforeEach(() => {
  fire = new Map();
  const register = (
    name: string,
    _schedule: string,
    options: { signal: AbortSignal },
    run: () => Promise<void>,
  ) => {
    fire.set(name, () => options.signal.aborted ? Promise.resolve() : run());
    return Promise.resolve();
  };
  Object.defineProperty(Deno, "cron", { configurable: true, value: register });
  jobs = makeJobs(test.db);
});
afterEach(async () => {
  Object.defineProperty(Deno, "cron", deno);
  await crons.stop();
});

const said = (text: string) => Promise.resolve({ text, detail: {} });
const job = (name: string, run: Job): CronJob => ({
  job: name,
  help: "",
  // Last January's slot: it is due once, whenever the test runs.
  schedule: () => "0 0 1 1 *",
  limitMs: 60_000,
  run,
});

/** As if the service had been set up long ago, so that the slot is not from before its time. */
async function begin(): Promise<void> {
  await crons.begin(jobs.context);
  await test.db.query("UPDATE crons SET since = '2020-01-01'");
}

describe("a cron that fires", () => {
  it("waits for the service to be ready, and then runs", async () => {
    const run = vi.fn<Job>(() => said("done"));
    crons = registerCrons([job("a", run)]);
    const fired = fire.get("a")!();
    await readCrons(test.db);
    expect(run).not.toHaveBeenCalled();
    await test.db.query("INSERT INTO crons (job, schedule, since) VALUES ('a', '0 0 1 1 *', '2020-01-01')");
    await begin();
    await fired;
    expect(run).toHaveBeenCalledExactlyOnceWith(jobs.context, {
      actor: "cron:a",
      slot: new Date(Date.UTC(new Date().getUTCFullYear(), 0, 1)),
      signal: expect.any(AbortSignal),
    });
    expect((await readCrons(test.db))[0]).toMatchObject({ runner: "worker:test", runs: 1, last_error: null });
  });

  it("does nothing when the service has not come up within half a minute", async () => {
    const run = vi.fn<Job>(() => said("done"));
    crons = registerCrons([job("a", run)]);
    vi.useFakeTimers();
    const fired = fire.get("a")!();
    await vi.advanceTimersByTimeAsync(30_000);
    await fired;
    vi.useRealTimers();
    expect(run).not.toHaveBeenCalled();
  });

  it("does not let a failure out, where Deno would print it with its secrets, and logs it without", async () => {
    const failing = job("a", () => Promise.reject(new Error("refused the key hunter2hunter2")));
    const lost = job("b", () => said("never"));
    jobs.context.scrub = (text) => text.replaceAll("hunter2hunter2", "[secret]");
    crons = registerCrons([failing, lost]);
    await begin();
    await fire.get("a")!();
    expect(jobs.logged).toEqual([
      expect.stringMatching(/"level":"error","message":"a cron failed.*refused the key \[secret\]/),
    ]);
    expect((await readCrons(test.db))[0]).toMatchObject({ last_error: "refused the key [secret]" });
    jobs.context.db = { ...test.db, query: () => Promise.reject(new Error("the database is away")) };
    await fire.get("b")!();
    expect(jobs.logged[1]).toMatch(/"level":"warn".*"job":"b","error":"the database is away"/);
  });

  it("runs nothing once the process is told to stop, and gives up what runs so that another takes it", async () => {
    let told = false;
    const stuck = job(
      "a",
      (_, { signal }) => new Promise(() => signal.addEventListener("abort", () => told = true)),
    );
    const late = vi.fn<Job>(() => said("done"));
    crons = registerCrons([stuck, job("b", late)]);
    await begin();
    const fired = fire.get("a")!();
    await expect.poll(async () => (await readCrons(test.db))[0].running).toBe(true);
    await crons.stop();
    await fired;
    expect(told).toBe(true);
    await fire.get("b")!();
    expect(late).not.toHaveBeenCalled();
    expect((await readCrons(test.db))[0]).toMatchObject({ running: false, runs: 0, last_error: null });
  });

  it("is waited for a moment when the process stops", async () => {
    const gate = Promise.withResolvers<void>();
    crons = registerCrons([job("a", () => gate.promise.then(() => said("done")))]);
    await begin();
    const fired = fire.get("a")!();
    await expect.poll(async () => (await readCrons(test.db))[0].running).toBe(true);
    const stopped = crons.stop();
    gate.resolve();
    await Promise.all([stopped, fired]);
    expect((await readCrons(test.db))[0]).toMatchObject({ running: false, runs: 1 });
  });
});

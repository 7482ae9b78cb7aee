import { describe, expect, it, vi } from "vitest";
import { type Cron, runCron, type RunCronOptions } from "../../jobs/run_cron.ts";
import { announceSchedules } from "../../lib/crons/schedules.ts";
import { type CronState, readCrons } from "../../lib/crons/read_crons.ts";
import { createScrubber } from "../../lib/log.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { ANNOUNCER } from "../helpers/jobs.ts";

const test = useTestDatabase();

const JOB = "count_things";
const NIGHTLY: Cron = { job: JOB, schedule: "30 2 * * *", limitMs: 60_000 };
const DAY_BEFORE = new Date("2026-11-22T12:00:00Z");
const at = (time: string) => new Date(`2026-11-23T${time}Z`);

/** The row as the service makes it at its start, long enough ago for every slot of the test. */
async function configure(schedule: string | null = NIGHTLY.schedule): Promise<void> {
  await announceSchedules(test.db, ANNOUNCER, [{ job: JOB, schedule }]);
  await test.db.query("UPDATE crons SET since = $1", [DAY_BEFORE]);
}

function runAt(now: Date | undefined, run: (slot: Date, signal: AbortSignal) => Promise<unknown>, more: {
  cron?: Partial<Cron>;
  options?: Partial<RunCronOptions>;
} = {}) {
  const options = { runner: "one", scrub: (text: string) => text, signal: new AbortController().signal, now };
  return runCron(test.db, { ...NIGHTLY, ...more.cron }, run, { ...options, ...more.options });
}

const runNow = (run: Parameters<typeof runAt>[1], more: Parameters<typeof runAt>[2] = {}) =>
  runAt(undefined, run, more);

async function readCron(now?: Date): Promise<CronState> {
  const [cron] = await readCrons(test.db, now);
  return cron;
}

const nothing = { outcome: "nothing" };
const count = () => vi.fn((_slot: Date) => Promise.resolve());

describe("a slot", () => {
  it("is run by one of twenty processes that fire at the same moment, round after round", async () => {
    await configure("* * * * *");
    const run = count();
    for (let minute = 0; minute < 10; minute++) {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, process) =>
          runAt(at(`02:3${minute}:00`), run, {
            cron: { schedule: "* * * * *" },
            options: { runner: `process ${process}` },
          })),
      );
      expect(outcomes.filter(({ outcome }) => outcome === "done")).toHaveLength(1);
      expect(outcomes.filter(({ outcome }) => outcome === "nothing")).toHaveLength(19);
    }
    expect(run.mock.calls.map(([slot]) => slot)).toEqual(
      Array.from({ length: 10 }, (_, minute) => at(`02:3${minute}:00`)),
    );
    expect(await readCron()).toMatchObject({ runs: 10, failures: 0, running: false });
  });

  it("is the same for a clock that is early, one that is right and one that is late", async () => {
    await configure();
    const run = count();
    expect(await runAt(at("02:29:29"), run)).toEqual({ outcome: "nothing" });
    expect(await runAt(at("02:29:31"), run)).toMatchObject({ outcome: "done", slot: at("02:30:00") });
    expect(await runAt(at("02:30:00"), run)).toEqual(nothing);
    expect(await runAt(at("02:30:45"), run)).toEqual(nothing);
    expect(run).toHaveBeenCalledOnce();
  });

  it("that nobody ran is run once, late, and only the newest of them", async () => {
    await configure();
    const run = count();
    const threeDaysOn = new Date("2026-11-26T09:00:00Z");
    expect(await runAt(threeDaysOn, run)).toMatchObject({ outcome: "done" });
    expect(await runAt(threeDaysOn, run)).toEqual(nothing);
    expect(run).toHaveBeenCalledExactlyOnceWith(new Date("2026-11-26T02:30:00Z"), expect.any(AbortSignal));
  });

  it("from before the cron had its schedule belongs to nobody", async () => {
    await configure();
    await test.db.query("UPDATE crons SET since = $1", [at("08:00:00")]);
    const run = count();
    expect(await runAt(at("08:00:30"), run)).toEqual(nothing);
    expect(await runAt(new Date("2026-11-24T02:30:00Z"), run)).toMatchObject({ outcome: "done" });
  });

  it("is left to those who know the newest schedule", async () => {
    await configure("45 2 * * *");
    const run = count();
    expect(await runAt(at("02:45:00"), run)).toEqual(nothing);
    expect(await runAt(at("02:45:00"), run, { cron: { schedule: "45 2 * * *" } })).toMatchObject({
      outcome: "done",
      slot: at("02:45:00"),
    });
    await configure(null);
    expect(await runAt(new Date("2026-11-24T02:45:00Z"), run, { cron: { schedule: "45 2 * * *" } }))
      .toEqual(nothing);
    expect(await runAt(at("23:00:00"), run, { cron: { schedule: null } })).toEqual(nothing);
    expect(run).toHaveBeenCalledOnce();
  });

  it("is not waited for when a wrong clock has taken one of the next century", async () => {
    await configure();
    await test.db.query("UPDATE crons SET since = '2101-01-01', last_slot = '2101-02-01'");
    expect(await runAt(at("02:30:00"), count())).toMatchObject({ outcome: "done", slot: at("02:30:00") });
  });
});

describe("a run", () => {
  it("that is still going makes the next slots skip, in this process and in others", async () => {
    await configure("* * * * *");
    const everyMinute = { cron: { schedule: "* * * * *" } };
    const gate = Promise.withResolvers<void>();
    const slow = runAt(at("02:30:00"), () => gate.promise, everyMinute);
    await expect.poll(async () => (await readCron(at("02:30:01"))).running).toBe(true);
    const run = count();
    expect(await runAt(at("02:30:30"), run, everyMinute)).toEqual(nothing);
    expect(await runAt(at("02:30:44"), run, { ...everyMinute, options: { runner: "two" } })).toEqual(nothing);
    gate.resolve();
    expect(await slow).toMatchObject({ outcome: "done" });
    expect(await runAt(at("02:32:00"), run, everyMinute)).toMatchObject({ slot: at("02:32:00") });
    expect(run).toHaveBeenCalledOnce();
    expect(await readCron()).toMatchObject({ runs: 2 });
  });

  it("lives as long as it says so, however long it takes", async () => {
    await configure();
    const gate = Promise.withResolvers<void>();
    const slow = runAt(at("02:30:00"), () => gate.promise, { options: { beatMs: 5 } });
    const renewedTo = async () =>
      (await test.db.query<{ lease_until: Date | null }>("SELECT lease_until FROM crons")).rows[0]
        .lease_until?.getTime() ?? 0;
    // The first lease counts from the test's now; renewed it counts from the clock of the database.
    await expect.poll(renewedTo).toBeGreaterThan(at("03:00:00").getTime());
    const first = await renewedTo();
    await expect.poll(renewedTo).toBeGreaterThan(first);
    gate.resolve();
    expect(await slow).toMatchObject({ outcome: "done" });
  });

  it("whose process died is followed by another one after its lease, for the same slot", async () => {
    await configure();
    void runAt(at("02:30:00"), () => new Promise(() => {}), { options: { runner: "dead" } });
    await expect.poll(async () => (await readCron(at("02:30:01"))).running).toBe(true);
    const run = count();
    expect(await runAt(at("02:30:40"), run, { options: { runner: "two" } })).toEqual(nothing);
    expect(await runAt(at("02:31:00"), run, { options: { runner: "two" } })).toMatchObject({
      outcome: "done",
      slot: at("02:30:00"),
    });
    expect(await readCron()).toMatchObject({ runs: 1, runner: "two", last_error: null });
  });

  it("that kills whoever runs it is given up after three processes; the next slot is tried again", async () => {
    await configure();
    const killing = vi.fn(() => new Promise(() => {}));
    for (const time of ["02:30:00", "02:32:00", "02:34:00"]) {
      void runAt(at(time), killing, { options: { runner: time } });
      await expect.poll(async () => (await readCron()).runner).toBe(time);
    }
    expect(await runAt(at("02:36:00"), killing)).toEqual(nothing);
    expect(killing).toHaveBeenCalledTimes(3);
    expect(await readCron(at("02:40:00"))).toMatchObject({ running: false, overdue: true });
    expect(await runAt(new Date("2026-11-24T02:30:00Z"), count())).toMatchObject({ outcome: "done" });
  });

  it("that comes back from the dead changes nothing of the run that took its place", async () => {
    await configure();
    const gate = Promise.withResolvers<void>();
    const late = runAt(at("02:30:00"), () => gate.promise, { options: { runner: "late" } });
    await expect.poll(async () => (await readCron(at("02:30:01"))).running).toBe(true);
    const other = Promise.withResolvers<void>();
    const second = runAt(at("02:32:00"), () => other.promise, { options: { runner: "two" } });
    await expect.poll(async () => (await readCron()).runner).toBe("two");
    gate.resolve();
    expect(await late).toMatchObject({ outcome: "done" });
    expect(await readCron(at("02:32:01"))).toMatchObject({ running: true, runner: "two", runs: 0 });
    other.resolve();
    await second;
    expect(await readCron()).toMatchObject({ running: false, runs: 1 });
  });

  it("notices within a beat that another process has its slot", async () => {
    await configure();
    const lost = runAt(at("02:30:00"), () => new Promise(() => {}), { options: { beatMs: 5 } });
    await expect.poll(async () => (await readCron(at("02:30:01"))).running).toBe(true);
    await test.db.query("UPDATE crons SET runner = 'two'");
    expect(await lost).toEqual({
      outcome: "failed",
      slot: at("02:30:00"),
      error: "another process has taken its place",
    });
    expect(await readCron()).toMatchObject({ runner: "two", runs: 0, last_error: null });
  });

  it("that fails leaves one line without secrets, and the next slot runs and clears it", async () => {
    await configure();
    const failing = () => Promise.reject(new Error("no answer from\n  https://host/?key=hunter2hunter2"));
    const failed = await runAt(at("02:30:00"), failing, {
      options: { scrub: createScrubber(["hunter2hunter2"]) },
    });
    const error = "no answer from https://host/?key=[secret]";
    expect(failed).toEqual({ outcome: "failed", slot: at("02:30:00"), error });
    expect(await readCron()).toMatchObject({ last_error: error, last_ok_at: null, runs: 1, failures: 1 });
    expect(await runAt(at("02:30:30"), count())).toEqual(nothing);
    expect(await runAt(new Date("2026-11-24T02:30:00Z"), count())).toMatchObject({ outcome: "done" });
    expect(await readCron()).toMatchObject({
      last_error: null,
      last_ok_at: expect.any(Date),
      runs: 2,
      failures: 1,
    });
  });

  it("that fails is taken again after a minute, by whoever fires then, and the job is told the same slot", async () => {
    await configure();
    const run = vi.fn((_slot: Date) => Promise.resolve());
    run.mockRejectedValueOnce(new Error("the backend was terminated"));
    expect(await runAt(at("02:30:00"), run)).toMatchObject({ outcome: "failed" });
    expect(await readCron(at("02:30:30"))).toMatchObject({ retry_at: at("02:31:00"), overdue: false });
    const two = { options: { runner: "two" } };
    expect(await runAt(at("02:30:59"), run, two)).toEqual(nothing);
    expect(await runAt(at("02:31:00"), run, two)).toMatchObject({ outcome: "done", slot: at("02:30:00") });
    expect(await readCron()).toMatchObject({
      retry_at: null,
      runs: 2,
      failures: 1,
      last_error: null,
      runner: "two",
    });
    expect(await runAt(at("02:40:00"), run)).toEqual(nothing);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it("that fails three times, at longer and longer distance, is given up until the next slot", async () => {
    await configure();
    const failing = vi.fn(() => Promise.reject(new Error("no")));
    for (
      const [time, again] of [["02:30:00", "02:31:00"], ["02:31:30", "02:36:30"], ["02:36:30", null]] as const
    ) {
      expect(await runAt(at(time), failing)).toMatchObject({ outcome: "failed", slot: at("02:30:00") });
      expect(await readCron()).toMatchObject({ retry_at: again && at(again) });
    }
    expect(await runAt(at("09:00:00"), failing)).toEqual(nothing);
    expect(await runAt(new Date("2026-11-24T02:30:00Z"), count())).toMatchObject({ outcome: "done" });
  });

  it("that fails is not taken again when the next slot comes first", async () => {
    const everyMinute = { cron: { schedule: "* * * * *" } };
    await configure("* * * * *");
    expect(await runAt(at("02:30:00"), () => Promise.reject(new Error("no")), everyMinute))
      .toMatchObject({ outcome: "failed" });
    expect(await readCron()).toMatchObject({ retry_at: null });
    expect(await runAt(at("02:30:29"), count(), everyMinute)).toEqual(nothing);
    expect(await runAt(at("02:31:00"), count(), everyMinute)).toMatchObject({ slot: at("02:31:00") });
  });

  it("that takes too long has failed, and its job is told", async () => {
    await configure();
    let told: unknown;
    const outcome = await runAt(at("02:30:00"), (_, signal) => {
      signal.addEventListener("abort", () => told = signal.reason);
      return new Promise(() => {});
    }, { cron: { limitMs: 20 } });
    expect(outcome).toMatchObject({ outcome: "failed", error: "took longer than 0.02 s and was given up" });
    expect(told).toBeInstanceOf(Error);
    expect(await readCron()).toMatchObject({ running: false, failures: 1 });
  });

  it("that the end of its process cuts short is taken up by the next process at once", async () => {
    // The slot is last January's, so that the clock of the database serves for both processes.
    const yearly = { cron: { schedule: "0 0 1 1 *" } };
    await configure(yearly.cron.schedule);
    await test.db.query("UPDATE crons SET since = '2020-01-01'");
    const ending = new AbortController();
    const cut = runNow(() => new Promise(() => {}), { ...yearly, options: { signal: ending.signal } });
    await expect.poll(async () => (await readCron()).running).toBe(true);
    const run = count();
    expect(await runNow(run, { ...yearly, options: { runner: "two" } })).toEqual(nothing);
    ending.abort();
    expect(await cut).toMatchObject({ outcome: "stopped" });
    expect(await readCron()).toMatchObject({ running: false, runs: 0, last_error: null });
    expect(await runNow(run, { ...yearly, options: { runner: "two" } })).toMatchObject({ outcome: "done" });
    expect(run).toHaveBeenCalledOnce();
  });
});

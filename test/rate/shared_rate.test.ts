import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BURST_MS, type Reserved, shareRate, VALID_MS } from "../../lib/batches/worker/shared_rate.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { countFullest } from "./windows.ts";

const test = useTestDatabase();
const START = Date.UTC(2026, 10, 24, 3);

/** The test's time, ms since its start, as the database's. */
function at(ms: number): Date {
  return new Date(START + ms);
}

/** When the places of a reservation are, ms since the test's start. */
function timesOf({ count, firstMs, spacingMs }: Reserved, nowMs: number): number[] {
  return Array.from({ length: count }, (_, n) => nowMs + firstMs + n * spacingMs);
}

/** The same in places since `fromMs`, half a second before the test's start unless given: 0, 1, 2, … */
function placesOf(reserved: Reserved, nowMs: number, fromMs = -BURST_MS): number[] {
  return timesOf(reserved, nowMs).map((time) => round((time - fromMs) / reserved.spacingMs));
}

function round(places: number): number {
  return Math.round(places * 1_000) / 1_000;
}

describe("places for requests", () => {
  it("lie as far apart as the rate says, behind those that others have reserved", async () => {
    const [mine, yours] = [1, 2].map(() => shareRate(test.db, "gemini", 600));
    const first = await mine!.reserve({ count: 3, now: at(0) });
    expect(first).toMatchObject({ firstMs: -500, spacingMs: mine!.spacingMs });
    expect(placesOf(first, 0)).toEqual([0, 1, 2]);
    expect(placesOf(await yours!.reserve({ count: 2, now: at(10) }), 10)).toEqual([3, 4]);
    expect(placesOf(await mine!.reserve({ count: 6, now: at(20) }), 20)).toEqual([5, 6, 7, 8, 9, 10]);
    expect(placesOf(await yours!.reserve({ count: 1, now: at(30) }), 30)).toEqual([11]);
  });

  it("that nobody reserved are lost, but for half a second of them", async () => {
    const rate = shareRate(test.db, "gemini", 600);
    await rate.reserve({ count: 1, now: at(0) });
    const late = await rate.reserve({ count: 2, now: at(3_600_000) });
    expect(late.firstMs).toBe(-500);
    expect(placesOf(late, 0)).toEqual([0, 1]);
    expect(BURST_MS).toBe(500);
  });

  it("are not for a time that will be over when the answer is here", async () => {
    const rate = shareRate(test.db, "gemini", 600);
    expect(timesOf(await rate.reserve({ count: 1, laterMs: 3_000, now: at(0) }), 0)).toEqual([2_500]);
  });

  it("are taken by each process as far apart as its own setting says, over the same row", async () => {
    const slow = shareRate(test.db, "gemini", 60);
    const quick = shareRate(test.db, "gemini", 600);
    expect(placesOf(await slow.reserve({ count: 2, now: at(0) }), 0)).toEqual([0, 1]);
    const behind = -BURST_MS + 2 * slow.spacingMs;
    expect(placesOf(await quick.reserve({ count: 2, now: at(0) }), 0, behind)).toEqual([0, 1]);
    const last = await slow.reserve({ count: 1, now: at(0) });
    expect(placesOf(last, 0, behind + 2 * quick.spacingMs)).toEqual([0]);
    expect(quick.spacingMs).toBeLessThan(slow.spacingMs / 9);
  });

  it("do not wait for a time that is left of a clock that was set back", async () => {
    const rate = shareRate(test.db, "gemini", 600);
    await rate.reserve({ count: 5, closeMs: 30_000, now: at(86_400_000) });
    expect(await rate.reserve({ count: 1, now: at(0) })).toMatchObject({ firstMs: -500, closedMs: 0 });
  });

  it("of one provider are nothing to another", async () => {
    await shareRate(test.db, "gemini", 6).reserve({ count: 5, closeMs: 60_000, now: at(0) });
    const other = await shareRate(test.db, "other", 6).reserve({ count: 1, now: at(0) });
    expect(other).toMatchObject({ firstMs: -500, closedMs: 0 });
  });

  it("are given back when nobody stands behind them, and only then", async () => {
    const rate = shareRate(test.db, "gemini", 600);
    const first = await rate.reserve({ count: 5, now: at(0) });
    await rate.giveBack(2, first.end);
    const second = await rate.reserve({ count: 2, now: at(0) });
    expect(placesOf(second, 0)).toEqual([3, 4]);
    expect(second.end).toBe(first.end);
    await rate.reserve({ count: 1, now: at(0) });
    await rate.giveBack(2, second.end);
    expect(placesOf(await rate.reserve({ count: 1, now: at(0) }), 0)).toEqual([6]);
  });

  it("never let more leave in any minute than the rate, however late each is used, and hardly fewer", async () => {
    for (const rpm of [1, 2, 15, 60, 300, 1_000]) {
      await test.db.query("DELETE FROM rate_limits");
      const rate = shareRate(test.db, "gemini", rpm);
      const places: number[] = [];
      // Everything is taken as soon as it may be, over three minutes.
      for (let now = 0; now <= 180_000; now += 20_000) {
        const count = Math.max(1, Math.ceil(rpm / 3));
        places.push(...timesOf(await rate.reserve({ count, now: at(now) }), now));
      }
      // Those just before a minute may leave late, and so in it.
      const most = countFullest(places, 60_000 + VALID_MS);
      expect(most).toBeLessThanOrEqual(rpm);
      expect(most).toBeGreaterThanOrEqual(Math.floor(rpm * 0.98));
    }
  });

  it("never let more leave in any stretch of time than the rate and a second's worth, whoever does what", async () => {
    const rpms = [600, 600, 240];
    const step = fc.record({
      process: fc.nat(rpms.length - 1),
      count: fc.integer({ min: 1, max: 15 }),
      passesMs: fc.constantFrom(0, 1, 40, 400, 2_500),
      laterMs: fc.constantFrom(0, 0, 30, 700),
      /** How late each place is used, as a share of the time that it is good for. */
      late: fc.constantFrom(0, 0.5, 1),
      gives: fc.constantFrom(0, 0, 0, 0.5),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        await test.db.query("DELETE FROM rate_limits");
        const rates = rpms.map((rpm) => shareRate(test.db, "gemini", rpm));
        const left: number[] = [];
        let now = 0;
        for (const { process, count, passesMs, laterMs, late, gives } of steps) {
          now += passesMs;
          const rate = rates[process]!;
          const reserved = await rate.reserve({ count, laterMs, now: at(now) });
          const back = Math.floor(count * gives);
          if (back > 0) await rate.giveBack(back, reserved.end);
          for (const place of timesOf({ ...reserved, count: count - back }, now)) {
            const leaves = place + late * VALID_MS;
            if (leaves >= now) left.push(Math.max(place, leaves));
          }
        }
        for (const windowMs of [100, 1_000, 10_000, 60_000]) {
          const most = Math.floor((windowMs + VALID_MS) * 600 / 60_000) + 1;
          expect(countFullest(left, windowMs)).toBeLessThanOrEqual(most);
        }
        expect(countFullest(left, 60_000)).toBeLessThanOrEqual(600);
      }),
      { numRuns: 40 },
    );
  });

  it("are reserved one after the other by connections that ask at the same moment", async () => {
    const rates = Array.from({ length: 8 }, () => shareRate(test.db, "gemini", 100_000));
    const ends = (await Promise.all(
      Array.from({ length: 80 }, (_, n) => rates[n % 8]!.reserve({ count: 1_000 })),
    )).map(({ end }) => end).toSorted((a, b) => a - b);
    // Each 1,000 places behind the other, in microseconds.
    const length = Math.round(rates[0]!.spacingMs * 1_000) * 1_000;
    expect(ends.map((end) => end - ends[0]!)).toEqual(ends.map((_, n) => n * length));
  });
});

describe("closing", () => {
  it("is told to everybody who reserves, until its time is over", async () => {
    const [mine, yours] = [1, 2].map(() => shareRate(test.db, "gemini", 600));
    expect((await mine!.reserve({ count: 0, closeMs: 31_000, now: at(0) })).closedMs).toBe(31_000);
    expect((await yours!.reserve({ count: 1, now: at(1_000) })).closedMs).toBe(30_000);
    expect((await yours!.reserve({ count: 1, now: at(31_000) })).closedMs).toBe(0);
    expect((await yours!.reserve({ count: 1, now: at(40_000) })).closedMs).toBe(0);
  });

  it("for longer wins over a shorter one, whichever is told first", async () => {
    const rate = shareRate(test.db, "gemini", 600);
    await rate.reserve({ count: 0, closeMs: 31_000, now: at(0) });
    expect((await rate.reserve({ count: 0, closeMs: 2_000, now: at(0) })).closedMs).toBe(31_000);
    expect((await rate.reserve({ count: 0, closeMs: 40_000, now: at(0) })).closedMs).toBe(40_000);
  });

  it("takes no place", async () => {
    const rate = shareRate(test.db, "gemini", 6);
    await rate.reserve({ count: 0, closeMs: 1, now: at(0) });
    expect((await rate.reserve({ count: 1, now: at(0) })).firstMs).toBe(-500);
  });
});

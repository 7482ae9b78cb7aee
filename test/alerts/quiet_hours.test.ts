import { describe, expect, it } from "vitest";
import { isQuiet, nextMorning } from "../../lib/alerts/quiet_hours.ts";

const NIGHT = { from: 22 * 60, to: 7 * 60 };
const NOON = { from: 12 * 60, to: 13 * 60 + 30 };
const at = (text: string) => new Date(text);

describe("quiet hours", () => {
  it("hold over midnight, from their first minute to the one before their last", () => {
    const quiet = (time: string) => isQuiet(at(`2026-11-24T${time}Z`), NIGHT, "UTC");
    expect(["21:59:59", "22:00:00", "23:59:59", "00:00:00", "06:59:59", "07:00:00", "12:00:00"].map(quiet))
      .toEqual([false, true, true, true, true, false, false]);
  });

  it("hold inside a day too", () => {
    const quiet = (time: string) => isQuiet(at(`2026-11-24T${time}Z`), NOON, "UTC");
    expect(["11:59", "12:00", "13:29", "13:30"].map(quiet)).toEqual([false, true, true, false]);
  });

  it("are never without a setting", () => {
    expect(isQuiet(at("2026-11-24T03:00Z"), null, "UTC")).toBe(false);
  });

  it("are by the clock on the wall, before and after summer time begins and ends", () => {
    const berlin = (time: string) => isQuiet(at(time), NIGHT, "Europe/Berlin");
    // Summer time begins on 2026-03-29 at 01:00 UTC: 22:00 on the wall is 21:00 UTC, then 20:00 UTC.
    expect([berlin("2026-03-28T20:59Z"), berlin("2026-03-28T21:00Z")]).toEqual([false, true]);
    expect([berlin("2026-03-29T04:59Z"), berlin("2026-03-29T05:00Z")]).toEqual([true, false]);
    expect([berlin("2026-03-29T19:59Z"), berlin("2026-03-29T20:00Z")]).toEqual([false, true]);
    // It ends on 2026-10-25 at 01:00 UTC.
    expect([berlin("2026-10-24T19:59Z"), berlin("2026-10-24T20:00Z")]).toEqual([false, true]);
    expect([berlin("2026-10-25T05:59Z"), berlin("2026-10-25T06:00Z")]).toEqual([true, false]);
  });

  it("last through an hour that comes twice and an hour that does not come", () => {
    const small = { from: 2 * 60, to: 3 * 60 };
    const berlin = (time: string) => isQuiet(at(time), small, "Europe/Berlin");
    // 02:00 to 03:00 on the wall is there twice on the day that summer time ends …
    expect(["2026-10-24T23:59Z", "2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T02:00Z"].map(berlin))
      .toEqual([false, true, true, false]);
    // … and not at all on the day that it begins.
    expect(["2026-03-29T00:59Z", "2026-03-29T01:00Z", "2026-03-29T01:30Z"].map(berlin))
      .toEqual([false, false, false]);
  });

  it("know zones that are not whole hours away", () => {
    expect(isQuiet(at("2026-11-24T16:29Z"), NIGHT, "Asia/Kolkata")).toBe(false);
    expect(isQuiet(at("2026-11-24T16:30Z"), NIGHT, "Asia/Kolkata")).toBe(true);
  });
});

describe("the next morning", () => {
  const morning = (now: string, quiet: typeof NIGHT | null = NIGHT, zone = "Europe/Berlin") =>
    nextMorning(at(now), quiet, zone).toISOString();

  it("is the end of the quiet hours, today or tomorrow, or 7:00 where there are none", () => {
    expect(morning("2026-11-24T03:00Z")).toBe("2026-11-24T06:00:00.000Z");
    expect(morning("2026-11-24T06:00Z")).toBe("2026-11-25T06:00:00.000Z");
    expect(morning("2026-11-24T22:30Z")).toBe("2026-11-25T06:00:00.000Z");
    expect(morning("2026-11-24T03:00Z", NOON)).toBe("2026-11-24T12:30:00.000Z");
    expect(morning("2026-11-24T08:00Z", null, "America/New_York")).toBe("2026-11-24T12:00:00.000Z");
  });

  it("is by the clock on the wall in the nights of the clock changes", () => {
    expect(morning("2026-03-28T22:00Z")).toBe("2026-03-29T05:00:00.000Z");
    expect(morning("2026-10-24T22:00Z")).toBe("2026-10-25T06:00:00.000Z");
  });

  it("that falls into the hour that does not come is right after it", () => {
    expect(morning("2026-03-28T22:00Z", { from: 0, to: 150 })).toBe("2026-03-29T01:30:00.000Z");
  });
});

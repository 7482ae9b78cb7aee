import { describe, expect, it } from "vitest";
import { Pace } from "../../lib/batches/worker/pace.ts";

const CONCURRENCY = 16;

function paceOf({ callMs, claimMs = 5 }: { callMs: number | null; claimMs?: number }): Pace {
  const pace = new Pace(CONCURRENCY);
  for (let n = 0; n < 100; n++) {
    if (callMs !== null) pace.callTook(callMs);
    pace.claimTook(claimMs);
  }
  return pace;
}

describe("the pace of a worker", () => {
  it("claims nothing ahead while nobody knows how long calls take, nor when they take long", () => {
    for (const callMs of [null, 1_000, 4_000]) {
      const pace = paceOf({ callMs });
      expect([pace.wanted(0, 0, 0), pace.wanted(15, 0, 15), pace.wanted(16, 0, 16)]).toEqual([16, 1, 0]);
    }
  });

  it("claims about a round ahead of calls that are quick, and no more than four however slow a claim is", () => {
    expect(paceOf({ callMs: 500 }).wanted(16, 0, 16)).toBeLessThanOrEqual(CONCURRENCY + 1);
    expect(paceOf({ callMs: 100 }).wanted(16, 0, 16)).toBeGreaterThanOrEqual(CONCURRENCY);
    expect(paceOf({ callMs: 1, claimMs: 5_000 }).wanted(16, 0, 16)).toBe(4 * CONCURRENCY);
  });

  it("waits until half a round is missing while some are ready, and not when none is", () => {
    const pace = paceOf({ callMs: 100, claimMs: 0 });
    expect(pace.wanted(16, 16, 32)).toBe(0);
    expect(pace.wanted(16, 9, 25)).toBe(0);
    expect(pace.wanted(16, 8, 24)).toBe(8);
    expect(pace.wanted(16, 0, 16)).toBe(16);
    expect(new Pace(1).wanted(0, 0, 0)).toBe(1);
  });

  it("fills the slots first when nothing is under way, and claims ahead behind that", () => {
    const pace = paceOf({ callMs: 100 });
    expect([pace.wanted(0, 0, 0), pace.wanted(16, 0, 16)]).toEqual([CONCURRENCY, CONCURRENCY + 1]);
  });

  it("claims no more while too many wait to be settled", () => {
    const pace = paceOf({ callMs: 10, claimMs: 0 });
    expect(pace.wanted(0, 0, 8 * CONCURRENCY + 2 * CONCURRENCY)).toBeLessThanOrEqual(0);
  });

  it("spreads the starts of slow calls only", () => {
    expect(paceOf({ callMs: 5 }).startsPerMs).toBe(CONCURRENCY);
    expect(paceOf({ callMs: 100 }).startsPerMs).toBeLessThan(CONCURRENCY);
  });
});

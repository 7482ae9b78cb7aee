import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ArticleClock } from "../../lib/batches/worker/article_clock.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

it("an article's time is up after its limit, and the reason says so", () => {
  const { controller } = new ArticleClock(new AbortController(), 1_000);
  vi.advanceTimersByTime(999);
  expect(controller.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(controller.signal.reason).toMatchObject({ name: "TimeoutError" });
});

it("waiting for its turn does not use up an article's time, but what it used before counts", () => {
  const clock = new ArticleClock(new AbortController(), 1_000);
  vi.advanceTimersByTime(600);
  clock.stop();
  vi.advanceTimersByTime(3_600_000);
  clock.go();
  vi.advanceTimersByTime(399);
  expect(clock.controller.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(clock.controller.signal.aborted).toBe(true);
});

it("a stopped clock leaves no timer behind", () => {
  const clock = new ArticleClock(new AbortController(), 1_000);
  clock.stop();
  expect(vi.getTimerCount()).toBe(0);
});

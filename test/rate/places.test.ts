import { expect, it } from "vitest";
import { Places } from "../../lib/batches/worker/places.ts";
import type { Reserved } from "../../lib/batches/worker/shared_rate.ts";

function reserved(count: number, firstMs: number, spacingMs: number): Reserved {
  return { count, firstMs, spacingMs, closedMs: 0, end: 1_000_000 };
}

it("a place opens at its time and not before, counted from when the answer was here", () => {
  const places = new Places();
  places.add(reserved(2, 100, 200), 1_000, 1_030);
  expect(places.opensAt).toBe(1_130);
  expect(places.lastOpensAt).toBe(1_330);
  expect(places.take(1_129)).toBe(false);
  expect(places.take(1_130)).toBe(true);
  expect(places.take(1_130)).toBe(false);
  expect(places.take(1_330)).toBe(true);
  expect(places.opensAt).toBeNull();
  expect(places.lastOpensAt).toBe(-Infinity);
});

it("a place that was not used within a second of its time is lost, counted from when the question left", () => {
  const places = new Places();
  places.add(reserved(3, 0, 200), 1_000, 1_030);
  expect(places.left(2_000)).toBe(3);
  expect(places.left(2_001)).toBe(2);
  expect(places.left(2_200)).toBe(2);
  expect(places.left(2_401)).toBe(0);
  expect(places.take(2_401)).toBe(false);
});

it("a process that was stopped for longer than its places are good for uses none of them when it goes on", () => {
  const places = new Places();
  places.add(reserved(100, -500, 1), 0, 1);
  places.add(reserved(100, -400, 1), 0, 1);
  expect(places.take(60_000)).toBe(false);
  expect(places.left(60_000)).toBe(0);
});

it("what was reserved first is used first", () => {
  const places = new Places();
  places.add(reserved(1, 0, 10), 0, 0);
  places.add(reserved(2, 10, 10), 0, 0);
  expect(places.left(0)).toBe(3);
  expect(places.lastOpensAt).toBe(20);
  expect([places.take(5), places.take(5), places.take(10), places.take(20)]).toEqual([
    true,
    false,
    true,
    true,
  ]);
});

it("only places that are not open yet can be taken out again, those reserved last", () => {
  const places = new Places();
  places.add(reserved(4, 0, 100), 0, 0);
  expect(places.takeUnopened(150)).toEqual({ count: 2, end: 1_000_000 });
  expect(places.takeUnopened(150)).toBeNull();
  expect(places.left(150)).toBe(2);
  places.add(reserved(3, 200, 100), 150, 150);
  expect(places.takeUnopened(150)).toEqual({ count: 3, end: 1_000_000 });
  expect([places.take(150), places.take(150), places.take(400)]).toEqual([true, true, false]);
});

it("how many places can still be used some time from now is known without using any", () => {
  const places = new Places();
  places.add(reserved(3, 0, 200), 1_000, 1_030);
  expect([0, 900, 1_000, 1_001, 1_400, 1_401].map((ms) => places.lasting(1_000, ms))).toEqual([
    3,
    3,
    3,
    2,
    1,
    0,
  ]);
  expect(places.left(1_000)).toBe(3);
});

import { expect, it } from "vitest";
import { spareTime } from "../lib/spare_time.ts";

it("work that can wait is done in the order of asking, behind what asks in the same burst", async () => {
  const done: number[] = [];
  const first = spareTime().then(() => done.push(1));
  const second = spareTime().then(() => done.push(2));
  await Promise.resolve();
  expect(done).toEqual([]);
  await Promise.all([first, second]);
  expect(done).toEqual([1, 2]);
});

it("work that can wait is not put off for ever by a burst that does not end", async () => {
  let done = false;
  void spareTime().then(() => done = true);
  // Every turn of the event loop asks anew; a run of this many without an end would mean that nothing ever comes.
  for (let turn = 0; turn < 10_000 && !done; turn++) {
    void spareTime();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  expect(done).toBe(true);
});

/** Messages arrive, whole, where they belong, not before their time, and not too many at once. */
import { expect, it, vi } from "vitest";
import type { Handler } from "../../../jobs/queue/dispatcher.ts";
import { type DispatcherBench, numbered, WAKE } from "../dispatcher_conformance.ts";

export function describeDelivery(bench: DispatcherBench): void {
  const { handlersAtOnce } = bench;

  it("delivers a message whole, to the handler of its queue only", async () => {
    const { dispatcher } = await bench.make();
    const [ours, others] = [vi.fn<Handler>(async () => {}), vi.fn<Handler>(async () => {})];
    dispatcher.listen({ batch_processing: ours, newsletter: others });
    await dispatcher.enqueue(WAKE);
    await vi.waitFor(() => expect(ours).toHaveBeenCalledExactlyOnceWith(WAKE), 5_000);
    expect(others).not.toHaveBeenCalled();
  });

  it("delivers what was enqueued before anybody listened", async () => {
    const { dispatcher } = await bench.make();
    await dispatcher.enqueue(WAKE);
    const handler = vi.fn<Handler>(async () => {});
    dispatcher.listen({ batch_processing: handler });
    await vi.waitFor(() => expect(handler).toHaveBeenCalledOnce(), 5_000);
  });

  it("delivers within a moment to the process that enqueued", async () => {
    const { dispatcher } = await bench.make();
    const arrivals: (() => void)[] = [];
    dispatcher.listen({ batch_processing: () => Promise.resolve(arrivals.shift()?.()) });
    const took: number[] = [];
    for (let n = 1; n <= 9; n++) {
      const arrived = new Promise<void>((resolve) => arrivals.push(resolve));
      const began = performance.now();
      await dispatcher.enqueue(numbered(n));
      await arrived;
      took.push(performance.now() - began);
    }
    expect(took.sort((a, b) => a - b)[4]).toBeLessThan(250);
  });

  it("delivers a delayed message not before its time, and within two seconds after it", async () => {
    const { dispatcher } = await bench.make();
    const began = Date.now();
    const took: Record<number, number> = {};
    dispatcher.listen({
      batch_processing: ({ batch = 0 }) => Promise.resolve(void (took[batch] = Date.now() - began)),
    });
    await dispatcher.enqueue(numbered(2), 400);
    await dispatcher.enqueue(numbered(1));
    await vi.waitFor(() => expect(Object.keys(took)).toEqual(["1", "2"]), 5_000);
    expect(took[2]).toBeGreaterThanOrEqual(400);
    expect(took[2]).toBeLessThan(2_400);
  });

  it("delivers at once what is also enqueued for later", async () => {
    const { dispatcher } = await bench.make();
    const handler = vi.fn<Handler>(async () => {});
    dispatcher.listen({ batch_processing: handler });
    await dispatcher.enqueue(WAKE, 60_000);
    await dispatcher.enqueue(WAKE);
    await vi.waitFor(() => expect(handler).toHaveBeenCalledExactlyOnceWith(WAKE), 5_000);
  });

  it("drops what is not a message of ours, says so, and goes on", async () => {
    const { dispatcher, logged } = await bench.make({ queue: "batch_processing", job: "rm -rf" });
    const handler = vi.fn<Handler>(async () => {});
    dispatcher.listen({ batch_processing: handler });
    await vi.waitFor(
      () => expect(logged()).toMatch(/not a message of ours.*rm -rf|rm -rf.*not a message of ours/),
      5_000,
    );
    await dispatcher.enqueue(WAKE);
    await vi.waitFor(() => expect(handler).toHaveBeenCalledExactlyOnceWith(WAKE), 5_000);
  });

  it("is not held up by messages of a queue that this process does not handle", async () => {
    const { dispatcher } = await bench.make();
    const handler = vi.fn<Handler>(async () => {});
    dispatcher.listen({ batch_processing: handler });
    for (let n = 1; n <= handlersAtOnce * 2; n++) {
      await dispatcher.enqueue({ queue: "publishing", job: "ingest_feeds", actor: `operator:${n}` });
    }
    await dispatcher.enqueue(WAKE);
    await vi.waitFor(() => expect(handler).toHaveBeenCalledExactlyOnceWith(WAKE), 5_000);
  });

  it(`runs ${handlersAtOnce} handlers at once and delivers every message in the end`, async () => {
    const { dispatcher } = await bench.make();
    const gate = Promise.withResolvers<void>();
    const seen = new Set<number>();
    let [inside, most] = [0, 0];
    dispatcher.listen({
      batch_processing: async ({ batch = 0 }) => {
        most = Math.max(most, ++inside);
        await gate.promise;
        inside--;
        seen.add(batch);
      },
    });
    await Promise.all(
      Array.from({ length: handlersAtOnce * 4 }, (_, n) => dispatcher.enqueue(numbered(n + 1))),
    );
    await vi.waitFor(() => expect(inside).toBe(handlersAtOnce), 5_000);
    gate.resolve();
    await vi.waitFor(() => expect(seen.size).toBe(handlersAtOnce * 4), 10_000);
    expect(most).toBe(handlersAtOnce);
  });
}

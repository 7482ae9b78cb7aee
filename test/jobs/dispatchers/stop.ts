/** A dispatcher that stops begins nothing, waits for what runs, and leaves the rest to the next one. */
import { expect, it, vi } from "vitest";
import type { Handler } from "../../../jobs/queue/dispatcher.ts";
import { type DispatcherBench, numbered, WAKE } from "../dispatcher_conformance.ts";

export function describeStop(bench: DispatcherBench): void {
  const { handlersAtOnce, redeliveryMs } = bench;

  it("waits for the handlers that run when it stops, and starts none of those that waited", async () => {
    const { dispatcher } = await bench.make();
    const gate = Promise.withResolvers<void>();
    let [started, ended] = [0, 0];
    dispatcher.listen({
      batch_processing: async () => {
        started++;
        await gate.promise;
        ended++;
      },
    });
    for (let n = 1; n <= handlersAtOnce * 2; n++) await dispatcher.enqueue(numbered(n));
    await vi.waitFor(() => expect(started).toBe(handlersAtOnce), 5_000);
    const stopped = bench.stop(dispatcher).then(() => ended);
    expect(ended).toBe(0);
    gate.resolve();
    expect(await stopped).toBe(handlersAtOnce);
    expect(started).toBe(handlersAtOnce);
  });

  it("leaves what it did not begin to the next process", async () => {
    const { dispatcher } = await bench.make();
    const gate = Promise.withResolvers<void>();
    const seen: number[] = [];
    const take: Handler = ({ batch = 0 }) => {
      seen.push(batch);
      return gate.promise;
    };
    dispatcher.listen({ batch_processing: take });
    const batches = Array.from({ length: handlersAtOnce * 2 }, (_, n) => n + 1);
    await Promise.all(batches.map((batch) => dispatcher.enqueue(numbered(batch))));
    await vi.waitFor(() => expect(seen).toHaveLength(handlersAtOnce), 5_000);
    const stopped = bench.stop(dispatcher);
    gate.resolve();
    await stopped;
    const { dispatcher: next } = await bench.reopen();
    next.listen({ batch_processing: take });
    await vi.waitFor(() => expect([...new Set(seen)].sort((a, b) => a - b)).toEqual(batches), redeliveryMs);
  }, redeliveryMs + 20_000);

  it("delivers to the next process what was not due before this one stopped", async () => {
    const { dispatcher } = await bench.make();
    dispatcher.listen({});
    await dispatcher.enqueue(WAKE, 300);
    await bench.stop(dispatcher);
    const { dispatcher: next } = await bench.reopen();
    const handler = vi.fn<Handler>(async () => {});
    next.listen({ batch_processing: handler });
    await vi.waitFor(() => expect(handler).toHaveBeenCalledExactlyOnceWith(WAKE), 10_000);
  }, 120_000);

  it("does not wait longer for a handler than it is told to", async () => {
    const { dispatcher } = await bench.make();
    const handler = vi.fn<Handler>(() => new Promise(() => {}));
    dispatcher.listen({ batch_processing: handler });
    await dispatcher.enqueue(WAKE);
    await vi.waitFor(() => expect(handler).toHaveBeenCalledOnce(), 5_000);
    const began = performance.now();
    await bench.stop(dispatcher, 300);
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(250);
    expect(took).toBeLessThan(1_500);
  });

  it("refuses messages when it has stopped, and may be stopped twice", async () => {
    const { dispatcher } = await bench.make();
    dispatcher.listen({ batch_processing: async () => {} });
    await Promise.all([bench.stop(dispatcher), bench.stop(dispatcher)]);
    await bench.stop(dispatcher);
    await expect(dispatcher.enqueue(WAKE)).rejects.toThrow();
  });

  it("stops without having listened", async () => {
    const { dispatcher } = await bench.make();
    await dispatcher.enqueue(WAKE);
    await bench.stop(dispatcher);
    const { dispatcher: next } = await bench.reopen();
    const handler = vi.fn<Handler>(async () => {});
    next.listen({ batch_processing: handler });
    await vi.waitFor(() => expect(handler).toHaveBeenCalledOnce(), 5_000);
  });
}

/** Handlers fail, processes are killed, messages are doubled: none that matters is lost. */
import { expect, it, vi } from "vitest";
import type { Handler } from "../../../jobs/queue/dispatcher.ts";
import { type DispatcherBench, numbered, WAKE } from "../dispatcher_conformance.ts";

export function describeTrouble(bench: DispatcherBench): void {
  const { redeliveryMs } = bench;

  it("gives a message again when its handler failed, and says why", async () => {
    const { dispatcher, logged } = await bench.make();
    const handler = vi.fn<Handler>(async () => {}).mockRejectedValueOnce(new Error("the database is away"));
    dispatcher.listen({ batch_processing: handler });
    await dispatcher.enqueue(WAKE);
    await vi.waitFor(() => expect(handler).toHaveBeenCalledTimes(2), 10_000);
    expect(handler.mock.calls).toEqual([[WAKE], [WAKE]]);
    expect(logged()).toMatch(/the database is away/);
  });

  it("goes on with other messages while one fails again and again", async () => {
    const { dispatcher } = await bench.make();
    const others = vi.fn();
    let failed = 0;
    dispatcher.listen({
      batch_processing: ({ batch = 0 }) => {
        if (batch === 1) return Promise.reject(new Error(`failure ${++failed}`));
        return Promise.resolve(others(batch));
      },
    });
    await dispatcher.enqueue(numbered(1));
    await vi.waitFor(() => expect(failed).toBeGreaterThan(0), 5_000);
    await dispatcher.enqueue(numbered(2));
    await vi.waitFor(() => expect(others).toHaveBeenCalledExactlyOnceWith(2), 5_000);
    await vi.waitFor(() => expect(failed).toBeGreaterThan(2), 15_000);
  }, 120_000);

  it("delivers a message that is enqueued while its like is being handled", async () => {
    const { dispatcher } = await bench.make();
    const gate = Promise.withResolvers<void>();
    const handler = vi.fn<Handler>(() => gate.promise);
    dispatcher.listen({ batch_processing: handler });
    await dispatcher.enqueue(WAKE);
    await vi.waitFor(() => expect(handler).toHaveBeenCalledOnce(), 5_000);
    await dispatcher.enqueue(WAKE);
    gate.resolve();
    await vi.waitFor(() => expect(handler).toHaveBeenCalledTimes(2), 5_000);
  });

  it("works off a thousand identical wake-ups, and then what comes after them", async () => {
    const { dispatcher } = await bench.make();
    let [same, other] = [0, 0];
    dispatcher.listen({
      batch_processing: ({ batch }) => Promise.resolve(void (batch === 1 ? same++ : other++)),
    });
    await Promise.all(Array.from({ length: 1_000 }, () => dispatcher.enqueue(numbered(1))));
    await dispatcher.enqueue(numbered(2));
    await vi.waitFor(() => expect(other).toBe(1), 10_000);
    expect(same).toBeGreaterThan(0);
    expect(same).toBeLessThanOrEqual(1_000);
  }, 120_000);

  it("keeps what a process enqueued that was killed then", async () => {
    const { dispatcher } = await bench.make();
    await bench.stop(dispatcher);
    const other = bench.startOther({ ENQUEUE: JSON.stringify(WAKE), DELAY_MS: "300" });
    await other.printed(/enqueued/);
    other.kill("SIGKILL");
    await other.ended;
    const { dispatcher: next } = await bench.reopen();
    const handler = vi.fn<Handler>(async () => {});
    next.listen({ batch_processing: handler });
    await vi.waitFor(() => expect(handler).toHaveBeenCalledExactlyOnceWith(WAKE), 10_000);
  }, 120_000);

  it("gives a message again whose process was killed while it handled it", async () => {
    const { dispatcher } = await bench.make();
    await dispatcher.enqueue(WAKE);
    await bench.stop(dispatcher);
    const other = bench.startOther();
    await other.printed(/took .*"batch":1/);
    other.kill("SIGKILL");
    await other.ended;
    const { dispatcher: next } = await bench.reopen();
    const handler = vi.fn<Handler>(async () => {});
    next.listen({ batch_processing: handler });
    await vi.waitFor(() => expect(handler).toHaveBeenCalledExactlyOnceWith(WAKE), redeliveryMs);
  }, redeliveryMs + 30_000);
}

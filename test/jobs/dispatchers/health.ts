/** A dispatcher says whether it delivers. */
import { expect, it, vi } from "vitest";
import { type DispatcherBench, WAKE } from "../dispatcher_conformance.ts";

export function describeHealth(bench: DispatcherBench): void {
  it("is healthy from when it delivers until it is told to stop", async () => {
    const { dispatcher } = await bench.make();
    expect(dispatcher.healthy()).toBe("delivers nothing yet");
    let handled = 0;
    dispatcher.listen({ batch_processing: () => Promise.resolve(void handled++) });
    await dispatcher.enqueue(WAKE);
    await vi.waitFor(() => expect(handled).toBe(1), 5_000);
    expect(dispatcher.healthy()).toBeNull();
    const stopped = bench.stop(dispatcher);
    expect(dispatcher.healthy()).toBe("stopped");
    await stopped;
  });
}

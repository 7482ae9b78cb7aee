/** Timeouts that fire in a process that was stopped while it waited. */
import { expect, it } from "vitest";
import { sendOnce } from "../../lib/http/send_once.ts";
import { startWireServer } from "../fakes/wire_server.ts";

/** Nothing of this process runs for so long, timers included, as after SIGSTOP. */
function freeze(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

it(
  "a request whose time ran out while the process was stopped counts as cancelled, not as unanswered",
  async () => {
    const server = await startWireServer(() => ({ kind: "silent" }));
    const send = () => {
      const { signal } = new AbortController();
      return sendOnce({ url: server.url, headers: {}, body: "{}", timeoutMs: 300, signal });
    };
    expect((await send()).kind).toBe("timed_out");
    const delivery = send();
    await expect.poll(() => server.count).toBe(2);
    freeze(5_500);
    expect((await delivery).kind).toBe("cancelled");
    await server.close();
  },
  120_000,
);

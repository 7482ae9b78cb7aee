import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { createKvDispatcher } from "../../jobs/queue/kv_dispatcher.ts";
import { describeDispatcherConformance, type DispatcherSetup } from "./dispatcher_conformance.ts";

let folder = "";

async function open(): Promise<DispatcherSetup> {
  const lines: string[] = [];
  const log = (_level: string, fields: object, text: string) =>
    void lines.push(`${text} ${JSON.stringify(fields)}`);
  const dispatcher = await createKvDispatcher(join(folder, "queue.sqlite3"), log);
  return { dispatcher, logged: () => lines.join("\n") };
}

describeDispatcherConformance("Deno KV", {
  handlersAtOnce: 8,
  redeliveryMs: 90_000,
  async make(foreign) {
    folder = await Deno.makeTempDir({ prefix: "nd-queue-" });
    if (foreign !== undefined) {
      const kv = await Deno.openKv(join(folder, "queue.sqlite3"));
      await kv.enqueue(foreign);
      kv.close();
    }
    return await open();
  },
  reopen: open,
  settings: () => ({ DATA_DIR: folder }),
  clean: () => Deno.remove(folder, { recursive: true }),
});

describe("the Deno KV dispatcher, which no other process hears", () => {
  it("drops a message whose queue nobody handles, and says so", async () => {
    folder = await Deno.makeTempDir({ prefix: "nd-queue-" });
    const { dispatcher, logged } = await open();
    dispatcher.listen({ batch_processing: async () => {} });
    await dispatcher.enqueue({ queue: "publishing", job: "ingest_feeds" });
    await vi.waitFor(
      () => expect(logged()).toMatch(/no handler for this queue; message dropped.*publishing/),
      5_000,
    );
    await dispatcher.stop();
    await Deno.remove(folder, { recursive: true });
  });
});

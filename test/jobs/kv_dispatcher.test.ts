import { join } from "node:path";
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
  clean: () => Deno.remove(folder, { recursive: true }),
});

import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openDispatcher } from "../../jobs/queue/open_dispatcher.ts";
import type { Database } from "../../lib/database/port.ts";
import { UserError } from "../../lib/errors.ts";

/** The KV queue asks no database. */
const NO_DATABASE = {} as Database;

describe("the queue of DISPATCH=kv", () => {
  const itself = Object.getOwnPropertyDescriptor(Deno, "openKv")!;
  afterEach(() => void Object.defineProperty(Deno, "openKv", itself));

  async function open(dataDir: string) {
    const config = { dispatch: "kv", dataDir, databaseUrl: null, deploy: null } as const;
    return await openDispatcher({ db: NO_DATABASE, config, log: () => {} });
  }

  it("is a file in DATA_DIR, which is made when it is not there", async () => {
    const folder = await Deno.makeTempDir({ prefix: "nd-open-" });
    const dispatcher = await open(join(folder, "data"));
    const handler = vi.fn(async () => {});
    dispatcher.listen({ newsletter: handler });
    await dispatcher.enqueue({ queue: "newsletter", job: "ingest_feeds" });
    await vi.waitFor(() => expect(handler).toHaveBeenCalledOnce(), 5_000);
    await dispatcher.stop();
    expect((await Deno.stat(join(folder, "data", "queue.sqlite3"))).isFile).toBe(true);
    await Deno.remove(folder, { recursive: true });
  });

  it("is refused in one line where DATA_DIR is no folder", async () => {
    const file = await Deno.makeTempFile({ prefix: "nd-open-" });
    const refused = open(file);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(
      /^Cannot open the queue in DATA_DIR .*must be a folder that you may write to$/,
    );
    await Deno.remove(file);
  });

  it("is refused in one line that names the other one where there is no Deno KV", async () => {
    Object.defineProperty(Deno, "openKv", { value: undefined, configurable: true });
    await expect(open("unused")).rejects.toThrow(/no Deno KV. Set DISPATCH=pgboss$/);
  });
});

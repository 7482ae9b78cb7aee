/** What pg-boss adds to what every dispatcher does: several processes on one database, and tables that stay small. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Dispatcher, Handler, Message } from "../../jobs/queue/dispatcher.ts";
import { createPgBossDispatcher } from "../../jobs/queue/pgboss_dispatcher.ts";
import type { Database } from "../../lib/database/port.ts";
import { openTestDatabase, SERVER, type TestDatabase } from "../helpers/database.ts";

const WAKE: Message = { queue: "batch_processing", job: "batch_analyze_articles", session: 1, batch: 1 };
const numbered = (batch: number): Message => ({ ...WAKE, batch });

describe("the pg-boss queue", () => {
  let database: TestDatabase;
  const open: Dispatcher[] = [];
  const logged: string[] = [];
  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database.close());
  afterEach(async () => {
    await Promise.all(open.splice(0).map((dispatcher) => dispatcher.stop()));
    await database.db.query("DROP SCHEMA nightdesk_queue CASCADE");
    logged.length = 0;
  });

  async function openQueue(change: { db?: Database } = {}): Promise<Dispatcher> {
    const dispatcher = await createPgBossDispatcher({
      db: database.db,
      listenAt: database.settings.databaseUrl,
      log: (_level, fields, text) => void logged.push(`${text} ${JSON.stringify(fields)}`),
      ...change,
    });
    open.push(dispatcher);
    return dispatcher;
  }

  async function countRows(): Promise<number> {
    const { rows: [{ n }] } = await database.db.query<{ n: number }>(
      "SELECT count(*) AS n FROM nightdesk_queue.job",
    );
    return n;
  }

  it("gives a message to one of the processes that listen, and shares out many", async () => {
    const processes = [await openQueue(), await openQueue(), await openQueue()];
    const seen = processes.map(() => [] as number[]);
    const gate = Promise.withResolvers<void>();
    for (const [index, dispatcher] of processes.entries()) {
      dispatcher.listen({
        batch_processing({ batch = 0 }) {
          seen[index].push(batch);
          return gate.promise;
        },
      });
    }
    await Promise.all(Array.from({ length: 24 }, (_, n) => processes[0].enqueue(numbered(n + 1))));
    await vi.waitFor(() => expect(seen.map(({ length }) => length)).toEqual([8, 8, 8]), 15_000);
    gate.resolve();
    await vi.waitFor(async () => expect(await countRows()).toBe(0), 5_000);
    expect(new Set(seen.flat()).size).toBe(24);
  }, 120_000);

  it.skipIf(!SERVER)("tells another process of a message within a moment", async () => {
    const [sender, receiver] = [await openQueue(), await openQueue()];
    const arrivals: (() => void)[] = [];
    receiver.listen({ batch_processing: () => Promise.resolve(arrivals.shift()?.()) });
    const took: number[] = [];
    for (let n = 1; n <= 9; n++) {
      const arrived = new Promise<void>((resolve) => arrivals.push(resolve));
      const began = performance.now();
      await sender.enqueue(numbered(n));
      await arrived;
      took.push(performance.now() - began);
    }
    // The first one may come before the receiver hears; looking alone would take seconds for each.
    expect(took.sort((a, b) => a - b)[4]).toBeLessThan(500);
  });

  it("leaves messages of a queue that a process does not handle to one that does", async () => {
    const [reader, worker] = [await openQueue(), await openQueue()];
    const [read, worked] = [vi.fn<Handler>(async () => {}), vi.fn<Handler>(async () => {})];
    reader.listen({ newsletter: read });
    await reader.enqueue(WAKE);
    await reader.enqueue({ queue: "newsletter", job: "ingest_feeds" });
    await vi.waitFor(() => expect(read).toHaveBeenCalledOnce(), 5_000);
    expect(await countRows()).toBe(1);
    worker.listen({ batch_processing: worked });
    await vi.waitFor(() => expect(worked).toHaveBeenCalledExactlyOnceWith(WAKE), 10_000);
    expect(read).toHaveBeenCalledOnce();
  });

  it("keeps a thousand identical wake-ups as one row, now and for later", async () => {
    const dispatcher = await openQueue();
    await Promise.all(Array.from({ length: 1_000 }, () => dispatcher.enqueue(WAKE)));
    expect(await countRows()).toBe(1);
    // Those for later may fall to either side of a full second.
    await Promise.all(Array.from({ length: 1_000 }, () => dispatcher.enqueue(WAKE, 60_000)));
    expect(await countRows()).toBeLessThanOrEqual(3);
  });

  it("keeps wishes of two people apart", async () => {
    const dispatcher = await openQueue();
    const wish = { queue: "batch_processing", job: "recover_failed_batch_articles" } as const;
    await Promise.all([
      dispatcher.enqueue({ ...wish, session: 1, actor: "operator:1", asked_at: "2026-11-24T00:00:00Z" }),
      dispatcher.enqueue({ ...wish, session: 1, actor: "operator:2", asked_at: "2026-11-24T00:00:00Z" }),
      dispatcher.enqueue({ ...wish, session: 2, actor: "operator:1", asked_at: "2026-11-24T00:00:00Z" }),
    ]);
    expect(await countRows()).toBe(3);
  });

  it("leaves nothing behind of what is done", async () => {
    const dispatcher = await openQueue();
    const handler = vi.fn<Handler>(async () => {});
    dispatcher.listen({ batch_processing: handler, newsletter: handler });
    await dispatcher.enqueue({ queue: "newsletter", job: "ingest_feeds" });
    await Promise.all(Array.from({ length: 200 }, (_, n) => dispatcher.enqueue(numbered(n + 1))));
    await vi.waitFor(() => expect(handler).toHaveBeenCalledTimes(201), 10_000);
    await vi.waitFor(async () => expect(await countRows()).toBe(0), 5_000);
  });

  it(
    "gives a message up after its last try, says so, and keeps it from then on for minutes only",
    async () => {
      const dispatcher = await openQueue();
      const { db } = database;
      await db.query("UPDATE nightdesk_queue.queue SET retry_limit = 1");
      const handler = vi.fn<Handler>(() => Promise.reject(new Error("no")));
      dispatcher.listen({ batch_processing: handler });
      await dispatcher.enqueue(WAKE);
      const given = () => logged.filter((line) => line.includes("it is given up"));
      await vi.waitFor(() => expect(given()).toHaveLength(1), 10_000);
      expect(given()[0]).toContain('"batch":1');
      expect(handler).toHaveBeenCalledTimes(2);
      const { rows } = await db.query("SELECT state, deletion_seconds FROM nightdesk_queue.job");
      expect(rows).toEqual([{ state: "failed", deletion_seconds: 600 }]);
    },
    120_000,
  );

  it("gives back at once what a stop cut short", async () => {
    const [first, second] = [await openQueue(), await openQueue()];
    const cut = vi.fn<Handler>(() => new Promise(() => {}));
    first.listen({ batch_processing: cut });
    await first.enqueue(WAKE);
    await vi.waitFor(() => expect(cut).toHaveBeenCalledOnce(), 5_000);
    await first.stop(100);
    const handler = vi.fn<Handler>(async () => {});
    second.listen({ batch_processing: handler });
    // Long before a heartbeat would have run out.
    await vi.waitFor(() => expect(handler).toHaveBeenCalledExactlyOnceWith(WAKE), 10_000);
  }, 120_000);

  it("stops in the time it was given when the database answers nothing", async () => {
    let silent = false;
    const never = new Promise<never>(() => {});
    const dispatcher = await openQueue({
      db: { ...database.db, query: (...args) => silent ? never : database.db.query(...args) },
    });
    const handler = vi.fn<Handler>(() => new Promise(() => {}));
    dispatcher.listen({ batch_processing: handler });
    await dispatcher.enqueue(WAKE);
    await vi.waitFor(() => expect(handler).toHaveBeenCalledOnce(), 5_000);
    silent = true;
    const began = performance.now();
    await dispatcher.stop(300);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

/** The pg-boss queue on a server that goes away and comes back, a server of its own. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Dispatcher, Message } from "../../jobs/queue/dispatcher.ts";
import { createPgBossDispatcher } from "../../jobs/queue/pgboss_dispatcher.ts";
import { openDatabase } from "../../lib/database/connect.ts";
import type { Database } from "../../lib/database/port.ts";
import {
  findPostgresPrograms,
  type PostgresServer,
  startPostgresServer,
} from "../helpers/postgres_server.ts";
import { onServer } from "../helpers/template.ts";

const WAKE: Message = { queue: "batch_processing", job: "batch_analyze_articles", session: 1, batch: 1 };
const WISH: Message = { queue: "newsletter", job: "ingest_feeds" };

describe.skipIf(!findPostgresPrograms())("the pg-boss queue, when its server", () => {
  let server: PostgresServer;
  let db: Database;
  let dispatcher: Dispatcher;
  let handled: Message[];
  let logged: string[];
  beforeAll(async () => {
    server = await startPostgresServer();
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    [handled, logged] = [[], []];
    const opened = await openDatabase({
      databaseUrl: server.url,
      dataDir: "",
      role: "test",
      onConnectionError: () => {},
    });
    db = opened.database;
    dispatcher = await createPgBossDispatcher({
      db,
      listenAt: server.url,
      log: (_level, fields, text) => void logged.push(`${text} ${JSON.stringify(fields)}`),
    });
    const handler = (message: Message) => Promise.resolve(void handled.push(message));
    dispatcher.listen({ batch_processing: handler, newsletter: handler });
    await dispatcher.enqueue(WAKE);
    await vi.waitFor(() => expect(handled).toHaveLength(1), 5_000);
  });
  afterEach(async () => {
    await dispatcher.stop();
    await db.close();
  });

  /** Delivered, and within a moment: it is also told of messages again. */
  async function expectToWork(): Promise<void> {
    handled.length = 0;
    await vi.waitFor(() => dispatcher.enqueue(WISH), 10_000);
    await vi.waitFor(() => expect(handled).toContainEqual(WISH), 10_000);
  }

  it("cuts every connection again and again, goes on", async () => {
    for (let n = 0; n < 10; n++) {
      // On a connection of its own: those of the pool are cut, and it need not have noticed yet.
      await onServer(
        server.url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres' AND pid <> pg_backend_pid()",
      );
      await dispatcher.enqueue({ ...WAKE, batch: n + 2 });
    }
    await expectToWork();
    await vi.waitFor(async () => {
      const { rows } = await db.query(
        "SELECT FROM pg_stat_activity WHERE application_name = 'nightdesk listener' AND query LIKE 'LISTEN%'",
      );
      expect(rows).toHaveLength(1);
    }, 120_000);
  });

  it("is away, refuses wishes, lets wake-ups pass, and goes on when it is back", async () => {
    await server.stop("immediate");
    // Nobody who asked for something must believe that it will come.
    await expect(dispatcher.enqueue(WISH)).rejects.toThrow();
    await dispatcher.enqueue({ ...WAKE, batch: 2 });
    expect(logged.join("\n")).toMatch(/a wake-up is lost; work is found by looking/);
    // Long enough for looks to fail, which are told of once.
    await vi.waitFor(() => expect(logged.join("\n")).toMatch(/could not look for messages/), 10_000);
    expect(dispatcher.healthy()).toBe("cannot look for messages");
    await server.start();
    await expectToWork();
    expect(dispatcher.healthy()).toBeNull();
    expect(logged.filter((line) => line.startsWith("could not look for messages"))).toHaveLength(1);
  }, 120_000);

  it("is away while a handler runs, delivers its message again", async () => {
    const gate = Promise.withResolvers<void>();
    const told: string[] = [];
    const other = await createPgBossDispatcher({
      db,
      listenAt: server.url,
      log: (_level, _fields, text) => void told.push(text),
    });
    let runs = 0;
    // Only this one handles the queue.
    other.listen({
      publishing() {
        runs++;
        return gate.promise;
      },
    });
    await other.enqueue({ queue: "publishing", job: "ingest_feeds" });
    await vi.waitFor(() => expect(runs).toBe(1), 5_000);
    await server.stop("immediate");
    gate.resolve();
    await vi.waitFor(() => expect(told).toContain("a message could not be put away; it comes again"), 5_000);
    await server.start();
    await vi.waitFor(() => expect(runs).toBe(2), 60_000);
    await other.stop();
  }, 120_000);
});

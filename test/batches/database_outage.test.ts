/** A database that is away for longer than claims last: what was answered and paid for meanwhile is kept. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { OutageGrace } from "../../lib/batches/outage_grace.ts";
import { openDatabase } from "../../lib/database/connect.ts";
import type { Database } from "../../lib/database/port.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { addArticles } from "../helpers/articles.ts";
import {
  findPostgresPrograms,
  type PostgresServer,
  startPostgresServer,
} from "../helpers/postgres_server.ts";
import { openWorkerBench, type WorkerBench } from "../helpers/worker_bench.ts";

const LEASE_MS = 1_500;
const ARTICLES = 4;

describe.skipIf(!findPostgresPrograms())("a database that was away for longer than claims last", () => {
  let server: PostgresServer;
  let db: Database;
  let bench: WorkerBench;
  let sweeping: ReturnType<typeof setInterval>;
  beforeAll(async () => {
    server = await startPostgresServer();
  });
  afterAll(() => server.remove());
  afterEach(async () => {
    clearInterval(sweeping);
    await bench.close();
    await db.close();
  });

  it("takes every answer that came meanwhile, and buys none again", async () => {
    const opened = await openDatabase({
      databaseUrl: server.url,
      dataDir: "",
      role: "test",
      onConnectionError: () => {},
    });
    db = opened.database;
    const answers = Promise.withResolvers<null>();
    bench = await openWorkerBench(db, { gemini: { script: () => answers.promise } });
    await addArticles(db, ARTICLES);
    const { number, session_id } = await bench.desk.start({}, "operator:test");
    bench.makeWorker({ leaseMs: LEASE_MS }).start();
    await vi.waitFor(() => expect(bench.gemini.count).toBe(ARTICLES), 10_000);
    // As every process does, only more often.
    const swept: string[] = [];
    const sweep = () => bench.desk.sweep("sweep").then(() => swept.push("made"), () => swept.push("failed"));
    sweeping = setInterval(sweep, 50);

    await server.stop("immediate");
    const away = performance.now();
    answers.resolve(null);
    await vi.waitFor(() => {
      expect(bench.logged).toContain("settlement not written yet");
      expect(bench.logged).toContain("leases not renewed; trying again");
      expect(swept).toContain("failed");
      // Longer than the claims, and longer than a write is tried that the database answers with errors.
      expect(performance.now() - away).toBeGreaterThan(2.5 * LEASE_MS);
    }, 120_000);
    await server.start();

    expect(await bench.untilEnded(number)).toMatchObject({
      status: "COMPLETED",
      analyzed: ARTICLES,
      unknown: 0,
      stale_writes: 0,
    });
    expect(bench.gemini.count).toBe(ARTICLES);
    expect(await findViolations(db, session_id)).toEqual([]);
  });
});

describe("the grace after an outage", () => {
  const lost = () => Promise.reject(Object.assign(new Error("gone"), { code: "57P01" }));

  it("begins when the database was seen away, anew each time, and ends by itself", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const grace = new OutageGrace(1_000);
      expect(grace.over).toBe(true);
      await expect(grace.watch(lost)).rejects.toThrow("gone");
      expect(grace.over).toBe(false);
      vi.advanceTimersByTime(900);
      await expect(grace.watch(lost)).rejects.toThrow("gone");
      vi.advanceTimersByTime(900);
      expect(await grace.watch(() => Promise.resolve(7))).toBe(7);
      expect(grace.over).toBe(false);
      vi.advanceTimersByTime(100);
      expect(grace.over).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is not owed to an error that the database answers with", async () => {
    const grace = new OutageGrace();
    await expect(grace.watch(() => Promise.reject(new Error("syntax error")))).rejects.toThrow();
    expect(grace.over).toBe(true);
  });
});

/** Two services on one server, in earnest: half a minute passes until the leases of the stopped one have run out. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dropDatabase, makeDatabase, SERVER, type TestDatabase } from "../helpers/database.ts";
import {
  findPostgresPrograms,
  type PostgresServer,
  startPostgresServer,
} from "../helpers/postgres_server.ts";
import { endProcesses } from "../helpers/process.ts";
import { SMALL_SETTINGS, SMALL_STAGE } from "./small_edition.ts";
import { runTwoProcesses } from "./two_processes.ts";

// The embedded database belongs to one service.
describe.skipIf(!SERVER && !findPostgresPrograms())("two services on one database", () => {
  let server: PostgresServer | null = null;
  let settings: TestDatabase["settings"];
  beforeEach(async () => {
    if (SERVER) settings = await makeDatabase();
    else {
      server = await startPostgresServer();
      settings = { databaseUrl: server.url, dataDir: await Deno.makeTempDir({ prefix: "nd-" }) };
    }
  });
  afterEach(async () => {
    await endProcesses();
    if (SERVER) await dropDatabase(settings);
    else await Deno.remove(settings.dataDir, { recursive: true });
    await server?.remove();
  });

  it(
    "share a session, no article twice; one that was stopped past its leases and goes on changes nothing",
    async () => {
      const { databaseUrl, dataDir } = settings;
      const report = await runTwoProcesses({
        ...SMALL_STAGE,
        // So few failures that no run of them pauses the session.
        mix: { failed: 20, overloaded: 20, reset: 20, cut: 10 },
        settings: { ...SMALL_SETTINGS, CONCURRENCY: "6" },
        database: { databaseUrl: databaseUrl ?? "", dataDir },
        madeUp: 80,
        seed: "two",
        meanMs: 300,
        stops: 1,
      });
      expect(report.violations).toEqual([]);
      // What went silent while it was stopped itself is not the provider's fault.
      expect(report.pauses).toEqual([]);
      expect(report.takenOver).toBeGreaterThan(4);
      expect(report.end.session.stale_writes).toBeGreaterThan(0);
      // Between the look at its claim and the request a process can be stopped too, so one may slip through.
      expect(report.end.sentLate).toBeLessThanOrEqual(1);
      expect(report.end).toMatchObject({ matched: report.end.requests, crossings: 0 });
      expect(report.end.session.analyzed + report.end.session.failed).toBe(report.end.session.total);
    },
    120_000,
  );
});

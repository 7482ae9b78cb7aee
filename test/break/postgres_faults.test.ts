/** A few faults of PostgreSQL on a server of one's own; `deno run -A test/break/main.ts postgres-faults` has more. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import {
  findPostgresPrograms,
  type PostgresServer,
  startPostgresServer,
} from "../helpers/postgres_server.ts";
import { endProcesses, startChild } from "../helpers/process.ts";
import { runPostgresFaults } from "./postgres_faults.ts";
import { SMALL_STAGE } from "./small_edition.ts";

describe.skipIf(!findPostgresPrograms())("on a server that fails", () => {
  let server: PostgresServer;
  let dataDir: string;
  beforeEach(async () => {
    server = await startPostgresServer();
    dataDir = await Deno.makeTempDir({ prefix: "nd-" });
  });
  afterEach(async () => {
    await endProcesses();
    await server.remove();
    await Deno.remove(dataDir, { recursive: true });
  });

  it(
    "a service outlives ended backends, a crash and an absence, and finishes its session with nothing double",
    async () => {
      const report = await runPostgresFaults({
        ...SMALL_STAGE,
        server,
        dataDir,
        madeUp: 60,
        seed: "faults",
        meanMs: 250,
        terminations: 5,
        restarts: 1,
        awayMs: 5_000,
        pauseMs: 500,
      });
      expect(report.violations).toEqual([]);
      expect(report.backendsEnded).toBeGreaterThan(0);
      expect(report.callsOut).toBeGreaterThan(0);
      expect(report.end).toMatchObject({ matched: report.end.requests, sentLate: 0, crossings: 0 });
      expect(report.end.session).toMatchObject({ skipped: 0 });
    },
    120_000,
  );

  it(
    "a process that is stopped in the middle of a transaction keeps the others waiting for 20 s at most",
    async () => {
      const settings = { databaseUrl: server.url, dataDir };
      const { database } = await openDatabase({ ...settings, role: "test", onConnectionError() {} });
      await database.query("CREATE TABLE wanted (n integer)");
      await database.query("INSERT INTO wanted VALUES (1)");
      const child = startChild("lock_row", { DATABASE_URL: server.url, DATA_DIR: dataDir });
      await child.printed(/locked/);
      child.kill("SIGSTOP");
      const asked = Date.now();
      await database.query("UPDATE wanted SET n = 2");
      expect(Date.now() - asked).toBeLessThan(25_000);
      child.kill("SIGCONT");
      const { stdout } = await child.ended;
      expect(stdout).toMatch(/lost: true/);
      expect((await database.query("SELECT n FROM wanted")).rows).toEqual([{ n: 2 }]);
      await database.close();
    },
    120_000,
  );
});

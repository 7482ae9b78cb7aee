import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import type { Database } from "../../lib/database/port.ts";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { dropDatabase, makeDatabase, type TestDatabase } from "../helpers/database.ts";
import { makeEmbeddedFolder } from "../helpers/embedded.ts";
import { desk, endProcesses, environmentOf, startDesk, startService } from "../helpers/process.ts";

let settings: TestDatabase["settings"];
let env: Record<string, string>;
afterEach(async () => {
  await endProcesses();
  await dropDatabase(settings);
});

function use(chosen: TestDatabase["settings"]): void {
  settings = chosen;
  env = environmentOf(chosen);
}

function open() {
  return openDatabase({ ...settings, role: "test", onConnectionError: () => {} });
}

async function readAnalyzed(db: Database): Promise<[string, number]> {
  const { rows: [session] } = await db.query<{ status: string; analyzed: number }>(
    "SELECT status, analyzed FROM batch_processing_sessions",
  );
  return [session.status, session.analyzed];
}

const READY = /"msg":"ready"/;

describe("the service", () => {
  beforeEach(async () => use(await makeDatabase()));

  it("does the work that a command hands it, which follows; at SIGTERM it stops in order with exit code 0", async () => {
    const service = startService(env);
    await service.printed(READY);
    const { database } = await open();
    await addArticles(database, 2);
    await database.close();

    const batch = await desk(["batch", "--yes", "--json"], env);
    expect(batch.stderr).toMatch(/The service is running and does the work; this follows it\./);
    expect(JSON.parse(batch.stdout)).toMatchObject({ status: "COMPLETED", analyzed: 2 });
    expect(batch.code).toBe(0);
    const monitor = await desk(["monitor", "--json"], env);
    expect(JSON.parse(monitor.stdout).workers).toEqual([expect.objectContaining({ role: "service" })]);

    service.kill("SIGTERM");
    const { code, stdout, stderr } = await service.ended;
    expect(stdout).toBe("");
    const lines = stderr.trim().split("\n").map((line) => JSON.parse(line));
    const [alerts, rest] = [true, false].map((told) =>
      lines.filter(({ alert }) => (alert !== undefined) === told)
    );
    expect(alerts.map(({ msg }) => msg)).toEqual([
      expect.stringMatching(/^Session 1 COMPLETED: 2 of 2 analysed/),
    ]);
    expect(rest.map(({ msg }) => msg)).toEqual(["ready", expect.stringMatching(/^stopping/), "stopped"]);
    expect(rest[1]).toMatchObject({ signal: "SIGTERM", under_way: 0 });
    expect(code).toBe(0);
  });

  it("takes up a live session where a killed one left it", async () => {
    const killed = startService(env);
    await killed.printed(READY);
    const { database } = await open();
    await addSession(database, {
      articles: await addArticles(database, 2),
      budget: micros(100_000),
      simulated: true,
      provider: "offline",
      settings: { batchSize: 1, batchDelayMs: 3_600_000 },
    });
    await expect.poll(() => readAnalyzed(database), { timeout: 60_000 }).toEqual(["PROCESSING", 1]);
    killed.kill("SIGKILL");
    await killed.ended;
    await database.close();

    const service = startService(env);
    await service.printed(READY);
    const { database: again } = await open();
    await again.query("UPDATE batch_processing_items SET not_before = now() WHERE status = 'PENDING'");
    await expect.poll(
      async () => (await again.query("SELECT status, analyzed FROM batch_processing_sessions")).rows,
      { timeout: 60_000 },
    ).toEqual([{ status: "COMPLETED", analyzed: 2 }]);
    await again.close();
  });
});

describe("the service on the embedded database", () => {
  beforeEach(async () => use({ databaseUrl: null, dataDir: await makeEmbeddedFolder() }));

  it("refuses to be started twice on one DATA_DIR in one line; the first goes on and frees it at its end", async () => {
    const first = startService(env);
    await first.printed(READY);
    const { code, stdout, stderr } = await startService(env).ended;
    expect(stderr).toMatch(
      /^Cannot start: process \d+ \(service\) owns DATA_DIR [^\n]*choose another DATA_DIR[^\n]*\n$/,
    );
    expect(stdout).toBe("");
    expect(code).toBe(1);
    expect((await desk(["sessions"], env)).code).toBe(0);

    first.kill("SIGINT");
    expect((await first.ended).code).toBe(0);
    const { database, ownedBy } = await open();
    expect(ownedBy).toBeNull();
    await database.close();
  });

  it("leaves a command that followed it with one line and the way to go on", async () => {
    const service = startService({ ...env, BATCH_SIZE: "1", BATCH_DELAY_SECONDS: "3600" });
    await service.printed(READY);
    const { database } = await open();
    await addArticles(database, 2);
    await database.close();
    const follower = startDesk(["batch", "--yes"], { ...env, BATCH_SIZE: "1", BATCH_DELAY_SECONDS: "3600" });
    await follower.printed(/1\/2 articles/);
    service.kill("SIGTERM");
    const { code, stderr } = await follower.ended;
    expect(stderr).toMatch(/\nLost the database: [^\n]*deno task desk resume <n>\n$/);
    expect(code).toBe(1);
    expect((await service.ended).code).toBe(0);
  });
});

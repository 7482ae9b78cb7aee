import { getRollbackPlans } from "pg-boss";
import packageJson from "pg-boss/package.json" with { type: "json" };
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { prepareDispatch } from "../../jobs/queue/open_dispatcher.ts";
import { createPgBossDispatcher } from "../../jobs/queue/pgboss_dispatcher.ts";
import { createPool } from "../../lib/database/pool.ts";
import type { Database } from "../../lib/database/port.ts";
import { UserError } from "../../lib/errors.ts";
import { openTestDatabase, SERVER, type TestDatabase } from "../helpers/database.ts";
import { desk, environmentOf } from "../helpers/process.ts";
import { onServer } from "../helpers/template.ts";

const VERSION = packageJson.pgboss.schema;
const QUEUES_MADE = ["batch_processing", "newsletter", "publishing"];

let test: TestDatabase;
beforeEach(async () => {
  test = await openTestDatabase();
});
afterEach(() => test.close());

/** Null: nothing was to be done. */
function prepare(db: Database = test.db): Promise<string | null> {
  const config = { dispatch: "pgboss", deploy: null, ...test.settings } as const;
  return prepareDispatch({ db, config, log: () => {} });
}

async function readQueues(): Promise<Record<string, unknown>[]> {
  const { rows } = await test.db.query(
    "SELECT name, policy, retry_limit, heartbeat_seconds, notify FROM nightdesk_queue.queue ORDER BY name",
  );
  return rows;
}

async function readVersion(): Promise<number> {
  const { rows: [row] } = await test.db.query<{ version: number }>(
    "SELECT version FROM nightdesk_queue.version",
  );
  return row.version;
}

describe("the schema of the pg-boss queue", () => {
  it("is made once, with its queues", async () => {
    expect(await prepare()).toBe(`queue version ${VERSION}`);
    const queues = await readQueues();
    expect(queues.map(({ name }) => name)).toEqual(QUEUES_MADE);
    for (const queue of queues) expect(queue).toMatchObject({ policy: "short", notify: true });
    expect(await prepare()).toBeNull();
    expect(await readQueues()).toEqual(queues);
  });

  it("is made by whoever is first when several start at once", async () => {
    const open = () =>
      createPgBossDispatcher({ db: test.db, listenAt: test.settings.databaseUrl, log: () => {} });
    const dispatchers = await Promise.all([open(), open(), open(), open()]);
    expect((await readQueues()).map(({ name }) => name)).toEqual(QUEUES_MADE);
    expect(await readVersion()).toBe(VERSION);
    for (const [n, dispatcher] of dispatchers.entries()) {
      await dispatcher.enqueue({ queue: "newsletter", job: "ingest_feeds", actor: `operator:${n}` });
    }
    expect((await test.db.query("SELECT FROM nightdesk_queue.job")).rowCount).toBe(4);
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop()));
  });

  it("of an older version is brought to this one, with what waits in it", async () => {
    await prepare();
    await test.db.query("INSERT INTO nightdesk_queue.job (name, data) VALUES ('newsletter', '{}')");
    await test.db.query(getRollbackPlans("nightdesk_queue", VERSION));
    expect(await readVersion()).toBe(VERSION - 1);
    expect(await prepare()).toBe(`queue version ${VERSION - 1} to ${VERSION}`);
    expect(await readVersion()).toBe(VERSION);
    expect((await test.db.query("SELECT FROM nightdesk_queue.job")).rowCount).toBe(1);
  });

  it("of a newer version is refused in one line", async () => {
    await prepare();
    await test.db.query("UPDATE nightdesk_queue.version SET version = version + 1");
    const refused = prepare();
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(/^Cannot use the queue .* newer Nightdesk .* Update Nightdesk$/);
  });

  it("gets the rules of this program's queues when it has others", async () => {
    await prepare();
    const rules = await readQueues();
    await test.db.query(
      "UPDATE nightdesk_queue.queue SET retry_limit = 1, notify = false, heartbeat_seconds = NULL",
    );
    await prepare();
    expect(await readQueues()).toEqual(rules);
  });

  it("is prepared by the command that migrates", async () => {
    const env = { ...environmentOf(test.settings), DISPATCH: "pgboss" };
    const first = await desk(["migrate"], env);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining(`queue version ${VERSION}`) });
    expect(await readVersion()).toBe(VERSION);
    expect(await desk(["migrate"], env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Nothing to do"),
    });
  });

  it("is not made unless DISPATCH asks for it", async () => {
    expect(await desk(["migrate"], environmentOf(test.settings))).toMatchObject({ code: 0 });
    const { rows: [{ there }] } = await test.db.query("SELECT to_regnamespace('nightdesk_queue') AS there");
    expect(there).toBeNull();
  });
});

// The embedded database has one user, who may do everything.
describe.skipIf(!SERVER)("the schema of the pg-boss queue, for a user with few rights", () => {
  const role = `nd_few_rights_${Deno.pid}`;
  let limited: Database;
  beforeEach(async () => {
    await onServer(SERVER!, `CREATE ROLE ${role} LOGIN PASSWORD 'few'`);
    const url = new URL(test.settings.databaseUrl!);
    [url.username, url.password] = [role, "few"];
    limited = createPool({
      kind: "postgres",
      where: "the test's server",
      max: 2,
      connection: { connectionString: url.href },
      onConnectionError: () => {},
    });
  });
  afterEach(async () => {
    await limited.close();
    await test.db.query(`DROP OWNED BY ${role} CASCADE`);
    await onServer(SERVER!, `DROP ROLE ${role}`);
  });

  it("is refused in one line that says what is missing", async () => {
    const refused = prepare(limited);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(
      /^Cannot prepare the queue .*permission denied.* grant it CREATE .*$/,
    );
  });

  it("is filled when somebody has made it for the user", async () => {
    await test.db.query(`CREATE SCHEMA nightdesk_queue AUTHORIZATION ${role}`);
    expect(await prepare(limited)).toBe(`queue version ${VERSION}`);
    expect(await prepare(limited)).toBeNull();
  });

  it("is refused in one line when it belongs to somebody else", async () => {
    await prepare();
    const refused = prepare(limited);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(/permission denied/);
  });
});

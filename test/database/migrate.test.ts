import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import { openEmbedded } from "../../lib/database/embedded/embedded.ts";
import { listMigrations, migrate } from "../../lib/database/migrate.ts";
import { dropDatabase, makeDatabase, SERVER, type TestDatabase } from "../helpers/database.ts";
import { makeUnmigratedFolder } from "../helpers/embedded.ts";
import { endProcesses, environmentOf, startChild } from "../helpers/process.ts";
import { databaseOn, onServer } from "../helpers/template.ts";

type Settings = TestDatabase["settings"];

const made: Settings[] = [];
let number = 0;

async function makeFresh(): Promise<Settings> {
  const settings = SERVER
    ? { databaseUrl: await makeServerDatabase(SERVER), dataDir: await Deno.makeTempDir({ prefix: "nd-" }) }
    : { databaseUrl: null, dataDir: await makeUnmigratedFolder() };
  made.push(settings);
  return settings;
}

async function makeServerDatabase(server: string): Promise<string> {
  const name = `nd_fresh_${Deno.pid}_${++number}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  return databaseOn(server, name);
}

afterEach(async () => {
  await endProcesses();
  for (const settings of made.splice(0)) await dropDatabase(settings);
});

function open(settings: Settings) {
  return openDatabase({ ...settings, role: "test", onConnectionError: () => {} });
}

/** A connection that leaves the database as it is. */
async function connectPlainly(
  settings: Settings,
): Promise<{ config: pg.ClientConfig; close(): Promise<void> }> {
  if (settings.databaseUrl !== null) {
    return { config: { connectionString: settings.databaseUrl }, close: () => Promise.resolve() };
  }
  const embedded = await openEmbedded(settings.dataDir, "test", () => {});
  return { config: embedded.connection, close: embedded.close };
}

const APPLIED = "SELECT name FROM nightdesk_migrations ORDER BY id";

describe("migrations", () => {
  it("are applied once when two processes start at once on a fresh database, and both can work", async () => {
    const settings = await makeFresh();
    const children = [1, 2].map(() => startChild("open_database", environmentOf(settings)));
    await Promise.all(children.map((child) => child.printed(/opened/)));
    const { database } = await open(settings);
    const { rows } = await database.query<{ name: string }>(APPLIED);
    expect(rows.map(({ name }) => name)).toEqual(listMigrations());
    await database.close();
    // The owner of an embedded database goes last: the other one lives on its socket.
    for (const child of children) await child.closeInput();
    const told = (await Promise.all(children.map((child) => child.ended))).map(({ stdout }) => stdout);
    const migrated = told.map((text) =>
      (JSON.parse(text.replace("opened ", "")).migrated as string[]).length
    );
    expect(migrated.toSorted()).toEqual([0, listMigrations().length]);
  });

  it("are applied once when four connections migrate at the same moment, and do nothing later", async () => {
    const settings = await makeFresh();
    const { config, close } = await connectPlainly(settings);
    const done = await Promise.all(Array.from({ length: 4 }, () => migrate(config)));
    expect(done.flat().toSorted()).toEqual(listMigrations());
    expect(await migrate(config)).toEqual([]);
    await close();
  });

  it("leave nothing behind when one of them fails", async () => {
    const settings = await makeFresh();
    const { config, close } = await connectPlainly(settings);
    const client = new pg.Client(config);
    await client.connect();
    await client.query("CREATE TABLE paid_calls (in_the_way integer)");
    await expect(migrate(config)).rejects.toThrow(
      /Cannot migrate the database: .*paid_calls.*Nothing was changed/,
    );
    const { rows } = await client.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
    expect(rows).toEqual([{ tablename: "paid_calls" }]);
    await client.end();
    await close();
  });

  it("refuse a database from a newer version in one line that names what was found, changing nothing", async () => {
    const settings = await makeDatabase();
    made.push(settings);
    const { database } = await open(settings);
    await database.query(
      "INSERT INTO nightdesk_migrations (name, run_on) VALUES ('999_from_the_future', now())",
    );
    await database.query("DROP TABLE workers");
    await database.close();

    await expect(open(settings)).rejects.toThrow(
      /^Cannot use this database: .*999_from_the_future.*Update Nightdesk[^\n]*$/,
    );

    const { config, close } = await connectPlainly(settings);
    const client = new pg.Client(config);
    await client.connect();
    const { rows } = await client.query(
      `SELECT to_regclass('workers') AS workers, (${APPLIED} DESC LIMIT 1) AS last`,
    );
    expect(rows).toEqual([{ workers: null, last: "999_from_the_future" }]);
    await client.end();
    await close();
  });
});

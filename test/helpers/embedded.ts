/** Embedded databases for the tests that are about them, also while the suites run against a server. */
import pg from "pg";
import { afterAll, inject } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import { openEmbedded } from "../../lib/database/embedded/embedded.ts";
import { copyDatabase, SERVER } from "./database.ts";

let migrated: Promise<string> | undefined;
let unmigrated: Promise<string> | undefined;
const made: string[] = [];

// What this file made for itself; a test's own folders are the test's to remove.
afterAll(async () => {
  for (const folder of made.splice(0)) await Deno.remove(folder, { recursive: true });
});

/** A migrated folder that nobody has opened. */
export async function makeEmbeddedFolder(): Promise<string> {
  migrated ??= SERVER ? makeMigrated() : Promise.resolve(inject("template"));
  return await copyTemplate(await migrated);
}

/** A folder as it is before the first migration. */
export async function makeUnmigratedFolder(): Promise<string> {
  unmigrated ??= makeUnmigrated();
  return await copyTemplate(await unmigrated);
}

async function copyTemplate(template: string): Promise<string> {
  const dataDir = await Deno.makeTempDir({ prefix: "nd-" });
  await copyDatabase(template, dataDir);
  return dataDir;
}

async function makeMigrated(): Promise<string> {
  const dataDir = await Deno.makeTempDir({ prefix: "nd-template-" });
  made.push(dataDir);
  const { database } = await openDatabase({
    databaseUrl: null,
    dataDir,
    role: "test",
    onConnectionError() {},
  });
  await database.close();
  return dataDir;
}

async function makeUnmigrated(): Promise<string> {
  const dataDir = await makeEmbeddedFolder();
  made.push(dataDir);
  const embedded = await openEmbedded(dataDir, "test", () => {});
  const client = new pg.Client(embedded.connection);
  await client.connect();
  await client.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  await client.end();
  await embedded.close();
  return dataDir;
}

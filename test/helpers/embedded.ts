/** Embedded databases for the tests that are about them, also while the suites run against a server. */
import { join } from "node:path";
import { inject } from "vitest";
import pg from "pg";
import { openEmbedded } from "../../lib/database/embedded/embedded.ts";
import { copyFolder, SERVER } from "./database.ts";
import { openDatabase } from "../../lib/database/connect.ts";

let template: Promise<string> | undefined;

/** A migrated folder that nobody has opened. */
export async function makeEmbeddedFolder(): Promise<string> {
  template ??= SERVER ? makeTemplate() : Promise.resolve(inject("template"));
  const dataDir = await Deno.makeTempDir({ prefix: "nd-" });
  await copyFolder(join(await template, "postgres"), join(dataDir, "postgres"));
  return dataDir;
}

async function makeTemplate(): Promise<string> {
  const dataDir = await Deno.makeTempDir({ prefix: "nd-template-" });
  const { database } = await openDatabase({
    databaseUrl: null,
    dataDir,
    role: "test",
    onConnectionError() {},
  });
  await database.close();
  return dataDir;
}

/** A folder as it is before the first migration. */
export async function makeUnmigratedFolder(): Promise<string> {
  const dataDir = await makeEmbeddedFolder();
  const embedded = await openEmbedded(dataDir, "test", () => {});
  const client = new pg.Client(embedded.connection);
  await client.connect();
  await client.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  await client.end();
  await embedded.close();
  return dataDir;
}

/** What a start that was killed in its first moments leaves in the embedded database's folder. */
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import { makeEmbeddedFolder } from "../helpers/embedded.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await makeEmbeddedFolder();
});
afterEach(() => Deno.remove(dataDir, { recursive: true }));

it.each([
  ["empty", ""],
  ["half written", "-4"],
  ["of a process that is gone", "-42\n/pglite/data\n1795490243\n5432\n\n\n       20         1\n"],
  ["filled with nothing", "\0\0\0\0"],
])("the database opens although PostgreSQL's lock file is %s", async (_, content) => {
  await Deno.writeTextFile(join(dataDir, "postgres", "postmaster.pid"), content);
  const { database } = await openDatabase({
    databaseUrl: null,
    dataDir,
    role: "test",
    onConnectionError() {},
  });
  expect((await database.query("SELECT count(*) AS n FROM articles")).rows).toEqual([{ n: 0 }]);
  await database.close();
});

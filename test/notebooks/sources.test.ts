import { afterEach, describe, expect, it, vi } from "vitest";
import { join } from "node:path";
import { openDatabase } from "../../lib/database/connect.ts";
import { readSettings } from "../../notebooks/kit/settings.ts";
import { addArticles } from "../helpers/articles.ts";
import { dropDatabase, makeDatabase, openTestDatabase, SERVER } from "../helpers/database.ts";
import { makeUnmigratedFolder } from "../helpers/embedded.ts";
import { endProcesses, environmentOf } from "../helpers/process.ts";
import { runScript, TELL, tell } from "./run_cells.ts";

afterEach(endProcesses);
// Every test starts programs, each with a database of its own: seconds on a free machine, more on a busy one.
vi.setConfig({ testTimeout: 90_000 });

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await Deno.remove(folder, { recursive: true });
});

describe("a notebook reads", () => {
  it("the database of a process that runs, as it is when it is opened or refreshed", async () => {
    const test = await openTestDatabase();
    await addArticles(test.db, 3);
    const [kind, where, rows] = await tell(environmentOf(test.settings));
    expect([kind, rows]).toEqual([SERVER ? "server" : "running", [{ n: 3 }]]);
    if (!SERVER) {
      expect(where).toMatch(
        new RegExp(`served by process ${Deno.pid} \\(test\\), as it was at [0-9:]{8} UTC`),
      );
    }
    expect((await test.db.query("SELECT 1 AS n")).rows).toEqual([{ n: 1 }]);
    await test.close();
  });

  it("nothing of an older or newer database, which it says in one line and does not migrate", async () => {
    const older = await makeUnmigratedFolder();
    folders.push(older);
    for (let times = 0; times < 2; times++) {
      const { code, stderr } = await runScript(TELL, { DATA_DIR: older });
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /Cannot read a copy of the embedded database in .*: it has no tables of Nightdesk yet \(it lacks 001_/,
      );
    }
    const settings = await makeDatabase();
    const { database } = await openDatabase({ ...settings, role: "test", onConnectionError() {} });
    await database.query(
      "INSERT INTO nightdesk_migrations (name, run_on) VALUES ('999_from_the_future', now())",
    );
    await database.close();
    const { code, stderr } = await runScript(TELL, environmentOf(settings));
    expect(code).toBe(1);
    expect(stderr).toContain("it is from a newer Nightdesk (it has 999_from_the_future");
    await dropDatabase(settings);
  });
});

describe("the settings of a notebook", () => {
  it("come from the environment, else from two lines of .env, else are the desk's own", async () => {
    const project = await makeFolder();
    expect(readSettings(project)).toEqual({
      databaseUrl: null,
      dataDir: join(project, ".nightdesk"),
      dataDirName: ".nightdesk",
    });
    await Deno.writeTextFile(
      join(project, ".env"),
      [
        "GEMINI_API_KEY=secret",
        "export DATA_DIR='elsewhere'   # a comment",
        '# DATABASE_URL="postgres://no:no@no/no"',
        'DATABASE_URL="postgres://u:p@h/d"',
      ].join("\n"),
    );
    expect(readSettings(project)).toEqual({
      databaseUrl: "postgres://u:p@h/d",
      dataDir: join(project, "elsewhere"),
      dataDirName: "elsewhere",
    });
    await Deno.writeTextFile(join(project, ".env"), "DATABASE_URL=mysql://u:geheim@h/d\n");
    expect(() => readSettings(project)).toThrow(
      "Cannot connect: DATABASE_URL must be an address like postgres://user:password@host:5432/database, " +
        "got something else (not shown)",
    );
  });
});

async function makeFolder(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "nd-test-" });
  folders.push(folder);
  return folder;
}

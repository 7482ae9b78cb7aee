import { afterEach, describe, expect, it } from "vitest";
import { join } from "node:path";
import { openDatabase, type OpenedDatabase } from "../../lib/database/connect.ts";
import { takeOwnerLock } from "../../lib/database/embedded/owner_lock.ts";
import { fromFileUrl } from "../../lib/database/paths.ts";
import { openReader, type Reader } from "../../notebooks/kit/read_only.ts";
import { openSource, type Source } from "../../notebooks/kit/source.ts";
import { makeEmbeddedFolder } from "../helpers/embedded.ts";
import { desk, endProcesses, startDeno } from "../helpers/process.ts";
import { DESK } from "./run_cells.ts";

const SAMPLES = fromFileUrl(new URL("../../lib/articles/samples", import.meta.url));
/** Works for hours, and takes no breath in which anybody else would be served. */
const ENDLESS = "SELECT count(*) FROM generate_series(1, 1e12)";

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await endProcesses();
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function makeFolder(): Promise<string> {
  const dataDir = await makeEmbeddedFolder();
  cleanUps.push(() => Deno.remove(dataDir, { recursive: true }));
  return dataDir;
}

async function serve(dataDir: string): Promise<OpenedDatabase> {
  const opened = await openDatabase({ databaseUrl: null, dataDir, role: "test", onConnectionError() {} });
  cleanUps.push(() => opened.database.close());
  return opened;
}

async function read(dataDir: string, timeoutS: number): Promise<{ source: Source; reader: Reader }> {
  const source = await openSource({ databaseUrl: null, dataDir, dataDirName: "data" });
  cleanUps.push(() => source.close());
  const reader = await openReader(source.connection, source.where, { interrupt: source.interrupt, timeoutS });
  cleanUps.push(() => reader.close());
  return { source, reader };
}

describe("a question without an end", () => {
  it("does not keep a session from its work", async () => {
    const dataDir = await makeFolder();
    await serve(dataDir);
    const path = join(dataDir, "asks.ts");
    await Deno.writeTextFile(
      path,
      `import { desk, query } from ${JSON.stringify(DESK)};
       console.log(desk.kind);
       await query("${ENDLESS}");`,
    );
    const notebook = startDeno(["-A", "--config=deno.json", path], { DATA_DIR: dataDir });
    await notebook.printed(/running/);
    const env = { DATA_DIR: dataDir, ANALYST: "offline", BATCH_DELAY_SECONDS: "0", BATCH_BUDGET_USD: "5" };
    expect((await desk(["ingest", SAMPLES], env)).code).toBe(0);
    const { code, stderr } = await desk(["batch", "--yes"], env);
    expect(`${code} ${stderr}`).toMatch(/^0 /);
  }, 120_000);

  it("is given up, and the next one is answered", async () => {
    const { reader } = await read(await makeFolder(), 5);
    const [endless, next] = await Promise.all([
      reader.query(ENDLESS).catch((error: Error) => error.message),
      reader.query("SELECT 1 AS n"),
    ]);
    expect(endless).toBe("Gave up after 5 s: the question was ended. Ask for less, or narrow the time");
    expect(next.rows).toEqual([{ n: 1 }]);
  }, 120_000);
});

describe("a copy", () => {
  it("is whole although others write while it is made", async () => {
    const dataDir = await makeFolder();
    const { database } = await serve(dataDir);
    await database.query(
      "CREATE TABLE ones (n integer PRIMARY KEY); CREATE TABLE twos (n integer PRIMARY KEY)",
    );
    let [written, going] = [0, true];
    const writing = (async () => {
      while (going) {
        await database.transaction(async (tx) => {
          await tx.query("INSERT INTO ones SELECT generate_series($1::integer, $1 + 99)", [written]);
          await tx.query("INSERT INTO twos SELECT generate_series($1::integer, $1 + 99)", [written]);
        });
        written += 100;
      }
    })();
    while (written < 1_000) await new Promise((resolve) => setTimeout(resolve, 5));
    const before = written;
    const { source, reader } = await read(dataDir, 60);
    going = false;
    await writing;
    expect(source.kind).toBe("running");
    const { rows: [found] } = await reader.query<{ ones: number; twos: number; pairs: number }>(
      `SELECT (SELECT count(*) FROM ones) AS ones, (SELECT count(*) FROM twos) AS twos,
         (SELECT count(*) FROM ones JOIN twos USING (n)) AS pairs`,
    );
    expect(found?.ones).toBeGreaterThanOrEqual(before);
    expect(found).toEqual({ ones: found?.ones, twos: found?.ones, pairs: found?.ones });
  }, 120_000);

  it("that a notebook is making is waited for by whoever starts the service", async () => {
    const dataDir = await makeFolder();
    const lock = takeOwnerLock(dataDir, "notebook, copying");
    const opening = serve(dataDir);
    // It has tried once by now: everything before its first look for a running process is done at once.
    lock?.release();
    expect((await opening).ownedBy).toBeNull();
  });
});

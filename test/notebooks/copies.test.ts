import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { join } from "node:path";
import { openDatabase } from "../../lib/database/connect.ts";
import { SETTINGS } from "../../lib/settings.ts";
import { addArticles } from "../helpers/articles.ts";
import { copyDatabase } from "../helpers/database.ts";
import { makeEmbeddedFolder } from "../helpers/embedded.ts";
import { endProcesses, type RunningProcess, startDeno } from "../helpers/process.ts";
import { DESK, runScript, TELL, tell } from "./run_cells.ts";

afterEach(endProcesses);
// Every test starts programs, each with a database of its own: seconds on a free machine, more on a busy one.
vi.setConfig({ testTimeout: 90_000 });

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await Deno.remove(folder, { recursive: true });
});

/** Prepared ones, by the number of their articles. */
const shelf = new Map<number, Promise<string>>();
afterAll(async () => {
  for (const folder of shelf.values()) await Deno.remove(await folder, { recursive: true });
});

/** A folder that nobody has open. */
async function embeddedWith(articles: number): Promise<string> {
  if (!shelf.has(articles)) shelf.set(articles, prepare(articles));
  const dataDir = await makeFolder();
  await copyDatabase(await shelf.get(articles)!, dataDir);
  return dataDir;
}

async function prepare(articles: number): Promise<string> {
  const dataDir = await makeEmbeddedFolder();
  const { database } = await openDatabase({
    databaseUrl: null,
    dataDir,
    role: "test",
    onConnectionError() {},
  });
  await addArticles(database, articles);
  await database.close();
  return dataDir;
}

/** A notebook that reads a copy already, and stays. */
async function startNotebook(env: Record<string, string>): Promise<RunningProcess> {
  const path = join(await makeFolder(), "stays.ts");
  const script = `import { desk } from "./desk.ts"; console.log(desk.kind);
    await new Promise((resolve) => setTimeout(resolve, 600_000));`;
  await Deno.writeTextFile(path, script.replace("./desk.ts", DESK));
  const notebook = startDeno(["-A", "--config=deno.json", path], env);
  await notebook.printed(/copy/);
  return notebook;
}

describe("of an embedded database a notebook reads", () => {
  it("a copy of an embedded database that nobody serves, and leaves neither lock nor copy", async () => {
    const dataDir = await embeddedWith(2);
    const temporary = await makeFolder();
    const [kind, where, rows] = await tell({ DATA_DIR: dataDir, TMPDIR: temporary });
    expect([kind, rows]).toEqual(["copy", [{ n: 2 }]]);
    expect(where).toContain("a copy of the embedded database");
    expect([...Deno.readDirSync(temporary)]).toEqual([]);
    const { database, ownedBy } = await openDatabase({
      databaseUrl: null,
      dataDir,
      role: "test",
      onConnectionError() {},
    });
    expect(ownedBy).toBeNull();
    await database.close();
  });

  it("a copy, and takes away what a killed notebook left behind", async () => {
    const [dataDir, temporary] = [await embeddedWith(1), await makeFolder()];
    const killed = await startNotebook({ DATA_DIR: dataDir, TMPDIR: temporary });
    const copies = [...Deno.readDirSync(temporary)].map(({ name }) => join(temporary, name));
    expect(copies).toHaveLength(1);
    // The process that serves the copy first: it would take it away.
    const { pid } = JSON.parse(await Deno.readTextFile(join(copies[0] ?? "", "owner.lock")));
    Deno.kill(pid, "SIGKILL");
    killed.kill("SIGKILL");
    await killed.ended;
    expect([...Deno.readDirSync(temporary)]).toHaveLength(1);
    await tell({ DATA_DIR: dataDir, TMPDIR: temporary });
    expect([...Deno.readDirSync(temporary)]).toEqual([]);
  });

  it("a copy that is gone as soon as the notebook is, also when it is killed", async () => {
    const [dataDir, temporary] = [await embeddedWith(1), await makeFolder()];
    const killed = await startNotebook({ DATA_DIR: dataDir, TMPDIR: temporary });
    killed.kill("SIGKILL");
    await vi.waitUntil(() => [...Deno.readDirSync(temporary)].length === 0, { timeout: 60_000 });
  });

  it("a copy while the service may start: the service does not wait for the notebook", async () => {
    const dataDir = await embeddedWith(1);
    await startNotebook({ DATA_DIR: dataDir });
    const { database, ownedBy } = await openDatabase({
      databaseUrl: null,
      dataDir,
      role: "service",
      onConnectionError() {},
    });
    expect(ownedBy).toBeNull();
    await database.close();
  });

  it("on, when the process that served the database ends in the middle, and its copy when it is told to", async () => {
    const dataDir = await embeddedWith(2);
    const serving = await openDatabase({ databaseUrl: null, dataDir, role: "test", onConnectionError() {} });
    const script = `import { desk, query } from "./desk.ts";
      const count = () => query("SELECT count(*) AS n FROM articles");
      const first = await count();
      console.log(desk.kind, JSON.stringify(first));
      await Deno.stdin.read(new Uint8Array(1));
      const second = await count();
      console.log("then", desk.kind, JSON.stringify(second));
      await desk.refresh();
      const third = await count();
      console.log("at last", desk.kind, JSON.stringify(third));
      await desk.close();`;
    const path = join(await makeFolder(), "goes_on.ts");
    await Deno.writeTextFile(
      path,
      script.replace("./desk.ts", DESK),
    );
    const notebook = startDeno(["-A", "--config=deno.json", path], { DATA_DIR: dataDir });
    await notebook.printed(/running \[\{"n":2\}\]/);
    await serving.database.close();
    await notebook.type("\n");
    await notebook.printed(/then running \[\{"n":2\}\]/);
    await notebook.printed(/at last copy \[\{"n":2\}\]/);
  });

  it("no keys: it runs where every other setting is out of its reach", async () => {
    const dataDir = await embeddedWith(1);
    const secrets = Object.keys(SETTINGS).filter((name) => name !== "DATABASE_URL" && name !== "DATA_DIR");
    const env = Object.fromEntries(secrets.map((name) => [name, "must-not-be-read"]));
    const { code, stdout, stderr } = await runScript(TELL, { ...env, DATA_DIR: dataDir }, [
      // What the libraries ask for, and the two settings.
      "--allow-env=DATABASE_URL,DATA_DIR,PG*,NODE_*,USER,USERNAME,HOME,TMPDIR,TMP,TEMP,DEBUG,FORCE_COLOR,NO_COLOR",
      `--deny-env=${secrets.join(",")}`,
      "--allow-read",
      "--allow-write",
      "--allow-net",
      "--allow-sys",
      "--allow-run",
      "--no-prompt",
    ]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)[2]).toEqual([{ n: 1 }]);
  });
});

async function makeFolder(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "nd-test-" });
  folders.push(folder);
  return folder;
}

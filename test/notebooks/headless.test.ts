import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { join } from "node:path";
import { openDatabase } from "../../lib/database/connect.ts";
import { fromFileUrl } from "../../lib/database/paths.ts";
import { executeNotebook } from "../../notebooks/headless/execute.ts";
import { ensureKernel, findKernel, run } from "../../notebooks/headless/kernel.ts";
import { readNotebook, tidyNotebook } from "../../notebooks/headless/notebook_file.ts";
import { dropDatabase } from "../helpers/database.ts";
import { type Ended, endProcesses, environmentOf, startDeno } from "../helpers/process.ts";
import { checkCosts, checkModels, checkSession, checkSignals } from "./figures.ts";
import { readOutputs } from "./read_outputs.ts";
import { NAMES, NOTEBOOKS } from "./run_cells.ts";
import { makeAnalysed } from "./states.ts";

/** Real newsletters; CORPUS names another folder of Markdown. */
const CORPUS = Deno.env.get("CORPUS") ??
  fromFileUrl(new URL("../../../shared/corpus/optech", import.meta.url));

const jupyter = (await run("jupyter", ["nbconvert", "--version"]))?.success ?? false;
const corpus = await Deno.stat(CORPUS).then(({ isDirectory }) => isDirectory, () => false);
/** In the name of the test that needs it: a reporter shows no other reason. */
const why = corpus
  ? ""
  : " (skipped: there is no ../shared/corpus/optech; CORPUS names another folder of Markdown)";

let home: string;

beforeAll(async () => {
  home = await Deno.makeTempDir({ prefix: "nd-headless-" });
});

afterEach(endProcesses);

afterAll(async () => {
  await Deno.remove(home, { recursive: true });
});

/** Where no Jupyter and no kernel has been before. */
function freshHome(): Record<string, string> {
  const folder = Deno.makeTempDirSync({ dir: home });
  return { HOME: folder, DATA_DIR: join(folder, "data"), DENO_DIR: join(folder, "deno") };
}

async function program(name: string, args: readonly string[], env: Record<string, string>): Promise<Ended> {
  return await startDeno(["-A", `notebooks/${name}.ts`, ...args], env).ended;
}

describe("deno task notebook", () => {
  it("installs the kernel once, and says how to open the notebooks and what they read", async () => {
    const env = freshHome();
    const first = await program("setup", [], env);
    expect(first.stderr).toBe("");
    expect(first.stdout).toMatch(/^Installed the Deno kernel \(.*jupyter\/kernels\/deno\)\./);
    for (const name of NAMES) expect(first.stdout).toContain(`  ${name}.ipynb`);
    expect(first.stdout).toContain("They read a fixture, an invented month");
    expect(first.stdout).toMatch(/JupyterLab .*\n.*VS Code .*\n.*no screen .* deno task notebooks:run/);
    const second = await program("setup", [], env);
    expect(second.stdout).toMatch(/^The Deno kernel is installed/);
    expect(second.code).toBe(0);
  });

  it("replaces a kernel whose Deno is gone", async () => {
    const env = freshHome();
    const dataFolder = join(env["HOME"] ?? "", ".local", "share", "jupyter");
    const folder = join(dataFolder, "kernels", "deno");
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(
      join(folder, "kernel.json"),
      JSON.stringify({ argv: ["/nowhere/deno", "jupyter"] }),
    );
    expect(findKernel({ dataFolders: [dataFolder] })).toBeNull();
    const { stdout } = await program("setup", [], env);
    expect(stdout).toMatch(/^Installed the Deno kernel/);
    expect(findKernel({ dataFolders: [dataFolder] })).toBe(folder);
  });

  it("works where there is no Jupyter at all, and says how to get one", async () => {
    const { code, stdout, stderr } = await program("setup", [], { ...freshHome(), PATH: "/nowhere" });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/There is no "jupyter" command here\. VS Code needs none/);
    expect(stdout).toContain("apt-get install jupyter-nbconvert");
    expect(code).toBe(0);
  });

  it("names the database that the notebooks would read, without its password", async () => {
    const env = { ...freshHome(), DATABASE_URL: "postgres://user:geheim@db.example:5433/desk" };
    const { stdout } = await program("setup", [], env);
    expect(stdout).toContain("They read the PostgreSQL server db.example:5433/desk (DATABASE_URL).");
    expect(stdout).not.toContain("geheim");
  });
});

describe("deno task notebooks:run", () => {
  it("says what to install where nbconvert is missing", async () => {
    const { code, stdout, stderr } = await program("run", [], { ...freshHome(), PATH: "/nowhere" });
    expect(stdout).toBe("");
    expect(stderr).toMatch(
      /^Cannot execute notebooks: wanted jupyter nbconvert, it is not installed\. Debian: apt-get/m,
    );
    expect(code).toBe(1);
  });
});

describe.skipIf(!jupyter)("executed by nbconvert (skipped where jupyter-nbconvert is not installed)", () => {
  beforeAll(async () => {
    await ensureKernel();
  });

  it("the notebooks are the committed ones again", async () => {
    const env = { DATABASE_URL: "", DATA_DIR: join(home, "fixture") };
    for (const name of NAMES) {
      const path = join(NOTEBOOKS, `${name}.ipynb`);
      // Parsed, so that a difference is shown as one.
      expect(JSON.parse(JSON.stringify(tidyNotebook(await executeNotebook(path, { env })))))
        .toEqual(JSON.parse(JSON.stringify(readNotebook(path))));
    }
  }, 600_000);

  it("a cell that fails is told with what it said, and fails the run", async () => {
    const path = join(home, "fails.ipynb");
    const cell = { cell_type: "code", id: "a", execution_count: null, metadata: {}, outputs: [] };
    const source = 'console.log("before");\nthrow new Error("the cell says why");';
    await Deno.writeTextFile(
      path,
      JSON.stringify({ cells: [{ ...cell, source }], metadata: {}, nbformat: 4, nbformat_minor: 5 }),
    );
    await expect(executeNotebook(path)).rejects.toThrow(
      /^fails\.ipynb: a cell failed\n\s+Error: the cell says why[\s\S]*console\.log/,
    );

    const away = await program("run", [join(home, "away")], {
      DATABASE_URL: "postgres://nobody@127.0.0.1:9/away",
      DATA_DIR: join(home, "data"),
    });
    expect(away.code).toBe(1);
    expect(
      away.stderr.match(
        /ipynb: a cell failed\n\s+UserError: Cannot read from the PostgreSQL server 127\.0\.0\.1:9\/away: .*/g,
      ),
    )
      .toHaveLength(NAMES.length);
    expect([...Deno.readDirSync(join(home, "away"))]).toEqual([]);
  }, 600_000);

  it.skipIf(!corpus)(`on real newsletters the figures are those of SQL by another way${why}`, async () => {
    const settings = await makeAnalysed(CORPUS);
    const folder = join(home, "corpus");
    const { code, stdout, stderr } = await program("run", [folder], environmentOf(settings));
    expect(stderr).toBe("");
    expect(stdout).toContain("All notebooks ran");
    expect(code).toBe(0);
    const shown = (name: (typeof NAMES)[number]) => readOutputs(readNotebook(join(folder, `${name}.ipynb`)));
    const { database } = await openDatabase({ ...settings, role: "test", onConnectionError() {} });
    await checkCosts(database, shown("cost_analysis"));
    await checkSession(database, shown("session_review"));
    await checkModels(database, shown("model_choice"));
    await checkSignals(database, shown("signals"));
    await database.close();
    await dropDatabase(settings);
  }, 600_000);
});

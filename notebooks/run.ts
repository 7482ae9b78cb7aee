/**
 * `deno task notebooks:run [folder]`: executes every notebook without a screen and keeps the outputs in the folder
 * (DATA_DIR/notebooks unless given). Exit code 1 when a cell fails.
 *
 * Into the folder of the notebooks themselves go outputs of the fixture only, whatever the settings say: those are
 * committed, and nobody's data belongs there.
 */
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { messageOf, UserError } from "../lib/errors.ts";
import { executeNotebook } from "./headless/execute.ts";
import { ensureKernel } from "./headless/kernel.ts";
import { type Notebook, tidyNotebook, writeNotebook } from "./headless/notebook_file.ts";
import { removeAbandoned } from "./kit/private_copy.ts";
import { PROJECT, readSettings } from "./kit/settings.ts";

const NOTEBOOKS = join(PROJECT, "notebooks");

export function listNotebooks(): string[] {
  return [...Deno.readDirSync(NOTEBOOKS)].map(({ name }) => name).filter((name) => name.endsWith(".ipynb"))
    .sort()
    .map((name) => join(NOTEBOOKS, name));
}

/** How many failed. */
async function runAll(folder: string): Promise<number> {
  await ensureKernel();
  const committed = resolve(folder) === resolve(NOTEBOOKS);
  const env = committed ? fixtureOnly() : {};
  await Deno.mkdir(folder, { recursive: true });
  let failed = 0;
  for (const path of listNotebooks()) {
    const started = performance.now();
    try {
      const notebook = tidyNotebook(await executeNotebook(path, { env }));
      if (committed) assertPortable(path, notebook);
      writeNotebook(join(folder, basename(path)), notebook);
      console.log(`${basename(path)}: executed in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failed++;
      console.error(error.message);
    }
  }
  await removeAbandoned();
  return failed;
}

/** A DATA_DIR in which there is no database, so that the fixture is read. */
function fixtureOnly(): Record<string, string> {
  return { DATABASE_URL: "", DATA_DIR: join(readSettings().dataDir, "notebooks-fixture") };
}

/** Throws `UserError` when an output names a folder of this machine. */
function assertPortable(path: string, notebook: Notebook): void {
  const text = JSON.stringify(notebook.cells.map(({ outputs }) => outputs));
  const named = [PROJECT, Deno.env.get("HOME") ?? "", tmpdir()].filter((folder) => folder.length > 1)
    .map((folder) => folder.replace(/\/$/, "")).find((folder) => text.includes(`${folder}/`));
  if (named === undefined) return;
  throw new UserError(
    `${basename(path)}: an output names a folder of this machine (${named}); it was not kept`,
  );
}

if (import.meta.main) {
  try {
    const folder = Deno.args[0] ?? join(readSettings().dataDir, "notebooks");
    const failed = await runAll(folder);
    const shown = relative(Deno.cwd(), folder) || ".";
    if (failed === 0) {
      console.log(`All notebooks ran; they are in ${shown.startsWith("..") ? folder : shown}`);
    }
    Deno.exit(failed === 0 ? 0 : 1);
  } catch (error) {
    console.error(
      error instanceof UserError ? error.message : `The notebooks did not run: ${messageOf(error)}`,
    );
    Deno.exit(1);
  }
}

/** `deno task notebook`: installs the Deno kernel if it is missing, and says how to open the notebooks and what they read. */
import { basename } from "node:path";
import { messageOf, UserError } from "../lib/errors.ts";
import { findJupyter, findKernel, installKernel } from "./headless/kernel.ts";
import { listNotebooks } from "./run.ts";
import { readSettings } from "./kit/settings.ts";
import { describeSource } from "./kit/source.ts";

async function setUp(): Promise<void> {
  const jupyter = await findJupyter();
  const found = findKernel(jupyter);
  const folder = found ?? await installKernel();
  const names = listNotebooks().map((path) => basename(path));
  console.log(`${found ? "The Deno kernel is installed" : "Installed the Deno kernel"} (${folder}).`);
  console.log(`\nThe notebooks, in the folder notebooks/:\n${names.map((name) => `  ${name}`).join("\n")}`);
  console.log(`\nThey read ${describeSource(readSettings())}.`);
  console.log(`\nOpen them
  JupyterLab   jupyter lab notebooks
  VS Code      install the Jupyter extension, open a notebook, choose the kernel "Deno"
  no screen    deno task notebooks:run`);
  if (jupyter) return;
  console.log(`\nThere is no "jupyter" command here. VS Code needs none; for the others:
  pip install jupyterlab              JupyterLab
  apt-get install jupyter-nbconvert   only what "no screen" needs, on Debian`);
}

if (import.meta.main) {
  try {
    await setUp();
  } catch (error) {
    console.error(error instanceof UserError ? error.message : `Cannot set up: ${messageOf(error)}`);
    Deno.exit(1);
  }
}

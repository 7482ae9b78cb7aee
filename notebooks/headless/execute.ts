/** Executes one notebook without a screen, through nbconvert. */
import { basename, join } from "node:path";
import { UserError } from "../../lib/errors.ts";
import { KERNEL, run } from "./kernel.ts";
import { findLostOutputs, type Notebook, readNotebook } from "./notebook_file.ts";

/** A cell that takes longer hangs; the first one of the first notebook makes the fixture (seconds). */
const CELL_TIMEOUT_S = 300;
/** Of a cell that failed. */
const LINES_SHOWN = 8;
/** An output that comes after the end of its cell is lost, which is a matter of luck: see `show`. */
const TRIES = 4;

export const NOT_INSTALLED =
  "Cannot execute notebooks: wanted jupyter nbconvert, it is not installed. Debian: apt-get install jupyter-nbconvert; " +
  "elsewhere: pip install nbconvert";

export interface ExecuteOptions {
  /** Settings of the kernel's environment, over those of this process. */
  env?: Record<string, string>;
}

/** Throws `UserError` when nbconvert is missing or a cell fails, with what the cell said. */
export async function executeNotebook(path: string, { env = {} }: ExecuteOptions = {}): Promise<Notebook> {
  for (let tries = 1;; tries++) {
    const notebook = await executeOnce(path, env);
    const lost = findLostOutputs(notebook);
    if (lost.length === 0) return notebook;
    if (tries >= TRIES) {
      throw new UserError(
        `${basename(path)}: outputs of cell ${lost.join(", ")} were lost ${TRIES} times in a row`,
      );
    }
  }
}

async function executeOnce(path: string, env: Record<string, string>): Promise<Notebook> {
  const folder = await Deno.makeTempDir({ prefix: "nd-run-" });
  try {
    const said = await run("jupyter", [
      "nbconvert",
      "--to=notebook",
      "--execute",
      `--ExecutePreprocessor.kernel_name=${KERNEL}`,
      `--ExecutePreprocessor.timeout=${CELL_TIMEOUT_S}`,
      "--ExecutePreprocessor.record_timing=False",
      `--output-dir=${folder}`,
      path,
    ], { env: { ...env, NO_COLOR: "1" } });
    if (said === null || /Jupyter command .* not found/.test(said.err)) throw new UserError(NOT_INSTALLED);
    if (!said.success) throw new UserError(`${basename(path)}: ${explain(said.err)}`);
    return readNotebook(join(folder, basename(path)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** nbconvert shows Python's way to the failure, then the cell between dashed lines, then what the cell said, twice. */
function explain(err: string): string {
  const [, cell, said] = err.split(/^-{18,}$/m);
  if (cell === undefined || said === undefined) {
    return `nbconvert failed\n${indent(err.trim().split("\n").slice(-5))}`;
  }
  const lines = cell.trim().split("\n");
  const shown = lines.length > LINES_SHOWN ? [...lines.slice(0, LINES_SHOWN), "…"] : lines;
  return `a cell failed\n${indent(messageOf(said))}\nin\n${indent(shown)}`;
}

/** Without the way to it, which is the program's own. */
function messageOf(said: string): string[] {
  const lines = said.trim().split("\n");
  const end = lines.findIndex((line) => /^\s+at /.test(line));
  return end < 0 ? lines : lines.slice(0, end);
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `    ${line}`.trimEnd()).join("\n");
}

/** Jupyter on this machine: whether it is there, and its Deno kernel, installed when it is missing. */
import { homedir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { z } from "zod";
import { UserError } from "../../lib/errors.ts";

/** Name of the kernel that every notebook here asks for. */
export const KERNEL = "deno";

const pathsSchema = z.object({ data: z.array(z.string()) });
const kernelSchema = z.object({ argv: z.array(z.string()).min(1) });

export interface Jupyter {
  /** Folders in which Jupyter looks for kernels, its own first. */
  dataFolders: string[];
}

/** Null: there is no `jupyter` command. */
export async function findJupyter(): Promise<Jupyter | null> {
  const said = await run("jupyter", ["--paths", "--json"]);
  if (said === null || !said.success) return null;
  return { dataFolders: pathsSchema.parse(JSON.parse(said.out)).data };
}

/** The folder of a kernel that can start; null: none, or one whose Deno is gone. */
export function findKernel(jupyter: Jupyter | null): string | null {
  const folders = jupyter?.dataFolders ?? [defaultDataFolder()];
  return folders.map((folder) => join(folder, "kernels", KERNEL)).find(canStart) ?? null;
}

/** Installs the kernel with the Deno that runs now, over one that cannot start. Throws `UserError`. */
export async function installKernel(): Promise<string> {
  const said = await run(Deno.execPath(), ["jupyter", "--install", "--force", "--name", KERNEL]);
  const text = stripVTControlCharacters(said?.err ?? "").trim();
  if (!said?.success) {
    throw new UserError(`Cannot install the Deno kernel: ${text || "deno did not say why"}`);
  }
  const jupyter = await findJupyter();
  const folder = findKernel(jupyter);
  if (folder !== null) return folder;
  throw new UserError(
    `Jupyter does not see the Deno kernel, which was installed all the same (${
      text.split("\n").at(-1)
    }). It looks in ` +
      `${
        (jupyter?.dataFolders ?? [defaultDataFolder()]).join(", ")
      }: set JUPYTER_PATH to the folder above "kernels"`,
  );
}

export async function ensureKernel(): Promise<{ folder: string; installed: boolean }> {
  const found = findKernel(await findJupyter());
  return found === null
    ? { folder: await installKernel(), installed: true }
    : { folder: found, installed: false };
}

export interface Said {
  success: boolean;
  out: string;
  err: string;
}

/** Null: there is no such command. */
export async function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Said | null> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, {
      ...options,
      args: [...args],
      stdin: "null",
    }).output();
    const text = new TextDecoder();
    return { success, out: text.decode(stdout), err: text.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** A kernel installed by another Deno (of a cache that was emptied, say) is there but does not start. */
function canStart(folder: string): boolean {
  try {
    const { argv } = kernelSchema.parse(JSON.parse(Deno.readTextFileSync(join(folder, "kernel.json"))));
    return Deno.statSync(argv[0] as string).isFile;
  } catch {
    return false;
  }
}

/** Where Deno installs kernels, and VS Code looks for them. */
function defaultDataFolder(): string {
  if (Deno.build.os === "windows") return join(Deno.env.get("APPDATA") ?? homedir(), "jupyter");
  if (Deno.build.os === "darwin") return join(homedir(), "Library", "Jupyter");
  return join(Deno.env.get("XDG_DATA_HOME") ?? join(homedir(), ".local", "share"), "jupyter");
}

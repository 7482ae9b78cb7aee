/** A notebook's code cells as one program, so that they can be checked and run on machines without Jupyter. */
import { join } from "node:path";
import { fromFileUrl } from "../../lib/database/paths.ts";
import { readNotebook, sourceOf } from "../../notebooks/headless/notebook_file.ts";
import { type Ended, startDeno } from "../helpers/process.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
export const DESK = new URL("../../notebooks/desk.ts", import.meta.url).href;

export const NOTEBOOKS = join(ROOT, "notebooks");
export const NAMES = ["cost_analysis", "model_choice", "session_review", "signals"] as const;

/** The code cells of a notebook as one program. */
function programOf(name: string): string {
  const cells = readNotebook(join(NOTEBOOKS, `${name}.ipynb`)).cells.filter(({ cell_type }) =>
    cell_type === "code"
  );
  return cells.map(sourceOf).join("\n\n").replaceAll('"./desk.ts"', JSON.stringify(DESK));
}

/** Writes the program into a folder and returns its path. */
export function writeCells(name: string, folder: string): string {
  const path = join(folder, `${name}.ts`);
  Deno.writeTextFileSync(path, `${programOf(name)}\n\nawait desk.close();\n`);
  return path;
}

/** What the notebook says, as plain text, in an environment with these settings and no other. */
export async function runCells(name: string, folder: string, env: Record<string, string>): Promise<Ended> {
  return await runFile(writeCells(name, folder), env);
}

/** What every notebook says, by its name, from one process and one connection: most of a run is their making. */
export async function runAllCells(
  env: Record<string, string>,
): Promise<Ended & { said: Record<string, string> }> {
  const folder = await Deno.makeTempDir({ prefix: "nd-cells-" });
  try {
    for (const name of NAMES) await Deno.writeTextFile(join(folder, `${name}.ts`), programOf(name));
    const mark = `end of ${crypto.randomUUID()}\n`;
    const path = join(folder, "all.ts");
    await Deno.writeTextFile(
      path,
      `import { desk } from ${JSON.stringify(DESK)};
      for (const name of ${JSON.stringify(NAMES)}) {
        await import(\`./\${name}.ts\`);
        console.log(${JSON.stringify(mark.trimEnd())});
      }
      await desk.close();`,
    );
    const ended = await runFile(path, env);
    const parts = ended.stdout.split(mark);
    return { ...ended, said: Object.fromEntries(NAMES.map((name, index) => [name, parts[index] ?? ""])) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runFile(path: string, env: Record<string, string>): Promise<Ended> {
  return await startDeno(["-A", `--config=${join(ROOT, "deno.json")}`, path], env).ended;
}

/** A script that imports the desk and is run like a notebook. */
export async function runScript(
  script: string,
  env: Record<string, string>,
  permissions: readonly string[] = ["-A"],
): Promise<Ended> {
  const folder = await Deno.makeTempDir({ prefix: "nd-script-" });
  try {
    const path = join(folder, "script.ts");
    await Deno.writeTextFile(path, script.replaceAll('"./desk.ts"', JSON.stringify(DESK)));
    return await startDeno([...permissions, `--config=${join(ROOT, "deno.json")}`, path], env).ended;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Says what is read and how many articles there are. */
export const TELL = `
  import { desk, query } from "./desk.ts";
  console.log(JSON.stringify([desk.kind, desk.where, await query("SELECT count(*) AS n FROM articles")]));
  await desk.close();`;

/** What it says. */
export async function tell(env: Record<string, string>): Promise<[string, string, { n: number }[]]> {
  const { code, stdout, stderr } = await runScript(TELL, env);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

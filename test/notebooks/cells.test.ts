import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { join } from "node:path";
import { openDatabase } from "../../lib/database/connect.ts";
import { dropDatabase } from "../helpers/database.ts";
import { endProcesses, environmentOf } from "../helpers/process.ts";
import { fromFileUrl } from "../../lib/database/paths.ts";
import { readNotebook } from "../../notebooks/headless/notebook_file.ts";
import { NAMES, NOTEBOOKS, runAllCells, runCells, writeCells } from "./run_cells.ts";
import { makeAtWork, makeEmpty, makeNowhere, makeOneSession, type Settings } from "./states.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "nd-cells-" });
});

afterAll(async () => {
  await endProcesses();
  await Deno.remove(folder, { recursive: true });
});

/** Words that a computed sentence has only when something in it was not there. */
const BROKEN = /\bNaN\b|\bundefined\b|\bnull\b|Infinity|Invalid Date|\[object|\$-|\(–\)|\s[.,]/;

async function runAll(settings: Settings): Promise<Record<string, string>> {
  const { code, stdout, stderr, said } = await runAllCells(environmentOf(settings));
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).not.toMatch(BROKEN);
  return said;
}

/** Each as a process of its own, as its kernel is one. */
async function runOneByOne(settings: Settings): Promise<Record<string, string>> {
  const said: Record<string, string> = {};
  for (const name of NAMES) {
    const { code, stdout, stderr } = await runCells(name, folder, environmentOf(settings));
    expect(`${name}: ${stderr}`).toBe(`${name}: `);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(BROKEN);
    said[name] = stdout;
  }
  return said;
}

describe.each(NAMES)("%s", (name) => {
  const file = join(NOTEBOOKS, `${name}.ipynb`);

  it("has a question for a title, headings, and something to do about it at the end", () => {
    const { cells } = readNotebook(file);
    const headings = cells.filter(({ cell_type }) => cell_type === "markdown").map(({ source }) =>
      String(source).split(",")[0]
    );
    expect(String(cells[0]?.source)).toMatch(/^# .*\?/);
    expect(headings.at(-1)).toMatch(/^## What to do about it/);
  });

  it("is formatted", async () => {
    // Deno 2.9's own `fmt --check` calls every notebook unformatted that it has not formatted itself before.
    const command = new Deno.Command(Deno.execPath(), {
      args: ["fmt", "--ext=ipynb", `--config=${join(ROOT, "deno.json")}`, "-"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = command.stdin.getWriter();
    const text = await Deno.readTextFile(file);
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    const { stdout } = await command.output();
    expect(new TextDecoder().decode(stdout)).toBe(text);
  });
});

it("the cells of all notebooks are of correct types", async () => {
  const files = NAMES.map((name) => writeCells(name, folder));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", `--config=${join(ROOT, "deno.json")}`, ...files],
    env: { NO_COLOR: "1" },
  }).output();
  expect(new TextDecoder().decode(stderr)).toBe("");
  expect(success).toBe(true);
}, 120_000);

describe("every notebook runs and says what is missing", () => {
  it("where there is no database: on the fixture, which it makes", async () => {
    const settings = await makeNowhere();
    const said = await runAll(settings);
    for (const text of Object.values(said)) expect(text).toMatch(/^Reading the fixture, an invented month/);
    expect(Object.values(said).join()).not.toContain("Missing:");
    await Deno.remove(join(settings.dataDir, ".."), { recursive: true });
  }, 240_000);

  it("on an empty database", async () => {
    const settings = await makeEmpty();
    const said = await runOneByOne(settings);
    for (const text of Object.values(said)) {
      expect(text).toContain("It is empty: no articles have been taken in yet.");
      expect(text).toMatch(/Missing: no (call|session|article)/);
      expect(text).toMatch(/^- Nothing/m);
    }
    await dropDatabase(settings);
  }, 120_000);

  it("on one session only, of simulated money", async () => {
    const settings = await makeOneSession();
    const said = await runAll(settings);
    const { database } = await openDatabase({ ...settings, role: "test", onConnectionError() {} });
    const { rows: [session] } = await database.query<{ analyzed: number; cost: string }>(
      `SELECT analyzed, '$' || trunc((spent + overrun) / 1000000.0, 4) AS cost FROM batch_processing_sessions`,
    );
    await database.close();
    expect(said["cost_analysis"]).toContain(
      `${session?.analyzed} articles in 1 session cost ${session?.cost} (simulated)`,
    );
    expect(said["session_review"]).toContain("simulated money");
    expect(said["model_choice"]).toContain("(simulated money)");
    expect(said["signals"]).toContain(`${session?.analyzed} analysed articles`);
    await dropDatabase(settings);
  }, 180_000);

  it("while a session is at work, with what strangers write", async () => {
    const settings = await makeAtWork();
    const said = await runAll(settings);
    expect(said["session_review"]).toContain("Session 1 is PROCESSING with 1 of 6 articles analysed");
    expect(said["cost_analysis"]).toContain("1 article in 1 session cost $0.0006");
    await dropDatabase(settings);
  }, 120_000);
});

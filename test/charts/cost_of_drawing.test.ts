import { describe, expect, it } from "vitest";
import { renderPng } from "../../lib/charts/charts.ts";
import { SAMPLES } from "./samples.ts";
import type { Chart } from "../../lib/charts/types.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** With nothing allowed but to read this project (the environment and the system's facts are the libraries' wish). */
async function drawAlone(): Promise<Record<string, number>> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      `--allow-read=${ROOT}`,
      "--allow-env",
      `${ROOT}test/charts/draw_alone.ts`,
    ],
    cwd: ROOT,
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

describe("a process that draws", () => {
  it("needs no native library, no other program, no net, no fonts of the machine, and keeps its memory", async () => {
    const measured = await drawAlone();
    const here = await renderPng((SAMPLES.spendByDay as () => Chart)());
    // The same picture to the byte although that process could not look at the machine's fonts.
    expect(measured.bytes).toBe(here.length);
    expect(measured.rssAfterSixty).toBeLessThan((measured.rssAfterPng ?? 0) + 60);
  });

  it("loads no drawing library before the first drawing", async () => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", `${ROOT}lib/charts/charts.ts`],
      cwd: ROOT,
    }).output();
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
      modules: { dependencies?: { specifier: string; isDynamic?: boolean; code?: unknown }[] }[];
    };
    const loaded = modules.flatMap(({ dependencies = [] }) => dependencies)
      .filter(({ isDynamic, code }) => code !== undefined && !isDynamic).map(({ specifier }) => specifier);
    expect(loaded.filter((specifier) => !specifier.startsWith("."))).toEqual([]);
  });
});

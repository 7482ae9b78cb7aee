import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keepDesk } from "../helpers/kept_desk.ts";
import { endProcesses, startDesk, startService } from "../helpers/process.ts";

const desk = keepDesk();
let folder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "nd-" });
});
// Not after each: the tests of one group run at once.
afterAll(async () => {
  await endProcesses();
  await Deno.remove(folder, { recursive: true });
});

/** What no wrong command may ever show. */
const STACK = /^ +at /m;

const WRONG: [line: string, wanted: RegExp][] = [
  ["", /Usage: desk/],
  ["bacth", /unknown command 'bacth'[^]*Did you mean batch\?/],
  ["batch --limt 3", /unknown option '--limt'[^]*Did you mean --limit\?/],
  ["batch --limit 0", /'--limit <n>' argument '0' is invalid. wanted a whole number from 1 up/],
  ["batch --limit 1.5", /wanted a whole number/],
  ["batch --budget -1", /'--budget <usd>' argument '-1' is invalid. wanted US dollars over 0/],
  ["batch --budget lots", /argument 'lots' is invalid. wanted US dollars/],
  ["batch --research some", /wanted off, top or all/],
  ["estimate extra", /too many arguments/],
  ["show", /missing required argument 'article'/],
  ["show one", /wanted a whole number/],
  ["pause", /missing required argument 'n'/],
  ["cost --days 0", /wanted a whole number/],
  ["recover 1 --all", /^Cannot recover: --all is for every session; a number and --budget are for one$/m],
  ["recover --all --budget 1", /--all is for every session/],
  ["recover --days 3", /--days goes with --all/],
  ["resolve 1", /wanted paid or unpaid as the last word, got "1"/],
  ["resolve paid", /wanted the numbers of calls, or --session <n>, one or the other/],
  ["resolve 1 --session 1 paid", /one or the other/],
  ["resolve one paid", /wanted the number of a call, got "one"/],
  ["resolve 1 2 paid --bill 0.1", /--bill is for one call that was paid/],
  ["resolve 1 unpaid --bill 0.1", /--bill is for one call that was paid/],
  ["resolve 1 paid --bill lots", /wanted US dollars from 0 up/],
  ["budget --day 0", /wanted US dollars over 0 such as 2\.00, or none, or default/],
];

describe("a wrong command line ends with exit code 2, one clear text and nothing on stdout", () => {
  it.concurrent.each(WRONG)("desk %s", async (line, wanted) => {
    const { code, stdout, stderr } = await desk(line.split(" ").filter(Boolean), { DATA_DIR: folder });
    expect(stderr).toMatch(wanted);
    expect(stderr).not.toMatch(STACK);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

describe("wrong settings", () => {
  it("end a command and the service with exit code 2 and a line for each, before anything is opened", async () => {
    const env = {
      DATA_DIR: join(folder, "unused"),
      BATCH_SIZE: "x",
      GEMINI_RPM: "0",
      BATCH_DELAY_SECOND: "1",
    };
    const runs = [
      startDesk(["status"], env),
      startDesk(["demo"], env),
      startService(env),
    ];
    for (const { code, stdout, stderr } of await Promise.all(runs.map((run) => run.ended))) {
      expect(stderr.trim().split("\n")).toEqual([
        'GEMINI_RPM: wanted a whole number from 1 to 1000000, got "0"',
        'BATCH_SIZE: wanted a whole number from 1 to 1000, got "x"',
        "BATCH_DELAY_SECOND: there is no such setting; did you mean BATCH_DELAY_SECONDS?",
      ]);
      expect(stdout).toBe("");
      expect(code).toBe(2);
    }
    await expect(Deno.stat(join(folder, "unused"))).rejects.toThrow(Deno.errors.NotFound);
  });
});

describe("help", () => {
  it("goes to stdout, names every command and setting, and ends with exit code 0", async () => {
    const { code, stdout, stderr } = await desk(["--help"], { DATA_DIR: folder });
    expect(stdout).toMatch(/^Usage: desk/);
    expect(stdout).toMatch(/BATCH_BUDGET_USD +hard cap of a session, dollars \(0\.30\)/);
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });
});

describe("a DATA_DIR that cannot be used", () => {
  it("ends a command with exit code 1 and one line", async () => {
    const file = await Deno.makeTempFile();
    const { code, stdout, stderr } = await desk(["status"], { DATA_DIR: file });
    expect(stderr.trim()).toMatch(/^Cannot use DATA_DIR [^\n]* must be a folder that you may write to$/);
    expect(stdout).toBe("");
    expect(code).toBe(1);
    await Deno.remove(file);
  });
});

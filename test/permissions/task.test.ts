/** The tasks as an operator runs them, and the service without what it needs. */
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PROGRAM } from "../../lib/permissions/flags.ts";
import { flagsOfPackages, quickStartFlags } from "../../lib/permissions/quick_start.ts";
import { makeEmbeddedFolder } from "../helpers/embedded.ts";
import { endProcesses, startDeno, startTask } from "../helpers/process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

let folder: string;
beforeEach(async () => {
  folder = await Deno.makeTempDir({ prefix: "nd task-" });
});
afterEach(async () => {
  await endProcesses();
  await Deno.remove(folder, { recursive: true });
});

/** A DATA_DIR with a database in it, so that a start is quick. */
async function makeDataDir(name: string): Promise<string> {
  const made = await makeEmbeddedFolder();
  const path = join(folder, name);
  await Deno.rename(made, path);
  return path;
}

describe("deno task start", () => {
  it("grants what the settings need, in a folder with spaces too, and passes a signal on", async () => {
    const dataDir = await makeDataDir("my data");
    const service = startTask("start", [], { DATA_DIR: dataDir, PORT: "0" });
    const [, page] = await service.printed(/"page":"([^"]+)"/);
    expect((await fetch(`${page}/livez`)).status).toBe(200);
    const status = await startTask("desk", ["sessions", "--json"], { DATA_DIR: dataDir }).ended;
    expect({ code: status.code, stderr: status.stderr }).toEqual({ code: 0, stderr: "" });
    service.kill("SIGTERM");
    const { code, stderr } = await service.ended;
    expect(stderr).toMatch(/"msg":"stopped"/);
    expect(code).toBe(0);
  }, 120_000);

  it("follows a folder that is a link, named from the project's folder", async () => {
    const link = await Deno.makeTempDir({ prefix: "nd-link-" });
    await Deno.remove(link);
    await Deno.symlink(await makeEmbeddedFolder(), link);
    const service = startTask("start", [], { DATA_DIR: relative(ROOT, link), PORT: "0" });
    await service.printed(/"msg":"ready"/);
    service.kill("SIGTERM");
    expect((await service.ended).code).toBe(0);
    await Deno.remove(await Deno.realPath(link), { recursive: true });
    await Deno.remove(link);
  }, 120_000);

  it("tells faulty settings once, and a name with a slip in it", async () => {
    const { code, stdout, stderr } = await startTask("start", [], {
      DATA_DIR: folder,
      PORT: "http",
      HOST: "two words",
      FEED_HOSTS: "https://a.example",
      GEMINI_APIKEY: "k",
    }).ended;
    expect(stderr.trim().split("\n")).toEqual([
      expect.stringMatching(/^FEED_HOSTS: wanted host names/),
      expect.stringMatching(/^HOST: wanted one word/),
      expect.stringMatching(/^PORT: wanted a whole number/),
      "GEMINI_APIKEY: there is no such setting; did you mean GEMINI_API_KEY?",
    ]);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

describe("deno task demo", () => {
  it("runs with no host at all, and says how to go on in a folder with spaces", async () => {
    const env = { DATA_DIR: join(folder, "my data") };
    const { stdout } = await startDeno(["-P=grants", "lib/permissions/print.ts", "demo"], env).ended;
    // The socket has spaces in its path, so the task quotes it.
    expect(stdout.trim().split(" ")).toEqual([
      ...quickStartFlags(),
      "--ignore-read",
      "--allow-read=bot,deno.json,jobs,lib,main.ts,migrations,node_modules",
    ]);
    const demo = await startTask("demo", [], env).ended;
    expect(demo.stdout).toMatch(/Session 1 COMPLETED: \d+ of \d+ analysed/);
    expect(demo.stdout).toContain(`DATA_DIR="${env.DATA_DIR}/demo" deno task desk`);
    expect(demo.code).toBe(0);
  }, 120_000);
});

describe("the packages of a task", () => {
  it("are taken as they lie only when they were installed after the lock last changed", async () => {
    const project = pathToFileURL(`${folder}/`);
    const [lock, installed] = [
      join(folder, "deno.lock"),
      join(folder, "node_modules/.deno/.setup-cache.bin"),
    ];
    await Deno.writeTextFile(lock, "{}");
    expect(flagsOfPackages(project)).toEqual([]);
    await Deno.mkdir(dirname(installed), { recursive: true });
    await Deno.writeTextFile(installed, "");
    await Deno.utime(lock, 1_000, 1_000);
    expect(flagsOfPackages(project)).toEqual(["--node-modules-dir=manual"]);
    await Deno.utime(installed, 999, 999);
    expect(flagsOfPackages(project)).toEqual([]);
  });
});

describe("the service without what it needs", () => {
  it("says it at its start, a line each with the setting, and one with the way out, and ends with exit code 2", async () => {
    const dataDir = join(folder, "data");
    const { code, stdout, stderr } = await startDeno(["--no-prompt", "-P=serve", "main.ts"], {
      DATA_DIR: dataDir,
      DATABASE_URL: "postgres://desk:hidden@db.example:6432/desk",
      GEMINI_API_KEY: "k",
      GEMINI_BASE_URL: "https://gemini.proxy.example",
      FEEDS: "https://blog.example/feed.xml",
      PORT: "8001",
    }).ended;
    const feeds = ["blog.example:443", "blog.example:80", "www.blog.example:443", "www.blog.example:80"];
    const hosts = ["127.0.0.1:8001", "db.example:6432", "gemini.proxy.example:443", ...feeds];
    expect(stderr.trim().split("\n")).toEqual([
      `HOST: wanted the permission to reach 127.0.0.1:8001, got none`,
      `DATA_DIR: wanted the permission to read ${dataDir}, got none`,
      `DATA_DIR: wanted the permission to write to ${dataDir}, got none`,
      `DATABASE_URL: wanted the permission to reach db.example:6432, got none`,
      `GEMINI_BASE_URL: wanted the permission to reach gemini.proxy.example:443, got none`,
      ...feeds.map((host) => `FEEDS: wanted the permission to reach ${host}, got none`),
      "deno task start grants what the settings need; another way of starting needs " +
      `--allow-net=${hosts} "--allow-read=${PROGRAM},${dataDir}" "--allow-write=${dataDir}"`,
    ]);
    expect(stdout).toBe("");
    expect(code).toBe(2);
    await expect(Deno.stat(dataDir)).rejects.toThrow(Deno.errors.NotFound);
  });

  it("says that a folder with a comma cannot be granted", async () => {
    const dataDir = join(folder, "a,b");
    const { code, stderr } = await startTask("start", [], { DATA_DIR: dataDir, PORT: "0" }).ended;
    expect(stderr).toMatch(/^DATA_DIR: .*Deno cannot grant a path with a comma in it, choose another$/m);
    expect(code).toBe(2);
  });

  it("is content where everything is granted, as on Deno Deploy", async () => {
    const env = {
      PORT: "0",
      FEEDS: "https://blog.example/f",
      FEEDS_SCHEDULE: "off",
      DATA_DIR: await makeDataDir("all"),
    };
    const service = startDeno(["-A", "main.ts"], env);
    await service.printed(/"msg":"ready"/);
    service.kill("SIGTERM");
    expect((await service.ended).code).toBe(0);
  }, 120_000);
});

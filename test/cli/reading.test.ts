import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { micros } from "../../lib/money.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { openTestDatabase, type TestDatabase } from "../helpers/database.ts";
import { keepDesk } from "../helpers/kept_desk.ts";
import { deskArguments, endProcesses, environmentOf, startDeno } from "../helpers/process.ts";

const desk = keepDesk();
let test: TestDatabase;
let env: Record<string, string>;
let files: string;
// This process owns the database; every command joins it, as it joins a service.
beforeAll(async () => {
  test = await openTestDatabase();
  env = environmentOf(test.settings);
  files = await Deno.makeTempDir({ prefix: "nd-files-" });
});
afterEach(endProcesses);
afterAll(async () => {
  await test.close();
  await Deno.remove(files, { recursive: true });
});

const STACK = /^ +at /m;

async function refuses(args: string[], wanted: RegExp, code = 1) {
  const ended = await desk(args, env);
  expect(ended.stderr).toMatch(wanted);
  expect(ended.stderr).not.toMatch(STACK);
  expect(ended.stdout).toBe("");
  expect(ended.code).toBe(code);
}

describe("on an empty database", () => {
  it("what is not there ends with exit code 1 and one line that says what to do", async () => {
    await Promise.all([
      refuses(
        ["show", "999"],
        /^There is no article 999\. The identification report names some of each kind\n$/,
      ),
      refuses(["status"], /^There is no session yet\. Start one first\n$/),
      refuses(["status", "--json"], /^There is no session yet/),
      refuses(["pause", "99"], /^There is no session 99\. The list of sessions says which there are\n$/),
    ]);
    await Promise.all([
      refuses(["recover"], /^There is nothing to recover: [^\n]*\n$/),
      refuses(
        ["batch", "--yes"],
        /Cannot start a session: no article is ready\. [^\n]*which were refused and why\n$/,
      ),
    ]);
  });

  it("sources that cannot be read end with exit code 1 and one line, none at all with 2", async () => {
    await Deno.mkdir(join(files, "empty"));
    await Deno.writeTextFile(join(files, "nonsense.json"), '{"a": ');
    await Deno.writeTextFile(join(files, "nonsense.xml"), "<rss><channel>");
    await Promise.all([
      refuses(["ingest"], /^Nothing to take in: name a source, or set FEEDS\n$/, 2),
      refuses(
        ["ingest", join(files, "missing.xml")],
        /^Cannot read "[^\n]*nothing there; check the path\.\n$/,
      ),
      refuses(["ingest", join(files, "empty")], /^Cannot read "[^\n]*folder with \.md files[^\n]*\n$/),
    ]);
    await Promise.all([
      refuses(["ingest", join(files, "nonsense.json")], /^Cannot read "[^\n]*does not parse[^\n]*\n$/),
      refuses(["ingest", join(files, "nonsense.xml")], /^Cannot read "[^\n]*\n$/),
      refuses(["ingest", "ftp://host/feed"], /^Cannot read "[^\n]*http or https[^\n]*\n$/),
    ]);
  });

  it("lists are empty, not errors", async () => {
    const [sessions, cost, monitor] = await Promise.all(
      [["sessions"], ["cost"], ["monitor"]].map((args) => desk(args, env)),
    );
    expect(sessions).toEqual({
      code: 0,
      stdout: "No session yet. Start one with: deno task desk batch\n",
      stderr: "",
    });
    expect(cost).toEqual({ code: 0, stdout: "No paid call in the last 30 days\n", stderr: "" });
    expect(monitor).toEqual({ code: 0, stdout: "No session is live\nNo worker is alive\n", stderr: "" });
  });
});

describe("with a session under way", () => {
  let article: number;
  beforeAll(async () => {
    const articles = await addArticles(test.db, 3);
    article = articles[0];
    await addSession(test.db, { articles, budget: micros(9_000) });
  });

  it("every reading command prints exactly one JSON document, and nothing beside it", async () => {
    const commands = [
      ["articles"],
      ["estimate"],
      ["status"],
      ["status", "1"],
      ["sessions"],
      ["cost"],
      ["show", String(article)],
      ["monitor"],
      ["cleanup"],
      ["unknown"],
      ["budget"],
    ];
    const ended = await Promise.all(commands.map((args) => desk([...args, "--json"], env)));
    for (const [index, { code, stdout, stderr }] of ended.entries()) {
      expect(() => JSON.parse(stdout), commands[index].join(" ")).not.toThrow();
      expect(stderr, commands[index].join(" ")).toBe("");
      expect(code).toBe(0);
    }
    const [articles, , status, , sessions, , shown, monitor] = ended.map(({ stdout }) => JSON.parse(stdout));
    expect(articles).toMatchObject({ total: 3, counts: { in_session: 3 } });
    expect(status.session).toMatchObject({ number: 1, status: "PROCESSING", total: 3, budget: 9_000 });
    expect(sessions).toHaveLength(1);
    expect(shown.article.id).toBe(article);
    expect(monitor.sessions).toHaveLength(1);
  });

  it("a second session is refused in one line that names the first", async () => {
    await addArticles(test.db, 1);
    await refuses(["batch", "--yes"], /session 1 is PROCESSING and one is active at a time[^\n]*\n$/);
  });

  it("a session is not started without --yes where nobody can be asked", async () => {
    await refuses(["batch"], /there is no terminal\. Say so beforehand with --yes\n$/, 2);
  });

  it("pausing twice is one pause, and what has ended cannot be paused", async () => {
    for (let round = 0; round < 2; round++) {
      const { code, stdout } = await desk(["pause", "1"], env);
      expect(stdout).toMatch(/^Session 1 PAUSED \(an operator paused it\): 0 of 3 analysed/);
      expect(code).toBe(0);
    }
    expect((await desk(["cancel", "1"], env)).stdout).toMatch(/^Session 1 CANCELLED/);
    await refuses(["pause", "1"], /^Cannot pause session 1: wanted [^\n]*it is CANCELLED\n$/);
  });

  it("a reader that has seen enough does not make a command fail", async () => {
    const script = `const reading = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", ...${JSON.stringify(deskArguments(["articles", "--examples", "100"], env))}],
      stdout: "piped", stderr: "inherit" }).spawn();
      await reading.stdout.cancel();
      console.log((await reading.status).code);`;
    const file = join(files, "reader.ts");
    await Deno.writeTextFile(file, script);
    const { stdout, stderr } = await startDeno(["-A", file], env).ended;
    expect(stderr).toBe("");
    expect(stdout).toBe("0\n");
  });
});

/** The embedded database of a service that was granted no socket: it has the database to itself. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import { addArticles } from "../helpers/articles.ts";
import { makeEmbeddedFolder } from "../helpers/embedded.ts";
import { endProcesses, type RunningProcess, serviceArguments, startDeno } from "../helpers/process.ts";

const TOKEN = "an-api-token-of-24-chars";

let env: Record<string, string>;
beforeEach(async () => {
  const dataDir = await makeEmbeddedFolder();
  env = { DATA_DIR: dataDir, PORT: "0", API_TOKEN: TOKEN, BATCH_DELAY_SECONDS: "0", BATCH_SIZE: "4" };
});
afterEach(endProcesses);

/** As its task starts it, but for the socket: what `deno run -P=serve main.ts` alone has. */
function startAlone(): RunningProcess {
  const flags = serviceArguments(env).map((flag) =>
    flag.startsWith("--allow-net=127.") ? "--allow-net=127.0.0.1:0" : flag
  ).filter((flag) => !flag.startsWith("--allow-net=unix:"));
  return startDeno(flags, env);
}

async function open() {
  return await openDatabase({
    databaseUrl: null,
    dataDir: env.DATA_DIR!,
    role: "test",
    onConnectionError: () => {},
  });
}

describe("without a socket", () => {
  it("the service runs sessions, says that nobody can join, and what it wrote survives a kill", async () => {
    const { database } = await open();
    await addArticles(database, 30);
    await database.close();
    const first = startAlone();
    await first.printed(/"level":"warn"[^\n]*no command can join while this process runs: DATA_DIR: wanted/);
    const [, page] = await first.printed(/"page":"([^"]+)"/);
    const started = await fetch(`${page}/api/sessions`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(started.status).toBe(201);
    await started.body?.cancel();
    // Many readers beside the worker: all of them share the one backend.
    const paths = ["/", "/sessions/1", "/metrics", "/api/status", "/costs"];
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async (_, at) => {
        const answer = await fetch(page + paths[at % paths.length]);
        await answer.body?.cancel();
        return answer.status;
      }),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    const readSession = async (from: string) =>
      (await (await fetch(`${from}/api/sessions/1`)).json()).session;
    await expect.poll(() => readSession(page!), { timeout: 60_000 }).toMatchObject({
      status: "COMPLETED",
      analyzed: 30,
    });
    first.kill("SIGKILL");
    await first.ended;

    const second = startAlone();
    const [, again] = await second.printed(/"page":"([^"]+)"/);
    expect(await readSession(again!)).toMatchObject({ status: "COMPLETED", analyzed: 30 });
    second.kill("SIGTERM");
    expect((await second.ended).code).toBe(0);
    const { database: after, ownedBy } = await open();
    expect(ownedBy).toBeNull();
    await after.close();
  }, 120_000);

  it("a second process says at once who has the database and why it cannot join", async () => {
    const { database } = await open();
    const { code, stderr } = await startAlone().ended;
    expect(stderr).toMatch(
      /\nCannot join DATA_DIR [^\n]* process \d+ \(test\) holds it, and joining it wanted the permission to reach unix:[^\n]*\n$/,
    );
    expect(code).toBe(1);
    await database.close();
  }, 120_000);
});

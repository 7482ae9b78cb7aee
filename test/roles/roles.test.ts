/** Processes of different roles on one server: who does what, who is alive, and a restart of all of them in turn. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SMALL_SETTINGS, SMALL_STAGE } from "../break/small_edition.ts";
import { openStage, type Stage } from "../break/stage.ts";
import {
  desk,
  deskArguments,
  endProcesses,
  type RunningProcess,
  serviceArguments,
  startDeno,
} from "../helpers/process.ts";
import { HAS_SERVER, type ServerDatabase, useServerDatabases } from "../helpers/server_databases.ts";

const TOKEN = "an-api-token-of-24-chars";

const databases = useServerDatabases();
let database: ServerDatabase;
let stage: Stage;
let folders: string[];

beforeEach(async () => {
  database = await databases.make("migrated");
  folders = [];
  stage = await openStage({
    ...SMALL_STAGE,
    mix: {},
    settings: {
      ...SMALL_SETTINGS,
      RESEARCH: "off",
      ARTICLE_TIMEOUT_SECONDS: "60",
      CONCURRENCY: "2",
      API_TOKEN: TOKEN,
      DISPATCH: "pgboss",
    },
    database,
    madeUp: 70,
    seed: "roles",
    meanMs: 250,
  });
});
afterEach(async () => {
  await endProcesses();
  await stage.close();
  for (const folder of folders) await Deno.remove(folder, { recursive: true });
  await database.drop();
});

interface Member {
  process: RunningProcess;
  page: string;
}

/** Each as on a machine of its own: another folder, another port. */
async function begin(role: string, makeArguments = serviceArguments): Promise<Member> {
  const folder = await Deno.makeTempDir({ prefix: "nd-role-" });
  folders.push(folder);
  const env = { ...stage.envOf(role), DATA_DIR: folder, PORT: "0" };
  const process = startDeno([...makeArguments(env), "--role", role], env);
  const [, page = ""] = await process.printed(/"page":"([^"]+)","migrated":\[\],"msg":"ready"/);
  return { process, page };
}

const beginWorker = () => begin("worker");
const beginWorkers = (many: number) => Promise.all(Array.from({ length: many }, beginWorker));

async function endInOrder({ process }: Member): Promise<void> {
  process.kill("SIGTERM");
  expect((await process.ended).code).toBe(0);
}

async function readRow<T extends object>(sql: string): Promise<T> {
  const { rows: [row] } = await stage.watcher.query<T>(sql);
  return row;
}

const readSession = () =>
  readRow<{ status: string; analyzed: number }>(
    "SELECT status, analyzed, failed, unknown, retries, stale_writes FROM batch_processing_sessions",
  );

const ARTICLES_A_TURN = 28;

/** However long a start takes, work is left for what comes after it. */
async function holdBack(): Promise<void> {
  await stage.watcher.query("UPDATE batch_processing_items SET not_before = now() + interval '1 hour'");
}

/** Lets `articles` that were held back begin now. */
async function letBegin(articles: number): Promise<void> {
  await stage.watcher.query(
    `UPDATE batch_processing_items SET not_before = now() WHERE item_id IN (
       SELECT item_id FROM batch_processing_items WHERE status = 'PENDING' AND not_before > now()
       ORDER BY position LIMIT $1)`,
    [articles],
  );
}

describe.skipIf(!HAS_SERVER)("the roles of a process", () => {
  it(
    "part the work: one serves pages and analyses nothing, others analyse and serve their health",
    async () => {
      await holdBack();
      const web = await begin("web", (env) => deskArguments(["serve"], env));
      const alone = await (await fetch(`${web.page}/readyz`)).json();
      expect(alone.checks).toContainEqual({
        name: "processes",
        ok: true,
        detail: "alive: 1 web; no worker, so nothing is analysed",
      });
      expect(await (await fetch(`${web.page}/system`)).text()).toContain("No worker is alive");
      expect(stage.providers.requests).toEqual([]);

      const workers = await beginWorkers(2);
      const [first] = workers;
      expect((await fetch(`${first!.page}/livez`)).status).toBe(200);
      expect((await fetch(`${first!.page}/metrics`)).status).toBe(200);
      const nothing = await fetch(`${first!.page}/`);
      expect(nothing.status).toBe(404);
      expect(await nothing.text()).toContain("/livez, /readyz and /metrics only");
      const ready = await (await fetch(`${first!.page}/readyz`)).json();
      expect(ready.checks).toContainEqual({ name: "processes", ok: true, detail: "alive: 1 web, 2 worker" });
      const system = await (await fetch(`${web.page}/system`)).text();
      expect(system.match(/worker:worker-[0-9a-f]{8}/g)).toHaveLength(2);
      expect(system).toMatch(/web:web-[0-9a-f]{8}/);

      await letBegin(stage.articles);
      await expect.poll(readSession, { timeout: 60_000 }).toMatchObject({ status: "COMPLETED", failed: 0 });
      const { rows } = await stage.watcher.query<{ actor: string; n: number }>(
        "SELECT actor, count(*) AS n FROM session_events WHERE action = 'item_analyzed' GROUP BY actor",
      );
      expect(rows.map(({ actor }) => actor.replace(/-[0-9a-f]{8}$/, ""))).toEqual([
        "worker:worker",
        "worker:worker",
      ]);
      for (const { n } of rows) expect(n).toBeGreaterThan(10);
      for (const member of [web, ...workers]) await endInOrder(member);
      expect(await readRow("SELECT count(*) AS n FROM workers")).toEqual({ n: 0 });
    },
    120_000,
  );

  it("may all be restarted in turn, and no article fails, waits for a lease or costs twice", async () => {
    await holdBack();
    let crew = await beginWorkers(3);
    const analyzed = async () => (await readSession()).analyzed;
    for (const turn of crew.keys()) {
      const done = turn * ARTICLES_A_TURN;
      await letBegin(ARTICLES_A_TURN);
      await expect.poll(analyzed, { timeout: 60_000 }).toBeGreaterThan(done + 2);
      const [oldest, ...others] = crew;
      await endInOrder(oldest!);
      crew = [...others, await beginWorker()];
      await expect.poll(analyzed, { timeout: 60_000 }).toBe(done + ARTICLES_A_TURN);
    }
    await letBegin(stage.articles);
    await expect.poll(readSession, { timeout: 60_000 }).toEqual({
      status: "COMPLETED",
      analyzed: stage.articles,
      failed: 0,
      unknown: 0,
      retries: 0,
      stale_writes: 0,
    });
    expect(stage.providers.requests).toHaveLength(stage.articles);
    expect(
      await readRow("SELECT count(*) AS n FROM session_events WHERE action = 'lease_expired'"),
    ).toEqual({ n: 0 });
    for (const member of crew) await endInOrder(member);
  }, 120_000);

  it("are told apart, and a wrong one is refused in one line", async () => {
    const { code, stderr } = await desk(["serve", "--role", "boss"], {});
    expect({ code, stderr: stderr.trim() }).toEqual({
      code: 2,
      stderr: 'Cannot start as "boss": wanted --role all, worker, web',
    });
    const service = await startDeno(["-P=serve", "main.ts", "--rule", "web"], {}).ended;
    expect(service.code).toBe(2);
    expect(service.stderr).toMatch(
      /^Cannot start: Unknown option '--rule'.*Wanted nothing, or --role all, worker or web\n$/s,
    );
  });
});

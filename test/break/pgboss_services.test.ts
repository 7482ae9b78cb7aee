/**
 * Two services that share a database and wake each other through pg-boss. A session is started over the API of the one,
 * both work on it, and the one that started it is killed in the middle. Half a minute passes until its leases run out.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import type { Database } from "../../lib/database/port.ts";
import { startUnreliableProviders, type UnreliableProviders } from "../fakes/unreliable_providers.ts";
import { addArticles } from "../helpers/articles.ts";
import { dropDatabase, makeDatabase, SERVER, type TestDatabase } from "../helpers/database.ts";
import {
  findPostgresPrograms,
  type PostgresServer,
  startPostgresServer,
} from "../helpers/postgres_server.ts";
import { endProcesses } from "../helpers/process.ts";
import { waitForEnd } from "./end_session.ts";
import { judge } from "./judge.ts";
import { type ServiceRun, startServiceRun } from "./service_run.ts";
import { findFreePort, type Stage, watchArticles } from "./stage.ts";

const API_TOKEN = "a-token-of-this-test";
const ARTICLES = 80;
const BATCHES = 8;

// The embedded database belongs to one service.
describe.skipIf(!SERVER && !findPostgresPrograms())("two services with DISPATCH=pgboss", () => {
  let server: PostgresServer | null = null;
  let settings: TestDatabase["settings"];
  let db: Database;
  let providers: UnreliableProviders;
  const folders: string[] = [];
  const runs: ServiceRun[] = [];

  beforeEach(async () => {
    if (SERVER) settings = await makeDatabase();
    else {
      server = await startPostgresServer();
      settings = { databaseUrl: server.url, dataDir: await Deno.makeTempDir({ prefix: "nd-" }) };
    }
    const opened = await openDatabase({ ...settings, role: "test", onConnectionError: () => {} });
    db = opened.database;
    providers = await startUnreliableProviders({ seed: "pgboss", mix: {}, meanMs: 250 });
  });
  afterEach(async () => {
    await endProcesses();
    await providers.close();
    await db.close();
    for (const folder of folders.splice(0)) await Deno.remove(folder, { recursive: true });
    if (SERVER) await dropDatabase(settings);
    else await Deno.remove(settings.dataDir, { recursive: true });
    await server?.remove();
    [server, runs.length] = [null, 0];
  });

  async function envOf(name: string): Promise<Record<string, string>> {
    const folder = await Deno.makeTempDir({ prefix: `nd-${name}-` });
    folders.push(folder);
    return {
      DATABASE_URL: settings.databaseUrl!,
      DATA_DIR: folder,
      DISPATCH: "pgboss",
      API_TOKEN,
      LOG_LEVEL: "debug",
      ANALYST: "gemini",
      GEMINI_API_KEY: "test-gemini-key",
      GEMINI_BASE_URL: `${providers.geminiUrl}/${name}`,
      GEMINI_RPM: "100000",
      BATCH_SIZE: String(ARTICLES / BATCHES),
      BATCH_DELAY_SECONDS: "1",
      BATCH_BUDGET_USD: "10",
      CONCURRENCY: "3",
    };
  }

  /** Resolves with the address of its API. */
  async function start(name: string, env: Record<string, string>): Promise<string> {
    const run = startServiceRun(name, env);
    runs.push(run);
    const known = runs.map(({ workerId }) => workerId ?? "");
    if (!await run.ready) throw new Error(`${name} did not start: ${run.lines.join("\n")}`);
    const { rows } = await db.query<{ worker_id: string }>(
      "SELECT worker_id FROM workers WHERE worker_id <> ALL ($1)",
      [known],
    );
    run.workerId = rows[0].worker_id;
    return `http://127.0.0.1:${env.PORT}`;
  }

  async function finishedBy(run: ServiceRun): Promise<number> {
    const { rows: [{ n }] } = await db.query<{ n: number }>(
      "SELECT count(*) AS n FROM session_events WHERE actor = $1 AND action = 'item_analyzed'",
      [run.workerId],
    );
    return n;
  }

  it(
    "finish a session together, and the rest alone when one is killed; every request is in the ledger",
    async () => {
      await addArticles(db, ARTICLES, 2_000);
      await watchArticles(db);
      const port = String(findFreePort());
      const api = await start("first", { ...await envOf("first"), PORT: port });
      await start("second", await envOf("second"));
      const [first, second] = runs;

      const answer = await fetch(`${api}/api/sessions`, {
        method: "POST",
        headers: { authorization: `Bearer ${API_TOKEN}`, "content-type": "application/json" },
        body: "{}",
      });
      expect(answer.status).toBe(201);
      await answer.body?.cancel();
      const { rows: [session] } = await db.query<{ session_id: string; number: number; total: number }>(
        "SELECT session_id, number, total FROM batch_processing_sessions",
      );
      expect(session.total).toBe(ARTICLES);

      const callsOut = () =>
        providers.requests.filter(({ door, answersAt }) => door === "first" && answersAt > Date.now() + 50);
      await vi.waitFor(async () => {
        for (const run of runs) expect(await finishedBy(run)).toBeGreaterThan(5);
        expect(callsOut().length).toBeGreaterThan(0);
      }, { timeout: 60_000, interval: 20 });
      first.signal("SIGKILL");
      await first.ended;
      const done = await finishedBy(first);

      const stage: Omit<Stage, "alerts"> = {
        providers,
        sessionId: session.session_id,
        sessionNumber: session.number,
        articles: ARTICLES,
        envOf: () => ({}),
        watcher: db,
        withDatabase: (work) => work(db),
        close: () => Promise.resolve(),
      };
      await waitForEnd(stage, [second], 90_000);
      expect(await finishedBy(second)).toBe(ARTICLES - done);
      second.signal("SIGTERM");
      expect(await second.ended).toBe(0);

      const verdict = await judge(db, stage, runs);
      expect(verdict.violations).toEqual([]);
      expect(verdict.session).toMatchObject({ status: "COMPLETED", analyzed: ARTICLES });
      expect(verdict.matched).toBe(verdict.requests);
      // What the killed one had out nobody knows: charged in full, and asked for again.
      expect(verdict.session.unknown).toBeGreaterThan(0);
      // Every batch had its wake-up, whichever process was alive to get it.
      const messages = runs.flatMap(({ lines }) => lines).filter((line) => line.includes('"msg":"message"'));
      const batches = new Set(messages.map((line) => (JSON.parse(line) as { batch?: number }).batch));
      for (let batch = 1; batch <= BATCHES; batch++) expect(batches).toContain(batch);
      expect((await db.query("SELECT FROM nightdesk_queue.job")).rowCount).toBe(0);
    },
    150_000,
  );
});

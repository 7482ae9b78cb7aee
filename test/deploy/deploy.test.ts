/** The app in the shape of Deno Deploy, over real Postgres: no KV, short lives, branches that must not spend. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import denoJson from "../../deno.json" with { type: "json" };
import { DEPLOY_CONNECTIONS } from "../../lib/deploy.ts";
import { openStage, type Stage } from "../break/stage.ts";
import { SMALL_SETTINGS, SMALL_STAGE } from "../break/small_edition.ts";
import type { TroubleMix } from "../fakes/trouble.ts";
import { type FakeTelegram, startFakeTelegram } from "../fakes/telegram.ts";
import { fromFileUrl } from "../../lib/database/paths.ts";
import { endProcesses, type RunningProcess } from "../helpers/process.ts";
import { HAS_SERVER, type ServerDatabase, useServerDatabases } from "../helpers/server_databases.ts";
import { startInstance } from "./instances.ts";
import { runOnDeploy } from "./run_on_deploy.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const TOKEN = "an-api-token-of-24-chars";
const BOT_TOKEN = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr";
const MINUTE_MS = 1_000;

const databases = useServerDatabases();
let database: ServerDatabase;
let stage: Stage | undefined;
let telegram: FakeTelegram | undefined;

beforeEach(async () => {
  database = await databases.make("migrated");
});
afterEach(async () => {
  await endProcesses();
  await stage?.close();
  await telegram?.close();
  stage = telegram = undefined;
  await database.drop();
});

async function setStage(
  meanMs: number,
  change: Record<string, string> = {},
  mix: TroubleMix = {},
): Promise<Stage> {
  return stage = await openStage({
    ...SMALL_STAGE,
    mix,
    settings: { ...SMALL_SETTINGS, ...change },
    database,
    madeUp: 10,
    seed: "deploy",
    meanMs,
  });
}

/** What an instance is given by the platform and by the app's owner: no folder, no address to listen on. */
function environment(timeline: string | null, change: Record<string, string> = {}): Record<string, string> {
  const { HOST: _host, PORT: _port, DATA_DIR: _folder, ...env } = stage?.envOf("deploy") ?? {};
  return {
    DATABASE_URL: database.databaseUrl,
    ...env,
    ...timeline ? { DENO_TIMELINE: timeline } : {},
    ...change,
  };
}

async function begin(env: Record<string, string>): Promise<{ instance: RunningProcess; page: string }> {
  const instance = startInstance({ env, minuteMs: MINUTE_MS });
  const [, port] = await instance.printed(/"page":"http:\/\/0\.0\.0\.0:(\d+)"/);
  return { instance, page: `http://127.0.0.1:${port}` };
}

async function end(instance: RunningProcess): Promise<{ code: number; ms: number; said: string }> {
  const told = Date.now();
  instance.kill("SIGINT");
  const { code, stdout, stderr } = await instance.ended;
  return { code, ms: Date.now() - told, said: `${stdout}${stderr}` };
}

async function only<T extends object>(db: Stage["watcher"], sql: string): Promise<T> {
  const { rows: [row] } = await db.query<T>(sql);
  return row;
}

describe.skipIf(!HAS_SERVER)("on Deno Deploy", () => {
  it("a session finishes although every instance is told to end after seconds", async () => {
    const report = await runOnDeploy({
      ...SMALL_STAGE,
      mix: { failed: 20, overloaded: 20 },
      settings: {
        ...SMALL_SETTINGS,
        BATCH_DELAY_SECONDS: "0.7",
        ARTICLE_TIMEOUT_SECONDS: "30",
        RESEARCH: "off",
      },
      database,
      madeUp: 60,
      seed: "instances",
      meanMs: 300,
      instances: 2,
      lifeMs: 2_500,
      minuteMs: MINUTE_MS,
      withinMs: 90_000,
    });
    expect(report.end.violations).toEqual([]);
    expect(report.end).toMatchObject({ matched: report.end.requests, crossings: 0 });
    expect(report.unknownCalls).toEqual({});
    expect(report.end.session).toMatchObject({ status: "COMPLETED", unknown: 0, failed: 0 });
    expect(report.instances).toMatchObject({ killed: 0, crashed: 0 });
    expect(report.instances.begun).toBeGreaterThan(3);
    expect(report.mostConnections).toBeGreaterThan(2);
    // Each has one more while it begins.
    expect(report.mostConnections).toBeLessThanOrEqual(2 * (DEPLOY_CONNECTIONS + 1));
  }, 120_000);

  it("hands back what it has within the five seconds, also while the provider is silent", async () => {
    const { watcher, providers } = await setStage(0, { ARTICLE_TIMEOUT_SECONDS: "120" }, { silent: 1_000 });
    const { instance } = await begin(environment("production"));
    const claimed = () =>
      only<{ n: number }>(
        watcher,
        "SELECT count(*)::int AS n FROM batch_processing_items WHERE status = 'PROCESSING'",
      );
    // A claim whose request has not left is given back as if it had never been made.
    await expect.poll(() => providers.requests.length, { timeout: 60_000 }).toBe(4);
    expect(await claimed()).toEqual({ n: 4 });
    const { code, ms } = await end(instance);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(4_900);
    expect(await claimed()).toEqual({ n: 0 });
    expect(
      await only(
        watcher,
        `SELECT count(*) FILTER (WHERE state = 'UNKNOWN') AS unknown,
           count(*) FILTER (WHERE state = 'HELD') AS held FROM paid_calls`,
      ),
    ).toEqual({ unknown: 4, held: 0 });
    expect(await only(watcher, "SELECT count(*) AS n FROM workers")).toEqual({ n: 0 });
  }, 120_000);

  it("does at once what somebody asks for, and the rest of the minute after", async () => {
    await setStage(20);
    const { watcher } = stage!;
    const { instance, page } = await begin(environment("production", { API_TOKEN: TOKEN }));
    const status = () => only<{ status: string }>(watcher, "SELECT status FROM batch_processing_sessions");
    await expect.poll(status, { timeout: 60_000 }).toEqual({ status: "COMPLETED" });
    // Between two drains nobody works here.
    await expect.poll(() => only(watcher, "SELECT count(*) AS n FROM workers"), { timeout: 30_000 })
      .toEqual({ n: 0 });
    const answer = await fetch(`${page}/api/status`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(await answer.json()).toMatchObject({
      session: { session: { status: "COMPLETED" } },
      workers: [],
    });
    expect(await end(instance)).toMatchObject({ code: 0 });
  }, 120_000);

  it(
    "shows nothing to strangers: its proxy is no reason to take a request for one of this machine",
    async () => {
      const { instance, page } = await begin(environment("production"));
      for (const path of ["/", "/api/status", "/metrics"]) {
        const answer = await fetch(`${page}${path}`);
        expect(answer.status, path).toBe(403);
        expect(await answer.text()).toContain("API_TOKEN");
      }
      expect((await fetch(`${page}/livez`)).status).toBe(200);
      await end(instance);
    },
    120_000,
  );

  it(
    "spends nothing on a branch: no request leaves, whatever is in its database and its settings",
    async () => {
      await setStage(20);
      telegram = await startFakeTelegram({ token: BOT_TOKEN });
      const { watcher, providers } = stage!;
      const bot = {
        TELEGRAM_BOT_TOKEN: BOT_TOKEN,
        TELEGRAM_API_ROOT: telegram.apiRoot,
        TELEGRAM_WEBHOOK_URL: "https://desk.example",
        TELEGRAM_WEBHOOK_SECRET: "a-secret-of-the-webhook",
        SCHEDULE: "* * * * *",
        API_TOKEN: TOKEN,
      };
      for (const timeline of ["git-branch/try-something", "preview/abc", null]) {
        const { instance, page } = await begin(environment(timeline, bot));
        await watcher.query("UPDATE batch_processing_sessions SET status = 'PROCESSING', reason = NULL");
        const reason = () =>
          only(watcher, "SELECT status, reason FROM batch_processing_sessions WHERE number = 1");
        await expect.poll(reason, { timeout: 60_000 }).toEqual({
          status: "PAUSED",
          reason: "not_possible_here",
        });
        const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
        await fetch(`${page}/api/sessions/1/resume`, { method: "POST", headers });
        await expect.poll(reason, { timeout: 60_000 }).toMatchObject({ status: "PAUSED" });
        expect(await end(instance)).toMatchObject({ code: 0 });
      }
      expect(providers.requests).toEqual([]);
      expect(telegram.calls).toEqual([]);
    },
    120_000,
  );

  it("can be tried on a branch, with the offline analyst", async () => {
    await setStage(20);
    const { watcher, providers } = stage!;
    await watcher.query("UPDATE batch_processing_sessions SET status = 'CANCELLED', finished_at = now()");
    await watcher.query("UPDATE batch_processing_items SET status = 'SKIPPED', reason = 'cancelled'");
    const { instance, page } = await begin(environment("git-branch/x", { API_TOKEN: TOKEN }));
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
    const started = await fetch(`${page}/api/sessions`, { method: "POST", headers, body: `{"limit":5}` });
    expect(await started.json()).toMatchObject({ provider: "offline", simulated: true, total: 5 });
    const status = () =>
      only(watcher, "SELECT status FROM batch_processing_sessions ORDER BY number DESC LIMIT 1");
    await expect.poll(status, { timeout: 60_000 }).toEqual({ status: "COMPLETED" });
    await end(instance);
    expect(providers.requests).toEqual([]);
  }, 120_000);

  it("has the bot by its webhook, set in production", async () => {
    telegram = await startFakeTelegram({ token: BOT_TOKEN });
    const bot = {
      TELEGRAM_BOT_TOKEN: BOT_TOKEN,
      TELEGRAM_API_ROOT: telegram.apiRoot,
      TELEGRAM_WEBHOOK_URL: "https://desk.example",
      TELEGRAM_WEBHOOK_SECRET: "a-secret-of-the-webhook",
    };
    const { instance } = await begin(environment("production", bot));
    const [set] = await telegram.until(
      () => telegram!.callsOf("setWebhook").length > 0 && telegram!.callsOf("setWebhook") || null,
      "the webhook to be set",
    );
    expect(set!.params.values).toMatchObject({ url: "https://desk.example/telegram/webhook" });
    expect(telegram.callsOf("getUpdates")).toEqual([]);
    await end(instance);
    const { TELEGRAM_WEBHOOK_URL: _url, TELEGRAM_WEBHOOK_SECRET: _secret, ...polling } = bot;
    const refused = await startInstance({ env: environment("production", polling), minuteMs: MINUTE_MS })
      .ended;
    expect(refused.stderr.trim()).toBe(
      "TELEGRAM_WEBHOOK_URL: wanted this app's public address because a bot cannot poll on Deno Deploy, got nothing",
    );
    expect(refused.code).toBe(2);
  }, 120_000);

  it("says what is missing, a line each", async () => {
    const refused = await startInstance({ env: { DISPATCH: "kv" }, minuteMs: MINUTE_MS }).ended;
    expect(refused.stderr.trim().split("\n")).toEqual([
      "DATABASE_URL: wanted a PostgreSQL database linked to the app on Deno Deploy, got nothing",
      'DISPATCH: wanted "pgboss" because Deno Deploy has no KV queue, got "kv"',
    ]);
    expect(refused.code).toBe(2);
  });

  it(
    "is configured in deno.json: what runs before a deployment prepares the database, twice if need be",
    async () => {
      const { deploy } = denoJson;
      expect(deploy.runtime).toEqual({ type: "dynamic", entrypoint: "main.ts" });
      const empty = await databases.make("empty");
      for (const said of [/Applied 001_.*queue/s, /Nothing to do/]) {
        const { code, stdout, stderr } = await new Deno.Command("sh", {
          args: ["-c", deploy.predeploy],
          cwd: ROOT,
          env: {
            DATABASE_URL: empty.databaseUrl,
            DENO_DEPLOY: "true",
            DENO_TIMELINE: "production",
            NO_COLOR: "1",
          },
        }).output();
        expect(new TextDecoder().decode(stderr)).toBe("");
        expect(new TextDecoder().decode(stdout)).toMatch(said);
        expect(code).toBe(0);
      }
      await empty.drop();
    },
    120_000,
  );
});

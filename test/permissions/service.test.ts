/** The real service under what its task grants: everything it does works, and nothing else does. */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import { listNames } from "../../lib/permissions/names.ts";
import { serve } from "../articles/collect.ts";
import { startFakeGemini } from "../fakes/gemini.ts";
import { startFakeTavily } from "../fakes/tavily.ts";
import { startFakeTelegram } from "../fakes/telegram.ts";
import { addArticles } from "../helpers/articles.ts";
import { dropDatabase, makeDatabase, type TestDatabase } from "../helpers/database.ts";
import { endProcesses, environmentOf, serviceArguments, startDeno } from "../helpers/process.ts";

const TOKEN = "an-api-token-of-24-chars";
const ROOT = new URL("../../", import.meta.url);

const NOT_GRANTED = /^NotCapable: Requires \w+ access/;
/** What is not to be read looks as if it were not there. */
const REFUSED: Record<string, RegExp> = {
  "read a file": /^NotFound/,
  "read a file as Node does": /^Error: ENOENT/,
  "read the settings file": /^NotFound/,
  "read the repository": /^NotFound/,
  "reach another socket": /^NotFound/,
  "run a program as Node does": /^Error: Command failed: true$/,
  "import from elsewhere": /^TypeError: Requires import access/,
};

let settings: TestDatabase["settings"];
let folder: string;
beforeEach(async () => {
  settings = await makeDatabase();
  folder = await Deno.makeTempDir({ prefix: "nd-permissions-" });
});
afterEach(async () => {
  await endProcesses();
  await dropDatabase(settings);
  await Deno.remove(folder, { recursive: true });
});

/** A program that tries the forbidden things, to be loaded before the service. */
async function writeTries(targets: import("./try_forbidden.ts").Targets): Promise<string> {
  const path = join(folder, "tries.ts");
  await Deno.writeTextFile(
    path,
    `import { tryForbidden } from "${new URL("try_forbidden.ts", import.meta.url).href}";
     await tryForbidden(${JSON.stringify(targets)});`,
  );
  return path;
}

describe("the service with what its settings need and nothing more", () => {
  it(
    "runs a session with searches, serves pages and charts, answers in the chat, alerts and traces; nothing else is open to it",
    async () => {
      const gemini = await startFakeGemini();
      const tavily = await startFakeTavily();
      const telegram = await startFakeTelegram();
      const alerts: string[] = [];
      await using webhook = serve(async (request) => {
        alerts.push(await request.text());
        return new Response();
      });
      let traces = 0;
      await using collector = serve(async (request) => {
        await request.body?.cancel();
        traces++;
        return Response.json({});
      });
      await using loopback = serve(() => new Response("not yours"));
      await using other = serve(() => new Response("not yours"), "127.0.0.2");
      const { database } = await openDatabase({ ...settings, role: "test", onConnectionError: () => {} });
      await addArticles(database, 3);
      await database.close();
      const file = join(folder, "readable.txt");
      await Deno.writeTextFile(file, "not yours");

      const env = {
        ...environmentOf(settings),
        PORT: "0",
        API_TOKEN: TOKEN,
        GEMINI_API_KEY: "k",
        GEMINI_BASE_URL: gemini.url,
        TAVILY_API_KEY: "k",
        TAVILY_BASE_URL: tavily.url,
        RESEARCH: "all",
        // A name, so that the way through name lookup is taken too.
        TELEGRAM_API_ROOT: telegram.apiRoot.replace("127.0.0.1", "localhost"),
        TELEGRAM_BOT_TOKEN: telegram.token,
        TELEGRAM_OPERATORS: "1001",
        ALERT_WEBHOOK_URL: `${webhook.url}/hook`,
        BATCH_DELAY_SECONDS: "0",
        OTEL_DENO: "true",
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_BSP_SCHEDULE_DELAY: "200",
        OTEL_DENO_CONSOLE: "ignore",
        SECRET_OF_ANOTHER: "not yours",
        AWS_SECRET_ACCESS_KEY: "not yours",
      };
      const tries = await writeTries({
        loopbackPort: Number(new URL(loopback.url).port),
        otherPort: Number(new URL(other.url).port),
        file,
        newFile: join(folder, "new.txt"),
        variable: "SECRET_OF_ANOTHER",
      });
      const service = startDeno([`--preload=${tries}`, ...serviceArguments(env)], env);
      const [, page] = await service.printed(/"page":"([^"]+)"/);

      const started = await fetch(`${page}/api/sessions`, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      expect(started.status).toBe(201);
      await started.body?.cancel();
      const readSession = async () => (await (await fetch(`${page}/api/sessions/1`)).json()).session;
      await expect.poll(readSession, { timeout: 60_000 }).toMatchObject({ status: "COMPLETED", analyzed: 3 });
      expect(tavily.requests.length).toBeGreaterThan(0);
      for (
        const path of [
          "/",
          "/sessions/1",
          "/articles/1",
          "/costs",
          "/system",
          "/reference",
          "/metrics",
          "/readyz",
        ]
      ) {
        const answer = await fetch(page + path);
        expect({ path, status: answer.status }).toEqual({ path, status: 200 });
        await answer.body?.cancel();
      }
      const ann = telegram.user(1001);
      await ann.says("/cost 30");
      await expect.poll(() => telegram.callsOf("sendPhoto").length, { timeout: 60_000 }).toBeGreaterThan(0);
      await expect.poll(() => alerts.join(), { timeout: 60_000 }).toContain("Session 1 COMPLETED");
      await expect.poll(() => traces, { timeout: 30_000 }).toBeGreaterThan(0);

      service.kill("SIGTERM");
      const { code, stdout, stderr } = await service.ended;
      expect(code).toBe(0);
      expect(stderr).not.toMatch(/NotCapable|Requires \w+ access|"level":"error"/);
      const seen = JSON.parse(stdout);
      for (const [what, outcome] of Object.entries(seen.outcomes)) {
        expect({ what, outcome }).toEqual({
          what,
          outcome: expect.stringMatching(REFUSED[what] ?? NOT_GRANTED),
        });
      }
      expect(seen).toMatchObject({ asked: "denied", variable: null, variableOfNode: null });
      const known = listNames("serve");
      const isKnown = (name: string) => known.includes(name) || name.startsWith("PG");
      expect(seen.names.filter((name: string) => !isKnown(name))).toEqual([]);
      expect(seen.names).toContain("TAVILY_API_KEY");
      expect([loopback.asked, other.asked]).toEqual([[], []]);
      await expect(Deno.stat(join(folder, "new.txt"))).rejects.toThrow(Deno.errors.NotFound);
      await expect(Deno.stat(new URL("lib/forbidden.ts", ROOT))).rejects.toThrow(Deno.errors.NotFound);
      await Promise.all([gemini.close(), tavily.close(), telegram.close()]);
    },
    120_000,
  );
});

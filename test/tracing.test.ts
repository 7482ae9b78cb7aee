import { afterEach, expect, it } from "vitest";
import { startFakeGemini } from "./fakes/gemini.ts";
import { startFakeTelegram } from "./fakes/telegram.ts";
import { dropDatabase, makeDatabase, type TestDatabase } from "./helpers/database.ts";
import { endProcesses, environmentOf, startService } from "./helpers/process.ts";
import { openDatabase } from "../lib/database/connect.ts";
import { addArticles } from "./helpers/articles.ts";

let settings: TestDatabase["settings"] | undefined;
afterEach(async () => {
  await endProcesses();
  if (settings) await dropDatabase(settings);
});

interface Exported {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes?: { key: string; value: Record<string, unknown> }[];
}

/** Takes what Deno exports, as JSON. */
function startCollector() {
  const bodies: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    bodies.push(await request.text());
    return Response.json({});
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    bodies,
    spans: () =>
      bodies.flatMap((body): Exported[] =>
        (JSON.parse(body).resourceSpans ?? []).flatMap((resource: { scopeSpans: { spans: Exported[] }[] }) =>
          resource.scopeSpans.flatMap(({ spans }) => spans)
        )
      ),
    close: () => server.shutdown(),
  };
}

const KEY = "gemini-key-that-nobody-may-see";
const TOKEN = "api-token-that-nobody-may-see";

it("a session, its batches, its calls and the routes become spans, and no secret or article text leaves with them", async () => {
  const collector = startCollector();
  const gemini = await startFakeGemini();
  const telegram = await startFakeTelegram();
  await telegram.user(1).says("/whoami");
  settings = await makeDatabase();
  const { database } = await openDatabase({ ...settings, role: "test", onConnectionError: () => {} });
  await addArticles(database, 3);
  await database.close();
  const service = startService({
    ...environmentOf(settings),
    PORT: "0",
    API_TOKEN: TOKEN,
    ANALYST: "gemini",
    GEMINI_API_KEY: KEY,
    GEMINI_BASE_URL: gemini.url,
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    TELEGRAM_OPERATORS: "1",
    TELEGRAM_ALERT_CHATS: "1",
    BATCH_SIZE: "2",
    BATCH_DELAY_SECONDS: "0",
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: "200",
    OTEL_DENO_CONSOLE: "ignore",
  });
  const [, page] = await service.printed(/"page":"([^"]+)"/);
  const started = await fetch(`${page}/api/sessions`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect(started.status).toBe(201);
  await started.body?.cancel();
  await expect.poll(async () => (await (await fetch(`${page}/api/sessions/1`)).json()).session.status, {
    timeout: 60_000,
  }).toBe("COMPLETED");

  const names = () => collector.spans().map(({ name }) => name);
  await expect.poll(names, { timeout: 30_000 }).toEqual(expect.arrayContaining([
    "nightdesk session",
    "gemini analyse",
    "POST /api/sessions",
    "GET /api/sessions/:n",
  ]));
  const spans = collector.spans();
  const session = spans.find(({ name }) => name === "nightdesk session");
  const batches = spans.filter(({ name }) => name === "nightdesk batch");
  expect(batches).toHaveLength(2);
  expect(batches.map(({ parentSpanId }) => parentSpanId)).toEqual([session?.spanId, session?.spanId]);
  expect(names().filter((name) => name === "gemini analyse")).toHaveLength(3);
  expect(spans.flatMap(({ attributes = [] }) => attributes)).toContainEqual({
    key: "http.route",
    value: { stringValue: "/api/sessions/:n" },
  });
  // The rows of the ledger that they are.
  const calls = spans.filter(({ name }) => name === "gemini analyse").map(({ attributes = [] }) =>
    Object.fromEntries(attributes.map(({ key, value }) => [key, Number(Object.values(value)[0])]))
  );
  expect(calls.map((call) => call["nightdesk.session"])).toEqual([1, 1, 1]);
  expect(calls.map((call) => call["nightdesk.call"]).sort()).toEqual([1, 2, 3]);
  expect(new Set(calls.map((call) => call["nightdesk.batch_id"])).size).toBe(2);
  const everything = collector.bodies.join("\n");
  for (const secret of [KEY, TOKEN, telegram.token, "relay transactions quickly"]) {
    expect(everything).not.toContain(secret);
  }

  service.kill("SIGTERM");
  expect((await service.ended).code).toBe(0);
  expect(telegram.callsOf("sendMessage").length).toBeGreaterThan(0);
  await telegram.close();
  await gemini.close();
  await collector.close();
});

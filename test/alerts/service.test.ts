import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import { raiseAlert } from "../../lib/alerts/raise.ts";
import { micros } from "../../lib/money.ts";
import { startWireServer, type WireReply, type WireServer } from "../fakes/wire_server.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { dropDatabase, makeDatabase, type TestDatabase } from "../helpers/database.ts";
import { endProcesses, environmentOf, startService } from "../helpers/process.ts";

let settings: TestDatabase["settings"];
let server: WireServer;
let reply: () => WireReply;
let env: Record<string, string>;
beforeEach(async () => {
  settings = await makeDatabase();
  reply = () => OK;
  server = await startWireServer(() => reply());
  env = {
    ...environmentOf(settings),
    ALERT_WEBHOOK_URL: `${server.url}/top-secret-path`,
    ALERT_WEBHOOK_TOKEN: "top-secret-token",
    SCHEDULE: "off",
  };
});
afterEach(async () => {
  await endProcesses();
  await server.close();
  await dropDatabase(settings);
});

const OK: WireReply = { kind: "answer", status: 200, body: "" };
const DOWN: WireReply = { kind: "answer", status: 503, body: "" };
const READY = /"msg":"ready"/;
/** A dead process keeps a sink this long. */
const LEASE_MS = 10_000;

const open = async () =>
  (await openDatabase({ ...settings, role: "test", onConnectionError: () => {} })).database;

function taken(): string[] {
  return server.requests.map(({ body, headers }) =>
    `${headers.get("idempotency-key")} ${JSON.parse(body).text}`
  );
}

describe("the service with a webhook", () => {
  it("tells how a session went within seconds, the last alert at its end too, and keeps its secrets", async () => {
    const service = startService(env);
    await service.printed(READY);
    const db = await open();
    const articles = await addArticles(db, 3);
    await addSession(db, { articles, budget: micros(100_000), simulated: true, provider: "offline" });
    await expect.poll(taken, { timeout: 60_000 }).toEqual([
      expect.stringMatching(/^1:raised Session 1 COMPLETED: 3 of 3 analysed/),
    ]);
    await raiseAlert(db, { rule: "feed_failing", subject: "x", text: "the last one" });
    await db.close();
    service.kill("SIGTERM");
    const { code, stderr } = await service.ended;
    expect(code).toBe(0);
    expect(taken().at(-1)).toBe("2:raised the last one");
    expect(stderr).toContain("Session 1 COMPLETED");
    expect(stderr).not.toContain("top-secret");
  });

  it(
    "killed while the webhook is down, and again in the middle of a delivery, loses nothing and keeps the order",
    { timeout: 120_000 },
    async () => {
      reply = () => DOWN;
      const first = startService(env);
      await first.printed(READY);
      const db = await open();
      const texts = Array.from({ length: 6 }, (_, n) => `alert ${n}`);
      for (const text of texts) await raiseAlert(db, { rule: "overrun", subject: text, text });
      await expect.poll(() => server.count, { timeout: 30_000 }).toBeGreaterThan(0);
      await db.close();
      first.kill("SIGKILL");
      await first.ended;

      // The second one is killed when its third alert has arrived: nobody writes that it was sent.
      const tried = server.count;
      const second = startService(env);
      reply = () => {
        if (server.count === tried + 3) second.kill("SIGKILL");
        return OK;
      };
      await second.ended;

      const third = startService(env);
      await third.printed(READY);
      await expect.poll(() => new Set(taken().slice(tried)).size, { timeout: LEASE_MS + 15_000 }).toBe(
        texts.length,
      );
      const order = taken().slice(tried);
      expect([...new Set(order)]).toEqual(texts.map((text, n) => `${n + 1}:raised ${text}`));
      // At least once: only what was under way at the kill may have come twice.
      expect(order.length).toBeLessThanOrEqual(texts.length + 1);
      third.kill("SIGTERM");
      expect((await third.ended).code).toBe(0);
    },
  );
});

import { describe, expect, it, vi } from "vitest";
import { addArticles } from "../helpers/articles.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { makeWeb, TOKEN } from "./web_app.ts";

const test = useTestDatabase();
const basic = (password: string) => `Basic ${btoa(`anybody:${password}`)}`;

describe("who may change things", () => {
  it("is nobody while API_TOKEN is not set, and the answer says so", async () => {
    await addArticles(test.db, 1);
    const answer = await makeWeb(test.db, { change: { apiToken: null } }).post("/api/sessions");
    expect(answer.status).toBe(403);
    expect((await answer.json()).detail).toMatch(/API_TOKEN is not set/);
  });

  it.each([
    ["no token", {}],
    ["a wrong token", { authorization: "Bearer token-of-the-tests-0123456780" }],
    ["a shorter token", { authorization: "Bearer token" }],
    ["the token as a password, which a foreign page's form would carry along", {
      authorization: basic(TOKEN),
    }],
    ["the token in another scheme", { authorization: `Token ${TOKEN}` }],
  ])("is not one with %s, for any route, and nothing happens", async (_, headers) => {
    await addArticles(test.db, 1);
    const web = makeWeb(test.db);
    for (
      const path of ["/api/sessions", "/api/sessions/1/pause", "/api/sessions/1/recover", "/api/nothing"]
    ) {
      const answer = await web.post(path, undefined, { authorization: "", ...headers });
      expect(answer.status).toBe(401);
      expect(await answer.text()).not.toContain(TOKEN);
    }
    expect((await test.db.query("SELECT FROM batch_processing_sessions")).rowCount).toBe(0);
  });
});

describe("who may read", () => {
  const PATHS = ["/", "/api/status", "/api/sessions", "/costs", "/metrics", "/articles"];

  it("is everybody on the machine itself", async () => {
    const web = makeWeb(test.db);
    for (const path of PATHS) expect((await web.get(path)).status, path).toBe(200);
  });

  it("is one with the token when other machines can reach it, as bearer or as a password", async () => {
    const web = makeWeb(test.db, { change: { host: "0.0.0.0" } });
    for (const path of PATHS) {
      const refused = await web.get(path, { host: "desk.example" });
      expect(refused.status, path).toBe(401);
      expect(refused.headers.get("www-authenticate")).toMatch(/^Basic /);
      expect((await web.get(path, { authorization: `Bearer ${TOKEN}` })).status, path).toBe(200);
      expect((await web.get(path, { authorization: basic(TOKEN) })).status, path).toBe(200);
      expect((await web.get(path, { authorization: basic("guess") })).status, path).toBe(401);
    }
  });

  it("is asked for the token whatever the method: HEAD is answered like GET", async () => {
    const web = makeWeb(test.db, { change: { host: "0.0.0.0" } });
    for (const method of ["HEAD", "OPTIONS", "DELETE"]) {
      for (const path of ["/api/status", "/api/costs", "/api/sessions/1/events"]) {
        const asked = new Request(`http://127.0.0.1:8000${path}`, { method });
        expect((await web.request(asked)).status, `${method} ${path}`).toBe(401);
      }
    }
  });

  it("is one with the token when a proxy on this machine passes it on, whatever name the proxy asks for", async () => {
    const web = makeWeb(test.db);
    for (
      const [name, value] of [
        ["x-forwarded-for", "203.0.113.9"],
        ["forwarded", "for=203.0.113.9"],
        ["via", "1.1 proxy"],
        ["x-real-ip", "203.0.113.9"],
      ]
    ) {
      for (const path of PATHS) {
        expect((await web.get(path, { [name]: value })).status, `${name} ${path}`).toBe(401);
      }
      const allowed = await web.get("/api/status", { [name]: value, authorization: `Bearer ${TOKEN}` });
      expect(allowed.status).toBe(200);
      expect((await web.get("/readyz", { [name]: value })).status).toBe(200);
    }
    const closed = makeWeb(test.db, { change: { apiToken: null } });
    expect((await closed.get("/", { "x-forwarded-for": "203.0.113.9" })).status).toBe(403);
  });

  it("is one with the token, on this machine too, when Telegram comes by a public address", async () => {
    const { telegram } = makeWeb(test.db).config;
    const web = makeWeb(test.db, {
      change: { telegram: { ...telegram, webhook: { url: "https://desk.example", secret: "s" } } },
      webhook: () => Promise.resolve(new Response("taken")),
    });
    for (const path of PATHS) {
      expect((await web.get(path)).status, path).toBe(401);
      expect((await web.get(path, { authorization: basic(TOKEN) })).status, path).toBe(200);
    }
    expect((await web.get("/livez")).status).toBe(200);
    const update = await web.post("/telegram/webhook", {}, {
      host: "desk.example",
      "x-forwarded-for": "1.1.1.1",
    });
    expect(await update.text()).toBe("taken");
  });

  it("is nobody from other machines while no token is set", async () => {
    const web = makeWeb(test.db, { change: { host: "0.0.0.0", apiToken: null } });
    for (const path of PATHS) expect((await web.get(path)).status, path).toBe(403);
    expect((await web.get("/livez")).status).toBe(200);
  });

  it("is not a page of another site that made a browser use its own name for this address", async () => {
    const web = makeWeb(test.db);
    for (const host of ["evil.example", "evil.example:8000", "127.0.0.1.evil.example"]) {
      expect((await web.get("/api/status", { host })).status).toBe(421);
    }
    for (const host of ["localhost:8000", "127.0.0.1", "[::1]:8000"]) {
      expect((await web.get("/api/status", { host })).status).toBe(200);
    }
  });
});

describe("every answer", () => {
  it("lets nothing run but what came with it, and a script's nonce is new each time", async () => {
    const web = makeWeb(test.db);
    const policies = await Promise.all([1, 2].map(async () => {
      const answer = await web.get("/");
      const policy = answer.headers.get("content-security-policy") ?? "";
      const [, nonce] = /script-src 'nonce-([^']+)'/.exec(policy) ?? [];
      expect(policy).toMatch(/default-src 'none'/);
      expect(policy).not.toMatch(/unsafe/);
      expect(await answer.text()).toContain(`<script nonce="${nonce}">`);
      return nonce;
    }));
    expect(policies[0]).not.toBe(policies[1]);
    const problem = await web.get("/nothing");
    expect(problem.headers.get("x-content-type-options")).toBe("nosniff");
    expect(problem.headers.get("x-frame-options")).toBe("DENY");
  });

  it("to a body over the limit is 413 before it is read", async () => {
    const answer = await makeWeb(test.db).post("/api/sessions", { model: "m".repeat(300_000) });
    expect(answer.status).toBe(413);
  });

  it("to a body that never ends is 401 at once without a token, and 504 with one", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const web = makeWeb(test.db);
      const ask = (authorization: string) =>
        web.request(
          new Request("http://127.0.0.1:8000/api/sessions", {
            method: "POST",
            headers: { host: "127.0.0.1", authorization, "transfer-encoding": "chunked" },
            body: new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([123])) }),
          }),
        );
      expect((await ask("")).status).toBe(401);
      let answer: Response | undefined;
      void ask(`Bearer ${TOKEN}`).then((given) => answer = given);
      while (answer === undefined) await vi.advanceTimersByTimeAsync(1_000);
      expect(answer.status).toBe(504);
    } finally {
      vi.useRealTimers();
    }
  });

  it("to a flood from one address is 429 with the time to come back", async () => {
    const web = makeWeb(test.db);
    const statuses = await Promise.all(
      Array.from({ length: 1_300 }, async () => (await web.get("/livez")).status),
    );
    expect(statuses.filter((status) => status === 429)).toHaveLength(100);
    const refused = await web.get("/livez");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("after a defect or a lost database says so without a trace, and the log has the reason without a secret", async () => {
    const web = makeWeb(test.db, {
      webhook: () => Promise.reject(new Error("boom at /somewhere/file.ts:1:2")),
    });
    const answer = await web.post("/telegram/webhook", {});
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toMatch(/boom|file\.ts/);
    expect(web.lines).toContainEqual(expect.objectContaining({ level: "error" }));
    expect(JSON.stringify(web.lines)).toContain("boom");
    expect(JSON.stringify(web.lines)).not.toContain(TOKEN);
  });
});

describe("health", () => {
  it("is not ready, with the reason, while the dispatcher takes no wake-ups", async () => {
    const ready = await makeWeb(test.db).get("/readyz");
    expect(ready.status).toBe(200);
    const { checks } = await ready.json();
    expect(checks.map(({ name, ok }: { name: string; ok: boolean }) => [name, ok])).toEqual([
      ["database", true],
      ["migrations", true],
      ["processes", true],
      ["dispatcher", true],
    ]);
    const web = makeWeb(test.db, { dispatcherTrouble: () => "cannot look for messages" });
    for (const path of ["/readyz", "/healthz"]) {
      const answer = await web.get(path);
      expect(answer.status).toBe(503);
      expect(await answer.text()).toContain("cannot look for messages");
    }
    expect((await web.get("/livez")).status).toBe(200);
  });

  it("is not ready when a migration of this program is missing", async () => {
    await test.db.query("UPDATE nightdesk_migrations SET name = 'gone_' || name WHERE name LIKE '003%'");
    try {
      const answer = await makeWeb(test.db).get("/readyz");
      expect(answer.status).toBe(503);
      expect(JSON.stringify(await answer.json())).toMatch(/not applied: 003_/);
    } finally {
      await test.db.query("UPDATE nightdesk_migrations SET name = substr(name, 6) WHERE name LIKE 'gone_%'");
    }
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deliverAlerts } from "../../lib/alerts/deliver.ts";
import { createWebhookSink, describeNotice } from "../../lib/alerts/sinks/webhook.ts";
import { raiseAlert, resolveAlerts } from "../../lib/alerts/raise.ts";
import { listSinks } from "../../lib/alerts/sink_rows.ts";
import type { Notice } from "../../lib/alerts/sinks/port.ts";
import { createLog } from "../../lib/log.ts";
import { listSecrets, readConfig } from "../../lib/config.ts";
import { startWireServer, type WireReply, type WireServer } from "../fakes/wire_server.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { deliveryOptions, raise } from "./watch_sinks.ts";

const test = useTestDatabase();

const NOTICE: Notice = {
  notice: "raised",
  alert: {
    alert_id: 7,
    session_id: null,
    number: null,
    dedupe_key: "feed_failing:x",
    rule: "feed_failing",
    level: "warning",
    text: "The feed x failed 3 times in a row",
    detail: { failures: 3 },
    lasting: true,
    created_at: new Date("2026-11-24T02:00:00Z"),
    acknowledged_at: null,
    acknowledged_by: null,
    resolved_at: null,
    resolution: null,
  },
};

let server: WireServer;
let reply: WireReply;
const OK: WireReply = { kind: "answer", status: 204, body: "" };
const answer = (status: number, headers: Record<string, string> = {}): WireReply => ({
  kind: "answer",
  status,
  body: "no",
  headers,
});

beforeEach(async () => {
  reply = OK;
  server = await startWireServer(() => reply);
});
afterEach(() => server.close());

const never = new AbortController().signal;
const url = () => `${server.url}/hook/top-secret-path?key=top-secret-key`;
const sinkOf = (token: string | null = "top-secret-token", timeoutMs = 2_000) =>
  createWebhookSink({ url: url(), token }, timeoutMs);

describe("the webhook", () => {
  it("posts the alert as JSON with a bearer token and a key that names the notice", async () => {
    expect(await sinkOf().send(NOTICE, never)).toEqual({ ok: true });
    const [{ method, path, headers, body }] = server.requests;
    expect([method, path]).toEqual(["POST", "/hook/top-secret-path?key=top-secret-key"]);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("authorization")).toBe("Bearer top-secret-token");
    expect(headers.get("idempotency-key")).toBe("7:raised");
    expect(JSON.parse(body)).toEqual({
      notice: "raised",
      alert_id: 7,
      dedupe_key: "feed_failing:x",
      rule: "feed_failing",
      level: "warning",
      title: "Feed failing",
      text: "The feed x failed 3 times in a row",
      advice: expect.stringMatching(/address/),
      session: null,
      session_id: null,
      lasting: true,
      detail: { failures: 3 },
      created_at: "2026-11-24T02:00:00.000Z",
      resolved_at: null,
      resolution: null,
    });
  });

  it("sends no authorization without a token, and its end under a key of its own", async () => {
    await sinkOf(null).send({ ...NOTICE, notice: "resolved" }, never);
    const [{ headers }] = server.requests;
    expect(headers.has("authorization")).toBe(false);
    expect(headers.get("idempotency-key")).toBe("7:resolved");
  });

  it("has a title for the alert of a rule that this version does not know", () => {
    const alert = { ...NOTICE.alert, rule: "from_the_future" as "stalled" };
    expect(describeNotice({ ...NOTICE, alert })).toMatchObject({
      rule: "from_the_future",
      title: "from the future",
    });
  });

  for (const status of [200, 201, 202, 204]) {
    it(`takes ${status} for taken`, async () => {
      reply = { kind: "answer", status, body: "" };
      expect(await sinkOf().send(NOTICE, never)).toEqual({ ok: true });
    });
  }

  for (
    const status of [301, 302, 307, 401, 402, 403, 404, 405, 408, 409, 410, 425, 429, 451, 500, 502, 503, 504]
  ) {
    it(`comes back later after ${status}, and sends it once`, async () => {
      reply = answer(status, { location: `${server.url}/elsewhere` });
      expect(await sinkOf().send(NOTICE, never)).toMatchObject({ ok: false, refused: false });
      expect(server.count).toBe(1);
    });
  }

  for (const status of [400, 413, 415, 422]) {
    it(`takes ${status} for never`, async () => {
      reply = answer(status);
      expect(await sinkOf().send(NOTICE, never)).toEqual({
        ok: false,
        refused: true,
        error: `answered ${status}`,
      });
    });
  }

  it("says what to look at when address or token are refused", async () => {
    for (const [status, setting] of [[401, "TOKEN"], [403, "TOKEN"], [404, "URL"], [410, "URL"]] as const) {
      reply = answer(status);
      expect(await sinkOf().send(NOTICE, never)).toMatchObject({
        error: `answered ${status}: see whether ALERT_WEBHOOK_${setting} still holds`,
      });
    }
  });

  it("comes back when it is told to", async () => {
    for (const status of [429, 503]) {
      reply = answer(status, { "retry-after": "17" });
      expect(await sinkOf().send(NOTICE, never)).toMatchObject({ retryAfterMs: 17_000 });
    }
  });

  it("says in words what went wrong on the way, once on the wire each, and never says where to", async () => {
    const broken: [WireReply, RegExp][] = [
      [{ kind: "reset" }, /^the connection broke before the answer$/],
      [{ kind: "close" }, /^the connection broke before the answer$/],
      [{ kind: "silent" }, /^no answer in time$/],
    ];
    for (const [index, [kind, wanted]] of broken.entries()) {
      reply = kind;
      const result = await sinkOf("top-secret-token", 150).send(NOTICE, never);
      expect(result).toMatchObject({ ok: false, refused: false, error: expect.stringMatching(wanted) });
      expect(server.count).toBe(index + 1);
    }
    await server.close();
    const result = await sinkOf().send(NOTICE, never);
    expect(result).toEqual({ ok: false, refused: false, error: "could not connect" });
  });
});

/*
 * An hour in a hundredth of it: a sink that is down for 36 s of the delivery's own clock, waits from 10 ms to 3 s. It
 * is down in every way there is, and what happens meanwhile is what happens in a bad night.
 */
describe("an hour without the webhook", () => {
  it("loses no alert, repeats none and tells all in order; no secret is in any log line or row", async () => {
    const lines: string[] = [];
    const config = readConfig({ ALERT_WEBHOOK_URL: url(), ALERT_WEBHOOK_TOKEN: "top-secret-token" });
    const log = createLog({
      level: "debug",
      secrets: listSecrets(config),
      write: (line) => void lines.push(line),
    });
    const sink = createWebhookSink({ url: url(), token: "top-secret-token" }, 100);
    const start = Date.now();
    const options = (at: number) => ({
      ...deliveryOptions(),
      log,
      backoff: { firstMs: 10, longestMs: 3_000 },
      now: new Date(start + at),
    });
    await deliverAlerts(test.db, [sink], options(0));
    const troubles: WireReply[] = [
      answer(500),
      answer(503, { "retry-after": "1" }),
      { kind: "reset" },
      { kind: "silent" },
      { kind: "cut", status: 500, body: "half of it" },
      answer(429),
      answer(502),
    ];
    const expected: string[] = [];
    let failed = 0;
    for (let tick = 0; tick < 360; tick++) {
      reply = troubles[tick % troubles.length];
      if (tick % 12 === 0) {
        const text = `alert ${tick / 12}`;
        // Every third is a condition, and every other one of those is critical and over before the hour is.
        const lasting = tick % 36 === 0;
        const critical = tick % 72 === 0;
        const key = await raise(test.db, text, { lasting, level: critical ? "critical" : "warning" });
        expected.push(`raised ${text}`);
        if (lasting && critical) {
          const [{ text: over }] = await resolveAlerts(test.db, { dedupeKeys: [key] }, {
            resolution: "it went away",
            tell: true,
          });
          expected.push(`resolved ${over}`);
        }
      }
      failed += (await deliverAlerts(test.db, [sink], options(tick * 100))).failed.length;
    }
    const tries = server.count;
    expect(tries).toBe(failed);
    expect(failed).toBeGreaterThan(10);
    expect(failed).toBeLessThan(60);
    reply = OK;
    await deliverAlerts(test.db, [sink], options(40_000));
    await deliverAlerts(test.db, [sink], options(50_000));
    const taken = server.requests.slice(tries);
    expect(taken.map(({ body }) => JSON.parse(body)).map(({ notice, text }) => `${notice} ${text}`)).toEqual(
      expected,
    );
    expect(new Set(taken.map(({ headers }) => headers.get("idempotency-key"))).size).toBe(expected.length);

    const { rows } = await test.db.query("SELECT * FROM alert_sinks s, alert_deliveries d");
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.join("") + JSON.stringify(rows)).not.toContain("top-secret");
  });
});

it("a token that was rotated and a proxy without its receiver lose no alert, and the log and the sink say what is wrong", async () => {
  const lines: string[] = [];
  const log = createLog({ level: "warn", secrets: [], write: (line) => void lines.push(line) });
  const sink = sinkOf();
  const start = Date.now();
  const deliver = (at: number) =>
    deliverAlerts(test.db, [sink], { ...deliveryOptions(), log, now: new Date(start + at) });
  await deliver(0);
  for (const text of ["one", "two", "three"]) await raise(test.db, text, {});
  for (const [hour, status] of [401, 403, 404, 410].entries()) {
    reply = answer(status);
    expect(await deliver((hour + 1) * 3_600_000)).toMatchObject({
      sent: 0,
      refused: 0,
      failed: [{ sink: "webhook" }],
    });
  }
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({
      level: "warn",
      error: "answered 401: see whether ALERT_WEBHOOK_TOKEN still holds",
      msg: "a sink fails: its alerts wait",
    }),
  ]);
  expect(await listSinks(test.db)).toMatchObject([
    { failures: 4, error: "answered 410: see whether ALERT_WEBHOOK_URL still holds" },
  ]);
  reply = OK;
  const tries = server.count;
  expect(await deliver(6 * 3_600_000)).toMatchObject({ sent: 3, refused: 0 });
  expect(server.requests.slice(tries).map(({ body }) => JSON.parse(body).text)).toEqual([
    "one",
    "two",
    "three",
  ]);
});

it("an alert in a transaction that is rolled back never reaches anybody", async () => {
  const sink = sinkOf();
  await deliverAlerts(test.db, [sink], deliveryOptions());
  await expect(test.db.transaction(async (tx) => {
    await raiseAlert(tx, { rule: "feed_failing", subject: "x", text: "x" });
    throw new Error("rolled back");
  })).rejects.toThrow("rolled back");
  await deliverAlerts(test.db, [sink], deliveryOptions());
  expect(server.count).toBe(0);
});

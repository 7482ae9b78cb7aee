/** Invariant 3: one call is at most one request on the wire, whatever the connection does. Counted at the server. */
import { afterEach, describe, expect, it } from "vitest";
import { createGeminiAnalyst } from "../../lib/analysis/gemini/analyst.ts";
import { MAX_ANSWER_BYTES, sendOnce } from "../../lib/http/send_once.ts";
import { createTavilyResearcher } from "../../lib/analysis/tavily/researcher.ts";
import { micros } from "../../lib/money.ts";
import { startFakeGemini } from "../fakes/gemini.ts";
import { startFakeTavily } from "../fakes/tavily.ts";
import type { WireOptions, WireReply, WireServer } from "../fakes/wire_server.ts";

const never = new AbortController().signal;
let server: WireServer | undefined;
afterEach(() => server?.close());

interface Caller {
  name: string;
  start(
    options: WireOptions & { script: (request: { body: string }) => WireReply | null },
  ): Promise<WireServer>;
  /** Makes one call that carries `id` in its body. */
  call(url: string, id: string): Promise<{ ok: boolean; failure?: string }>;
}

/** A hundred calls at once need a second on a busy machine; what waits for it waits for as long. */
const TIMEOUT_MS = 2_000;

const CALLERS: Caller[] = [
  {
    name: "Gemini",
    start: startFakeGemini,
    call: (baseUrl, id) =>
      createGeminiAnalyst({ apiKey: "k", model: "m", baseUrl, timeoutMs: TIMEOUT_MS })
        .analyse({ id: 1, title: id, body: "A body.", source: "s", url: null, publishedAt: null }, never),
  },
  {
    name: "Tavily",
    start: startFakeTavily,
    call: (baseUrl, id) =>
      createTavilyResearcher({ apiKey: "k", baseUrl, creditPrice: micros(8_000), timeoutMs: TIMEOUT_MS })
        .search(
          id,
          never,
        ),
  },
];

const TROUBLES: { what: string; reply: WireReply; failure: string }[] = [
  { what: "a reset", reply: { kind: "reset" }, failure: "connection_lost" },
  { what: "a lost answer", reply: { kind: "close", delayMs: 20 }, failure: "connection_lost" },
  { what: "an own timeout", reply: { kind: "silent" }, failure: "timed_out" },
  { what: "a cut answer", reply: { kind: "cut", status: 200, body: "{......}" }, failure: "connection_lost" },
  {
    what: "a redirect that keeps the method",
    reply: { kind: "answer", status: 307, body: "", headers: { location: "/again" } },
    failure: "redirected",
  },
];

describe.each(CALLERS)("$name", ({ start, call }) => {
  for (const ignoreClose of [false, true]) {
    it.each(TROUBLES)(
      `sends once under $what after good calls, the server ${
        ignoreClose ? "keeping" : "closing"
      } connections`,
      async ({ reply, failure }) => {
        server = await start({
          ignoreClose,
          script: ({ body }) => body.includes("bad") ? reply : null,
        });
        // Good calls first leave idle connections behind, if anything is pooled: those are the ones that resend.
        for (const id of ["good-1", "good-2"]) expect(await call(server.url, id)).toMatchObject({ ok: true });
        expect(await call(server.url, "bad-1")).toMatchObject({ ok: false, failure });
        expect(await call(server.url, "good-3")).toMatchObject({ ok: true });
        for (const id of ["good-1", "good-2", "bad-1", "good-3"]) {
          expect([id, server.countOf(id)]).toEqual([id, 1]);
        }
        expect(server.requests.map(({ turn }) => turn)).toEqual([1, 1, 1, 1]);
      },
    );
  }

  it("sends each of many calls at once no more than once while half of them break", async () => {
    server = await start({
      script: ({ body }) => body.includes("bad") ? { kind: "reset", delayMs: 5 } : null,
    });
    const ids = Array.from({ length: 100 }, (_, i) => `${i % 2 ? "bad" : "good"}-${1000 + i}`);
    const { url } = server;
    await Promise.all(ids.map((id) => call(url, id)));
    expect(ids.filter((id) => server!.countOf(id) !== 1)).toEqual([]);
  });

  it("sends nothing when it is stopped before it starts", async () => {
    server = await start({ script: () => null });
    const stopped = AbortSignal.abort();
    const gemini = createGeminiAnalyst({ apiKey: "k", model: "m", baseUrl: server.url });
    const tavily = createTavilyResearcher({ apiKey: "k", baseUrl: server.url, creditPrice: micros(8_000) });
    const article = { id: 1, title: "t", body: "b", source: "s", url: null, publishedAt: null };
    expect(await gemini.analyse(article, stopped)).toMatchObject({
      failure: "not_sent",
      billing: "NOT_BILLED",
    });
    expect(await tavily.search("q", stopped)).toMatchObject({ failure: "not_sent", billing: "NOT_BILLED" });
    expect(server.count).toBe(0);
  });
});

describe("an answer", () => {
  const ask = (url: string) =>
    sendOnce({ url, headers: {}, body: "{}", timeoutMs: 10_000, signal: new AbortController().signal });

  it("over the limit is not read, whether it says how long it is, or not, or unpacks to more than it says", async () => {
    const large = "x".repeat(MAX_ANSWER_BYTES + 1);
    const packed = new Response(large).body!.pipeThrough(new CompressionStream("gzip"));
    const bomb = await new Response(packed).bytes();
    const answers: Record<string, () => Response> = {
      "/announced": () => new Response(large),
      "/streamed": () => new Response(new Response(large).body),
      "/packed": () => new Response(bomb, { headers: { "content-encoding": "gzip" } }),
    };
    const gateway = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      (request) => answers[new URL(request.url).pathname]!(),
    );
    for (const path of Object.keys(answers)) {
      const delivery = await ask(`http://127.0.0.1:${gateway.addr.port}${path}`);
      const broken = delivery.kind === "answered" ? delivery.broken : delivery.kind;
      expect([path, broken]).toEqual([path, "answer_too_large"]);
    }
    await gateway.shutdown();
  });

  it("is read the same in one piece and in many", async () => {
    const text = `${"a".repeat(70_000)} “Zoë” ${"€".repeat(30_000)}`;
    const gateway = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      (request) => new Response(request.url.endsWith("/whole") ? text : new Response(text).body),
    );
    for (const path of ["/whole", "/streamed"]) {
      const delivery = await ask(`http://127.0.0.1:${gateway.addr.port}${path}`);
      expect(delivery).toMatchObject({ kind: "answered", status: 200, broken: null });
      expect(delivery.kind === "answered" && delivery.body === text).toBe(true);
    }
    await gateway.shutdown();
  });
});

import { afterAll, describe, expect, it } from "vitest";
import { createTavilyResearcher } from "../../lib/analysis/tavily/researcher.ts";
import { micros } from "../../lib/money.ts";
import { startFakeTavily, tavilyAnswer } from "../fakes/tavily.ts";
import type { WireReply } from "../fakes/wire_server.ts";
import axios from "axios";

const KEY = "tvly-that-nobody-may-see";
const never = new AbortController().signal;

let reply: WireReply | null = null;
const server = await startFakeTavily({ script: () => reply });
afterAll(() => server.close());
const options = { apiKey: KEY, baseUrl: server.url, creditPrice: micros(8_000), timeoutMs: 5_000 };
const researcher = createTavilyResearcher(options);
const lastBody = () => JSON.parse(server.requests.at(-1)!.body) as Record<string, unknown>;

const result = (fields: Record<string, unknown>) => ({
  title: "T",
  url: "https://a.example/x",
  content: "C",
  score: 0.5,
  published_date: null,
  ...fields,
});
async function searchFor(results: unknown[], extra?: Record<string, unknown>) {
  reply = tavilyAnswer(results, extra);
  const found = await researcher.search("fees", never);
  if (!found.ok) throw new Error(found.message);
  return found;
}

describe("a search", () => {
  it("asks for one basic news search, with the key in a header only", async () => {
    reply = null;
    const found = await researcher.search("  fees \n rise ", never);
    expect(found).toMatchObject({ ok: true, credits: 1 });
    expect(lastBody()).toEqual({
      query: "fees rise",
      search_depth: "basic",
      topic: "news",
      max_results: 5,
      include_usage: true,
      auto_parameters: false,
    });
    const { path, headers, body } = server.requests.at(-1)!;
    expect(path).toBe("/search");
    expect(headers.get("authorization")).toBe(`Bearer ${KEY}`);
    expect(body).not.toContain(KEY);
  });

  it("cuts its query to what Tavily takes", async () => {
    reply = null;
    await researcher.search("word ".repeat(200), never);
    const { query } = lastBody() as { query: string };
    expect(query.length).toBeLessThanOrEqual(400);
    expect(query.length).toBeGreaterThan(390);
  });

  it("reads sources with their dates as ISO times", async () => {
    reply = null;
    const found = await researcher.search("fees", never);
    expect(found.ok && found.sources[0]).toEqual({
      title: "The first report",
      url: "https://news.example/first",
      published_at: "2026-11-02T10:00:00.000Z",
      score: 0.9,
      excerpt: "A first report on: fees",
    });
  });

  it("keeps only addresses that are safe to show as links", async () => {
    const urls = [
      "javascript:alert(1)",
      "data:text/html,x",
      "ftp://a/b",
      "https://u:p@a.example/",
      "not a url",
      "",
    ];
    const { sources } = await searchFor([
      ...urls.map((url) => result({ url })),
      result({ url: "http://ok.example" }),
    ]);
    expect(sources.map(({ url }) => url)).toEqual(["http://ok.example/"]);
  });

  it("bounds and cleans what strangers wrote, and keeps five results at most", async () => {
    const wild = result({
      title: " a\u0000\nb ",
      content: "👩‍👩‍👧‍👦".repeat(200),
      score: 7,
      published_date: "soon",
    });
    const { sources } = await searchFor([wild, ...Array(8).fill(result({}))]);
    expect(sources).toHaveLength(5);
    expect(sources[0]).toMatchObject({ title: "a b", score: null, published_at: null });
    expect(sources[0]!.excerpt).toMatch(/^(👩‍👩‍👧‍👦)+$/u);
    expect(sources[0]!.excerpt.length).toBeLessThanOrEqual(500);
  });

  it("leaves out results it cannot read and keeps the others", async () => {
    const { sources } = await searchFor([{}, { title: 1, url: 2 }, result({ title: "" })]);
    expect(sources.map(({ title }) => title)).toEqual(["a.example"]);
  });

  it.each([{ usage: undefined }, { usage: {} }, { usage: { credits: -1 } }, { usage: { credits: 1e9 } }, {
    usage: "x",
  }])(
    "does not guess credits from %j",
    async (extra) => {
      expect((await searchFor([], extra)).credits).toBeNull();
    },
  );
});

describe("a researcher", () => {
  it("is not made without a key, which the SDK would take as keyless", () => {
    for (const apiKey of ["", " ", "a b", "k\n"]) {
      expect(() => createTavilyResearcher({ ...options, apiKey })).toThrow(/TAVILY_API_KEY/);
    }
    expect(() => createTavilyResearcher({ ...options, baseUrl: "https://x/?key=1" })).toThrow(
      /TAVILY_BASE_URL/,
    );
  });

  it("leaves other users of axios alone", async () => {
    reply = null;
    const pending = researcher.search("fees", never);
    const own = await axios.get(server.url, { validateStatus: () => true });
    expect(own.config.adapter).not.toBeTypeOf("function");
    expect(own.status).toBe(404);
    await pending;
  });
});

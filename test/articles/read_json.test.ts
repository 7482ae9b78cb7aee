import { describe, expect, it } from "vitest";
import { IngestError } from "../../lib/articles/ingest_error.ts";
import { MAX_ENTRY_SIZE } from "../../lib/articles/limits.ts";
import { makeFolder, readAll, readOne } from "./collect.ts";

const NOW = new Date("2026-06-01T00:00:00Z");

describe("a .json file", () => {
  it("may be an array or hold one as articles or items", async () => {
    const list = [{ id: 1, title: "One", body: "Text." }];
    await using folder = await makeFolder({
      "array.json": JSON.stringify(list),
      "articles.json": JSON.stringify({ articles: list }),
      "items.json": JSON.stringify({ items: list }),
    });
    for (const name of ["array.json", "articles.json", "items.json"]) {
      expect(await readOne(`${folder.path}/${name}`)).toMatchObject({
        source: name,
        externalId: "1",
        title: "One",
        body: "Text.",
      });
    }
  });

  it("may name its fields in the usual ways, and HTML in them becomes text", async () => {
    await using folder = await makeFolder({
      "a.json": JSON.stringify([{
        guid: "g",
        headline: "T &amp; T",
        link: "https://example.org/a?b=2&a=1",
        content_html: "<p>One</p><script>x()</script><p>Two</p>",
        published_at: "2026-05-01T00:00:00Z",
        language: "de_DE",
      }, { title: "plain <b>tags</b>", content: "a &lt; b\nc", date: 1_700_000_000 }]),
    });
    const { articles } = await readAll(`${folder.path}/a.json`, { now: NOW });
    expect(articles).toEqual([{
      source: "a.json",
      externalId: "g",
      url: "https://example.org/a?a=1&b=2",
      title: "T & T",
      body: "One\n\nTwo",
      language: "de",
      publishedAt: new Date("2026-05-01T00:00:00Z"),
    }, {
      source: "a.json",
      externalId: null,
      url: null,
      title: "plain tags",
      body: "a < b\nc",
      language: null,
      publishedAt: new Date(1_700_000_000_000),
    }]);
  });

  it("that is a JSON Feed is read as one", async () => {
    await using folder = await makeFolder({
      "feed.json": JSON.stringify({
        version: "https://jsonfeed.org/version/1.1",
        title: "F",
        items: [{ id: "1", content_text: "Text" }],
      }),
    });
    expect(await readOne(`${folder.path}/feed.json`)).toMatchObject({ externalId: "1", body: "Text" });
  });

  it("that is none of these is refused", async () => {
    await using folder = await makeFolder({ "a.json": "{", "b.json": '{"a": 1}', "c.json": "7" });
    for (const name of ["a.json", "b.json", "c.json"]) {
      const error = await readAll(`${folder.path}/${name}`).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(IngestError);
      expect(error.message).toMatch(/^Cannot read [^\n]+: wanted [^\n]+, got [^\n]+$/);
    }
  });
});

describe("a .jsonl file", () => {
  it("yields good lines and names the bad ones by number", async () => {
    await using folder = await makeFolder({
      "a.jsonl": [
        '{"id": "a", "title": "A", "body": "Text"}',
        "",
        "{broken",
        "[1]",
        "null",
        "{}",
        JSON.stringify({ id: "big", title: "Big", body: "x".repeat(MAX_ENTRY_SIZE) }),
        '{"id": "z", "title": "Z"}',
      ].join("\r\n"),
    });
    const { articles, broken } = await readAll(`${folder.path}/a.jsonl`);
    expect(articles.map(({ externalId }) => externalId)).toEqual(["a", "z"]);
    expect(broken).toEqual([
      { where: "line 3", reason: "is not JSON" },
      { where: "line 4", reason: "wanted an object, got a list" },
      { where: "line 5", reason: "wanted an object, got null" },
      { where: "line 6", reason: "has neither a title nor text" },
      { where: "line 7", reason: expect.stringContaining("larger than 5 MB") },
    ]);
  });
});

describe("a source that is not there", () => {
  it("is refused with what was wanted, what was given and what to do", async () => {
    await expect(readAll("/no/such/place")).rejects.toThrow(
      /^Cannot read "\/no\/such\/place": wanted a feed address, .+, got nothing there; check the path\.$/,
    );
    await expect(readAll("ftp://example.org/feed")).rejects.toThrow(
      /wanted an http or https address or a path/,
    );
  });
});

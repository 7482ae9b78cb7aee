import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { MAX_ENTRY_SIZE } from "../../lib/articles/limits.ts";
import { makeFolder, readAll, readOne, sentences } from "./collect.ts";

const POST = `---
title: "Relay *policy* #7"
permalink: /en/posts/7/
slug: post-7
lang: en-US
date: 2022-03-04 10:00:00 -0500
---
Nodes **relay** [transactions][tx].

[tx]: https://example.org/tx
`;

describe("a folder of Markdown", () => {
  it("is read recursively in the order of its paths, hidden folders left out", async () => {
    await using folder = await makeFolder({
      "b/2.md": "# Two\n\nText two.",
      "b/1.markdown": "# One\n\nText one.",
      "a.md": "# A\n\nText a.",
      ".git/x.md": "no",
      "node_modules/y/README.md": "no",
      "notes.txt": "no",
    });
    const { articles, broken } = await readAll(folder.path);
    const root = basename(folder.path);
    expect(broken).toEqual([]);
    expect(articles.map(({ source, externalId, title }) => [source, externalId, title])).toEqual([
      [root, "a.md", "A"],
      [`${root}/b`, "1.markdown", "One"],
      [`${root}/b`, "2.md", "Two"],
    ]);
  });

  it("has the same sources however its path is spelled", async () => {
    await using folder = await makeFolder({ "news/sub/1.md": "# One\n\nText." });
    const before = Deno.cwd();
    const spellings = [`${folder.path}/news`, `${folder.path}/news/`, `${folder.path}/news/sub/..`];
    try {
      Deno.chdir(`${folder.path}/news`);
      for (const spelling of [...spellings, ".", "./", "../news"]) {
        expect((await readOne(spelling)).source, spelling).toBe("news/sub");
      }
    } finally {
      Deno.chdir(before);
    }
  });

  it("keeps going past a file that is broken, empty or huge", async () => {
    await using folder = await makeFolder({
      "1-yaml.md": "---\ntitle: [unclosed\n---\nText.",
      "2-empty.md": "",
      "3-huge.md": "x".repeat(MAX_ENTRY_SIZE + 1),
      "4-deep.md": "> ".repeat(20_000),
      "5-good.md": "# Good\n\nText.",
      "6-binary.md": new Uint8Array([0, 1, 2, 0xff, 0xfe, 65]),
    });
    const { articles, broken } = await readAll(folder.path);
    expect(articles.map(({ title }) => title).slice(0, 1)).toEqual(["Good"]);
    expect(broken.map(({ where }) => where)).toEqual(["1-yaml.md", "2-empty.md", "3-huge.md", "4-deep.md"]);
    expect(broken[0].reason).toMatch(/^does not parse: /);
    expect(broken[1].reason).toBe("has neither a title nor text");
    expect(broken[2].reason).toMatch(/larger than 5 MB/);
    expect(broken[3].reason).toMatch(/nested too deeply/);
    for (const { reason } of broken) expect(reason).not.toContain("\n");
  });

  it("without any Markdown is refused with a line that says so", async () => {
    await using folder = await makeFolder({ "notes.txt": "no" });
    await expect(readAll(folder.path)).rejects.toThrow(
      /^Cannot read ".+": wanted a folder with \.md files, got/,
    );
  });
});

describe("a Markdown post", () => {
  it("takes title, id, language and date from its front matter", async () => {
    await using folder = await makeFolder({ "posts/2020-01-02-name.md": POST });
    expect(await readOne(`${folder.path}/posts/2020-01-02-name.md`)).toEqual({
      source: "posts",
      externalId: "/en/posts/7/",
      url: null,
      title: "Relay policy #7",
      body: "Nodes relay transactions.",
      language: "en",
      publishedAt: new Date("2022-03-04T15:00:00Z"),
    });
  });

  it("has an address when its permalink is a whole one, and then its slug as id", async () => {
    await using folder = await makeFolder({
      "p.md": POST.replace("/en/posts/7/", "http://www.example.org/posts/7/?utm_source=x#top"),
    });
    expect(await readOne(folder.path)).toMatchObject({
      url: "https://example.org/posts/7",
      externalId: "post-7",
    });
  });

  it("without front matter has its heading, its file name and the date in that for want of better", async () => {
    await using folder = await makeFolder({ "2020-01-02-name.md": `# A **heading**\n\n${sentences(5)}` });
    expect(await readOne(folder.path)).toMatchObject({
      title: "A heading",
      externalId: "2020-01-02-name.md",
      publishedAt: new Date("2020-01-02T00:00:00Z"),
      language: "en",
    });
  });

  it("that is only an include has its excerpt as text", async () => {
    await using folder = await makeFolder({
      "p.md": "---\ntitle: T\nexcerpt: >\n  Short **words**.\n---\n{% include articles/p.md %}\n",
    });
    expect((await readOne(folder.path)).body).toBe("Short words.");
  });

  it("survives line ends of Windows, a byte order mark and a front matter that is none", async () => {
    await using folder = await makeFolder({
      "1.md": "\ufeff---\r\ntitle: Crlf\r\n---\r\n\r\nOne.\r\n\r\nTwo.\r\n",
      "2.md": "---\njust a line\n---\n\nText after.",
    });
    const { articles } = await readAll(folder.path);
    expect(articles[0]).toMatchObject({ title: "Crlf", body: "One.\n\nTwo." });
    expect(articles[1].body).toContain("Text after.");
  });

  it("is not expanded without bound by YAML aliases", async () => {
    const levels = Array.from(
      { length: 12 },
      (_, n) => `l${n}: &l${n} [${n === 0 ? "x" : Array(10).fill(`*l${n - 1}`).join(", ")}]`,
    );
    await using folder = await makeFolder({ "bomb.md": `---\n${levels.join("\n")}\n---\nText.` });
    const { broken } = await readAll(folder.path);
    expect(broken).toHaveLength(1);
  });
});

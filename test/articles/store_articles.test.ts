import { describe, expect, it } from "vitest";
import { ingest } from "../../lib/articles/ingest.ts";
import { storeArticles } from "../../lib/articles/store_articles.ts";
import type { IncomingArticle, IngestItem } from "../../lib/articles/types.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { makeFolder, sentences, serve } from "./collect.ts";

const test = useTestDatabase();

function article(n: number | string, changes: Partial<IncomingArticle> = {}): IncomingArticle {
  return {
    source: "test",
    externalId: `id-${n}`,
    url: `https://example.org/${n}`,
    title: `Article ${n}`,
    body: `Body of article ${n}.`,
    language: "en",
    publishedAt: new Date("2026-05-01T00:00:00Z"),
    ...changes,
  };
}

async function* items(...articles: (IncomingArticle | IngestItem)[]): AsyncGenerator<IngestItem> {
  for (const item of articles) {
    yield "kind" in item ? item : { kind: "article", article: item, where: item.title };
  }
}

const store = (...articles: (IncomingArticle | IngestItem)[]) => storeArticles(test.db, items(...articles));
const counts = ({ new: added, known, updated, broken }: Awaited<ReturnType<typeof store>>) => {
  return [added, known, updated, broken.length];
};
const rows = async () =>
  (await test.db.query<{ external_id: string | null; body: string }>(
    "SELECT external_id, body FROM articles ORDER BY id",
  )).rows;

describe("storing articles", () => {
  it("writes every column, with sizes in UTF-16 code units and UTF-8 bytes", async () => {
    expect(counts(await store(article(1, { body: "Blöcke 👩‍👩‍👧" })))).toEqual([1, 0, 0, 0]);
    const { rows: [row] } = await test.db.query("SELECT * FROM articles");
    expect(row).toMatchObject({
      source: "test",
      external_id: "id-1",
      url: "https://example.org/1",
      title: "Article 1",
      body: "Blöcke 👩‍👩‍👧",
      body_chars: 15,
      body_bytes: 26,
      language: "en",
      published_at: new Date("2026-05-01T00:00:00Z"),
      status: "ACTIVE",
      analyzed_at: null,
    });
  });

  it("knows an article by its id, its address or its text, whatever the case and spacing of that", async () => {
    await store(article(1));
    expect(counts(
      await store(
        article(1, { url: null }),
        article(2, { url: "https://example.org/1", body: "Body of article 1." }),
        article(3, { body: "  BODY of\n\narticle 1. " }),
        article(4),
      ),
    )).toEqual([1, 3, 0, 0]);
  });

  it("knows a second delivery in the same go, and judges its text against the first", async () => {
    expect(counts(
      await store(
        article(1),
        article(1),
        article(2, { body: article(1).body }),
        article(1, { body: "New body." }),
      ),
    )).toEqual([1, 3, 1, 0]);
    expect(await rows()).toEqual([{ external_id: "id-1", body: "New body." }]);
  });

  it("takes two articles without text for two articles", async () => {
    expect(counts(await store(article(1, { body: "" }), article(2, { body: "" })))).toEqual([2, 0, 0, 0]);
    expect(counts(await store(article(1, { body: "" })))).toEqual([0, 1, 0, 0]);
  });

  it("replaces a text that changed, but not one that was analysed", async () => {
    await store(article(1), article(2));
    await test.db.query("UPDATE articles SET analyzed_at = now() WHERE external_id = 'id-2'");
    const report = await store(
      article(1, { body: "Corrected one.", title: "Better" }),
      article(2, { body: "Corrected two." }),
    );
    expect(counts(report)).toEqual([0, 2, 1, 0]);
    expect(await rows()).toEqual([{ external_id: "id-1", body: "Corrected one." }, {
      external_id: "id-2",
      body: "Body of article 2.",
    }]);
    expect(counts(await store(article(1, { body: "Corrected one." })))).toEqual([0, 1, 0, 0]);
  });

  it("leaves a text alone that changed into another article's, or into nothing, or into a mere teaser", async () => {
    await store(article(1), article(2));
    expect(counts(
      await store(article(1, { body: article(2).body }), article(2, { body: "" }), {
        kind: "article",
        where: "teaser",
        article: article(2, { body: "Body …" }),
        isTeaser: true,
      }),
    )).toEqual([0, 3, 0, 0]);
    expect((await rows()).map(({ body }) => body)).toEqual(["Body of article 1.", "Body of article 2."]);
  });

  it("keeps the rest of a chunk when one row cannot be stored", async () => {
    const report = await store(
      article(1),
      article(2, { body: "NUL \0 in it" }),
      article(3, { externalId: noise(4_000) }),
      { kind: "broken", broken: { where: "entry 4", reason: "is empty" } },
      article(5),
    );
    expect(counts(report)).toEqual([2, 0, 0, 3]);
    expect(report.broken.map(({ where }) => where).sort()).toEqual(["Article 2", "Article 3", "entry 4"]);
    expect((await rows()).map(({ external_id }) => external_id)).toEqual(["id-1", "id-5"]);
  });

  it("stores each article once when two ingest the same feed at once", async () => {
    const many = Array.from({ length: 250 }, (_, n) => article(n));
    const reports = await Promise.all([store(...many), store(...many.toReversed())]);
    expect(reports.reduce((sum, report) => sum + report.new, 0)).toBe(250);
    for (const report of reports) expect(report.new + report.known + report.broken.length).toBe(250);
    expect(await rows()).toHaveLength(250);
  });

  it("tells how it goes, and stops between chunks when asked to", async () => {
    const many = Array.from({ length: 250 }, (_, n) => article(n));
    const stop = new AbortController();
    const seen: number[] = [];
    const stopped = storeArticles(test.db, items(...many), {
      signal: stop.signal,
      onProgress: (report) => {
        seen.push(report.new);
        if (report.new === 200) stop.abort(new Error("enough"));
      },
    });
    await expect(stopped).rejects.toThrow("enough");
    expect(seen).toEqual([100, 200]);
    expect(await rows()).toHaveLength(200);
  });

  it("throws when it is the database that fails, not a row", async () => {
    const broken = {
      ...test.db,
      query: () => Promise.reject(Object.assign(new Error("gone"), { code: "57P01" })),
    };
    await expect(storeArticles(broken, items(article(1)))).rejects.toThrow("gone");
  });
});

describe("ingesting", () => {
  it("a folder twice finds everything known the second time", async () => {
    await using folder = await makeFolder({
      "news/1.md": `---\npermalink: /1/\n---\n${sentences(3)}`,
      "news/2.md": `---\npermalink: /2/\n---\n${sentences(4)}`,
    });
    const first = await ingest(test.db, `${folder.path}/news`);
    expect([first.source, ...counts(first)]).toEqual(["news", 2, 0, 0, 0]);
    expect(counts(await ingest(test.db, `${folder.path}/news/../news/`))).toEqual([0, 2, 0, 0]);
  });

  it("a feed of teasers costs its pages once, and a page that is down takes nothing away", async () => {
    let isDown = false;
    await using server = serve((request) => {
      const path = new URL(request.url).pathname;
      if (path !== "/feed") {
        return isDown
          ? new Response("down", { status: 500 })
          : new Response(`<html><body><article><p>${sentences(20)}</p></article></body></html>`, {
            headers: { "content-type": "text/html" },
          });
      }
      const item =
        "<item><guid>g</guid><title>T</title><link>/p</link><description>Teaser …</description></item>";
      return new Response(`<rss version="2.0"><channel><title>F</title>${item}</channel></rss>`, {
        headers: { "content-type": "text/xml" },
      });
    });
    const run = () => ingest(test.db, `${server.url}/feed`, { allowPrivateAddresses: true });
    expect(counts(await run())).toEqual([1, 0, 0, 0]);
    isDown = true;
    expect(counts(await run())).toEqual([0, 1, 0, 0]);
    expect(server.asked).toEqual(["/feed", "/p", "/feed"]);
    expect((await rows())[0].body).toContain("number 19");
  });
});

/** Text that does not compress, so that it exceeds an index row. */
function noise(chars: number): string {
  let seed = 1;
  return Array.from({ length: chars }, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return String.fromCharCode(33 + seed % 90);
  }).join("");
}

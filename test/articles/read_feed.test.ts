import { describe, expect, it } from "vitest";
import { IngestError } from "../../lib/articles/ingest_error.ts";
import { makeFolder, readAll, readOne, sentences, serve } from "./collect.ts";

const LONG = sentences(8);
const NOW = new Date("2026-06-01T00:00:00Z");
const LOCAL = { allowPrivateAddresses: true, now: NOW };

const rss = (items: string, head = "") =>
  `<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
   xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>F</title>${head}${items}</channel></rss>`;

async function readText(name: string, text: string) {
  await using folder = await makeFolder({ [name]: text });
  return await readAll(`${folder.path}/${name}`, LOCAL);
}

describe("a feed of each format", () => {
  it("RSS: full content over the description, entities decoded, dates and ids kept", async () => {
    const { articles } = await readText(
      "f.xml",
      rss(
        `<item><title>Fees &amp;amp; &lt;b&gt;blocks&lt;/b&gt;</title><link>/posts/1?utm_medium=rss</link>
         <guid isPermaLink="false">g1</guid><pubDate>Fri, 01 May 2026 10:00:00 GMT</pubDate>
         <description>Short.</description>
         <content:encoded><![CDATA[<h2>One</h2><p>Caf&eacute; &amp; ${LONG}</p><script>x()</script>]]></content:encoded>
         </item>`,
        "<link>https://www.example.org/</link><language>en-us</language>",
      ),
    );
    expect(articles).toEqual([{
      source: "f.xml",
      externalId: "g1",
      url: "https://example.org/posts/1",
      title: "Fees & blocks",
      body: `One\n\nCafé & ${LONG}`,
      language: "en",
      publishedAt: new Date("2026-05-01T10:00:00Z"),
    }]);
  });

  it("Atom: html, xhtml and text content, the alternate link, languages by entry", async () => {
    const { articles, broken } = await readText(
      "f.atom",
      `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en" xml:base="https://example.org/b/">
       <title>F</title>
       <entry><id>urn:1</id><title type="html">A &amp;lt; B</title><link rel="self" href="no"/><link href="1"/>
         <published>2026-05-01T00:00:00Z</published><updated>2026-05-02T00:00:00Z</updated>
         <content type="html">&lt;p&gt;${LONG}&lt;/p&gt;</content><summary>S</summary></entry>
       <entry xml:lang="fr"><id>urn:2</id><title>Two</title>
         <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Un <b>bloc</b></p><p>Deux</p></div></content>
         <updated>2026-05-02T00:00:00Z</updated></entry>
       <entry><id>urn:3</id><title>Three</title><content type="text">1 &lt; 2</content></entry></feed>`,
    );
    expect(broken).toEqual([]);
    expect(articles).toMatchObject([
      { externalId: "urn:1", url: "https://example.org/b/1", title: "A < B", body: LONG, language: "en" },
      { externalId: "urn:2", body: "Un bloc\n\nDeux", language: "fr", publishedAt: new Date("2026-05-02") },
      { externalId: "urn:3", body: "1 < 2", publishedAt: null },
    ]);
    expect(articles[0].publishedAt).toEqual(new Date("2026-05-01"));
  });

  it("RDF: items beside the channel, Dublin Core dates", async () => {
    const { articles } = await readText(
      "f.rdf",
      `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://example.org/"><title>F</title></channel>
        <item rdf:about="https://example.org/1"><title>One</title><link>https://example.org/1</link>
        <description>${LONG}</description><dc:date>2026-05-01</dc:date></item></rdf:RDF>`,
    );
    expect(articles).toMatchObject([
      { externalId: "https://example.org/1", url: "https://example.org/1", body: LONG, language: "en" },
    ]);
  });

  it("JSON Feed: items that are none are broken, the rest goes in", async () => {
    const { articles, broken } = await readText(
      "f.json",
      JSON.stringify({
        version: "https://jsonfeed.org/version/1.1",
        title: "F",
        language: "en",
        items: [
          5,
          { id: 7, url: "https://example.org/7", content_html: `<p>${LONG}</p>`, title: "Seven" },
          null,
          { id: "t", content_text: "1 < 2 & more", date_published: "2999-01-01" },
          {},
        ],
      }),
    );
    expect(articles).toMatchObject([
      { externalId: "7", title: "Seven", body: LONG },
      { externalId: "t", title: "1 < 2 & more", body: "1 < 2 & more", publishedAt: null },
    ]);
    expect(broken.map(({ where }) => where)).toEqual(["entry 1", "entry 3", "entry 5"]);
  });
});

describe("a feed on the web", () => {
  it("is known by its normalised address and resolves its links against it", async () => {
    await using server = serve(() =>
      new Response(
        rss(`<item><title>One</title><link>posts/1</link><description>${LONG}</description></item>`),
        { headers: { "content-type": "application/rss+xml" } },
      )
    );
    const host = new URL(server.url).host;
    expect(await readOne(`${server.url}/feed.xml?utm_source=x`, LOCAL)).toMatchObject({
      source: `https://${host}/feed.xml`,
      url: `https://${host}/posts/1`,
    });
  });

  it("is completed from the pages behind its teasers, which are fetched in order and without the page's trimmings", async () => {
    const page = (n: number) =>
      `<html lang="en"><head><title>P${n}</title><script>x()</script></head><body><nav>Home About</nav>
       <article><h1>P${n}</h1><p>${sentences(12, `miner ${n}`)}</p><p>${LONG}</p></article>
       <footer>Imprint</footer></body></html>`;
    await using server = serve((request) => {
      const path = new URL(request.url).pathname;
      if (path === "/feed") {
        const items = [1, 2, 3, 4, 5, 6].map((n) =>
          `<item><title>T${n}</title><link>/p/${n}</link><description>Teaser ${n} … read more</description></item>`
        );
        return new Response(rss(items.join("")), { headers: { "content-type": "text/xml" } });
      }
      const n = Number(path.slice(3));
      return n === 3
        ? new Response("down", { status: 503 })
        : new Response(page(n), { headers: { "content-type": "text/html" } });
    });
    const { articles, broken } = await readAll(`${server.url}/feed`, LOCAL);
    expect(broken).toEqual([]);
    expect(articles.map(({ title }) => title)).toEqual(["T1", "T2", "T3", "T4", "T5", "T6"]);
    expect(articles[0].body).toContain("The miner 1 number 11 relays");
    expect(articles[0].body).not.toMatch(/Imprint|Home About|x\(\)/);
    expect(articles[2].body).toBe("Teaser 3 … read more");
  });

  it("does not fetch a page of which a longer text is stored", async () => {
    await using server = serve(() =>
      new Response(
        rss("<item><guid>g</guid><title>T</title><link>/p</link><description>Short</description></item>"),
        {
          headers: { "content-type": "text/xml" },
        },
      )
    );
    const asked: unknown[] = [];
    await readAll(`${server.url}/feed`, {
      ...LOCAL,
      hasLongerText: (entry, chars) => Promise.resolve(asked.push([entry.externalId, chars]) > 0),
    });
    expect(asked).toEqual([["g", 5]]);
    expect(server.asked).toEqual(["/feed"]);
  });

  it("that is a web page is refused, and the page's own feed is named", async () => {
    await using server = serve(() =>
      new Response(
        '<html><head><link rel="alternate" type="application/atom+xml" href="/atom.xml"></head><body>Hi</body></html>',
        { headers: { "content-type": "text/html" } },
      )
    );
    await expect(readAll(server.url, LOCAL)).rejects.toThrow(
      `got a web page; the page names its feed: ${server.url}/atom.xml.`,
    );
  });

  it("may not lead the process to the machines around it", async () => {
    await using inner = serve(() =>
      new Response("<p>secret</p>", { headers: { "content-type": "text/html" } })
    );
    const { articles } = await readStrictly(
      rss(`<item><title>T</title><link>${inner.url}/admin</link><description>Teaser</description></item>`),
    );
    expect(articles[0].body).toBe("Teaser");
    expect(inner.asked).toEqual([]);
  });
});

async function readStrictly(text: string) {
  await using folder = await makeFolder({ "f.xml": text });
  return await readAll(`${folder.path}/f.xml`, { now: NOW });
}

describe("a hostile or broken feed", () => {
  it("that does not parse is refused as a whole with one line", async () => {
    for (
      const text of ["", "hello", "<rss><channel><item>", "<html><body>x</body></html>", "\0\0", "%PDF-1.4"]
    ) {
      const error = await readText("f.xml", text).catch((thrown) => thrown);
      expect(error, text).toBeInstanceOf(IngestError);
      expect(error.message, text).toMatch(/^Cannot read "f\.xml": wanted a feed [^\n]+, got [^\n]+\.$/);
    }
  });

  it("with an entity bomb neither hangs nor explodes", async () => {
    const names = "abcdefghijklmnop".split("");
    const entities = names.map((name, n) =>
      `<!ENTITY ${name} "${n === 0 ? "boom" : `&${names[n - 1]};`.repeat(10)}">`
    );
    const started = performance.now();
    const { articles } = await readText(
      "f.xml",
      `<?xml version="1.0"?><!DOCTYPE x [${entities.join("")}]>` +
        "<rss version='2.0'><channel><title>T</title><item><title>&p;</title><description>&p;</description></item></channel></rss>",
    );
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(articles[0].body.length).toBeLessThan(1_000);
  });

  it("cannot read files through external entities", async () => {
    await using folder = await makeFolder({ "secret.txt": "hidden words" });
    const feed = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file://${folder.path}/secret.txt">]>` +
      rss("<item><title>x</title><description>a &e;</description></item>").replace(/^<\?xml.*?\?>/, "");
    const outcome = await readText("f.xml", feed).catch((error) => error);
    expect(outcome instanceof IngestError ? outcome.message : JSON.stringify(outcome)).not.toContain(
      "hidden",
    );
  });

  it("may name the document type of old RSS", async () => {
    const { articles } = await readText(
      "f.xml",
      '<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" ' +
        '"http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel><title>F</title>' +
        "<item><title>Old</title><description>Text</description></item></channel></rss>",
    );
    expect(articles).toMatchObject([{ title: "Old", body: "Text" }]);
  });

  it("yields its entries clean: scripts, endless titles, other directions, NUL, empty ones", async () => {
    const { articles, broken } = await readText(
      "f.xml",
      rss(
        `<item><title>${
          "long ".repeat(2_000)
        }</title><description>&lt;img src=x onerror=alert(1)&gt;&lt;script&gt;alert(1)&lt;/script&gt;Text&lt;svg onload=x&gt;</description></item>
         <item><title>مرحبا \u202eevil</title><description>نص عربي &#0; &#x202e; end</description></item>
         <item></item>
         <item><link>https://example.org/only-a-link</link></item>
         <item><title>Deep</title><description>${"&lt;div&gt;".repeat(20_000)}x</description></item>
         <item><description>No title here, only words.</description></item>`,
      ).replaceAll("example.org", "127.0.0.1:9"),
    );
    expect(articles[0].title.length).toBeLessThanOrEqual(500);
    expect(articles[0].body).toBe("Text");
    expect(articles[1].title).toBe("مرحبا evil");
    expect(JSON.stringify(articles)).not.toMatch(/\\u0000|\u202e|<script|onerror/);
    expect(articles.map(({ title }) => title).slice(2)).toEqual(["Deep", "No title here, only words."]);
    expect(broken).toHaveLength(2);
    expect(articles.length + broken.length).toBe(6);
  });
});

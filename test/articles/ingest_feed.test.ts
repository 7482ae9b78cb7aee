import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { secretsOfLocation, showLocation } from "../../lib/articles/feed_location.ts";
import { type FeedState, keepFeeds, listFeeds } from "../../lib/articles/feed_rows.ts";
import { ingestFeed } from "../../lib/articles/ingest_feed.ts";
import { useTestDatabase } from "../helpers/database.ts";
import { sentences, serve, type TestServer } from "./collect.ts";

const test = useTestDatabase();

/** A feed whose server knows its versions; a test changes it. */
let feed: { etag: string | null; titles: string[]; status: number; conditions: (string | null)[] };
let server: TestServer;
let location: string;
beforeEach(() => {
  feed = { etag: '"1"', titles: ["First", "Second"], status: 200, conditions: [] };
  server = serve((request) => {
    const condition = request.headers.get("if-none-match");
    feed.conditions.push(condition);
    if (feed.status !== 200) return new Response(null, { status: feed.status });
    const headers: Record<string, string> = feed.etag === null ? {} : { etag: feed.etag };
    if (condition !== null && condition === feed.etag) return new Response(null, { status: 304, headers });
    return new Response(writeFeed(feed.titles), {
      headers: { ...headers, "content-type": "application/rss+xml" },
    });
  });
  location = `${server.url}/feed.xml?key=hunter2hunter2`;
});
afterEach(() => server[Symbol.asyncDispose]());

function writeFeed(titles: readonly string[]): string {
  const items = titles.map((title) =>
    title === "" ? "<item></item>" : `<item><title>${title}</title><guid>${title}</guid>
      <link>https://posts.example/${title}</link><description>${sentences(12, title)}</description></item>`
  );
  return `<?xml version="1.0"?><rss version="2.0"><channel><title>Posts</title>${
    items.join("")
  }</channel></rss>`;
}

function read() {
  return ingestFeed(test.db, location, { allowPrivateAddresses: true });
}

async function state(): Promise<FeedState> {
  const [feed] = await listFeeds(test.db, [location]);
  return feed;
}

describe("a feed that is read again and again", () => {
  it("is sent again only when its server has another version", async () => {
    expect(await read()).toMatchObject({ new: 2, known: 0 });
    expect(await read()).toMatchObject({ new: 0, known: 0, unchanged: true });
    feed.titles.push("Third");
    feed.etag = '"2"';
    expect(await read()).toMatchObject({ new: 1, known: 2 });
    expect(await read()).toMatchObject({ unchanged: true });
    expect(feed.conditions).toEqual([null, '"1"', '"1"', '"2"']);
    expect(await state()).toMatchObject({ added: 3, failures: 0, last_error: null });
  });

  it("is known by its date where its server gives it one", async () => {
    const date = "Tue, 24 Nov 2026 01:00:00 GMT";
    const asked: (string | null)[] = [];
    await using dated = serve((request) => {
      asked.push(request.headers.get("if-modified-since"));
      return asked.at(-1) === date ? new Response(null, { status: 304 }) : new Response(writeFeed(["One"]), {
        headers: { "last-modified": date, "content-type": "application/rss+xml" },
      });
    });
    location = dated.url;
    expect(await read()).toMatchObject({ new: 1 });
    expect(await read()).toMatchObject({ new: 0, unchanged: true });
    expect(asked).toEqual([null, date]);
  });

  it("is read as a whole once a day, whatever its server says", async () => {
    await read();
    await test.db.query("UPDATE feeds SET read_at = now() - interval '25 hours'");
    expect(await read()).toMatchObject({ new: 0, known: 2 });
    expect(feed.conditions).toEqual([null, null]);
  });

  it("is read as a whole while an entry of it is broken", async () => {
    feed.titles.push("");
    expect((await read()).broken).toHaveLength(1);
    expect((await read()).broken).toHaveLength(1);
    expect(feed.conditions).toEqual([null, null]);
  });

  it("is read as a whole when its server names no version", async () => {
    feed.etag = null;
    await read();
    expect(await read()).toMatchObject({ known: 2 });
    expect(feed.conditions).toEqual([null, null]);
  });

  it("that answers 304 without having been asked is refused as any odd status is", async () => {
    feed.status = 304;
    await expect(read()).rejects.toThrow(/wanted status 200, got status 304/);
  });

  it("remembers how it went: failures in a row, the last success, and no secret", async () => {
    await read();
    const { last_ok_at } = await state();
    feed.status = 503;
    for (let failure = 1; failure <= 2; failure++) {
      await expect(read()).rejects.toThrow(/status 503/);
      expect(await state()).toMatchObject({ failures: failure, last_ok_at, added: 2 });
    }
    const failed = await state();
    expect(failed.location).toBe(`${server.url}/feed.xml?key=…`);
    expect(failed.last_error).toMatch(
      /^Cannot fetch http:[^ ]*\/feed\.xml\?key=…: wanted status 200, got status 503/,
    );
    expect(JSON.stringify(failed)).not.toContain("hunter2");
    feed.status = 200;
    // A failure forgets nothing: the version is still known.
    expect(await read()).toMatchObject({ unchanged: true });
    expect(await state()).toMatchObject({ failures: 0, last_error: null });
  });

  it("has not failed when the process ended while it was read", async () => {
    const stopped = new Error("the process ends");
    const options = { allowPrivateAddresses: true, signal: AbortSignal.abort(stopped) };
    await expect(ingestFeed(test.db, location, options)).rejects.toBe(stopped);
    expect(await state()).toMatchObject({ last_run_at: null, failures: 0 });
  });

  it("that lies in a file is read each time", async () => {
    location = await Deno.makeTempFile({ suffix: ".xml" });
    await Deno.writeTextFile(location, writeFeed(["One"]));
    expect(await read()).toMatchObject({ new: 1 });
    const again = await read();
    expect(again).toMatchObject({ known: 1 });
    expect(again.unchanged).toBeUndefined();
    await Deno.remove(location);
    await expect(read()).rejects.toThrow(/nothing there/);
    expect(await state()).toMatchObject({ location, failures: 1, added: 1 });
  });
});

describe("the list of feeds", () => {
  it("has those that were not read yet, in the order of the settings, and forgets the others", async () => {
    await read();
    await ingestFeed(test.db, `${server.url}/old.xml`, { allowPrivateAddresses: true });
    await keepFeeds(test.db, [location, "later.xml"]);
    expect((await listFeeds(test.db, ["later.xml", location, `${server.url}/old.xml`])).map((feed) => [
      feed.location,
      feed.last_run_at !== null,
    ])).toEqual([["later.xml", false], [showLocation(location), true], [`${server.url}/old.xml`, false]]);
  });
});

const SHOWN: [location: string, shown: string, secrets: string[]][] = [
  ["https://a.example/feed.xml", "https://a.example/feed.xml", []],
  ["feeds/local?key=x.xml", "feeds/local?key=x.xml", []],
  ["https://me:hunter2hunter2@a.example/feed", "https://a.example/feed", []],
  ["https://a.example/?format=rss&page=2", "https://a.example/?format=rss&page=2", []],
  ["https://a.example/?q=bitcoin&keyword=node", "https://a.example/?q=bitcoin&keyword=node", []],
  ["https://a.example/?token=12345678", "https://a.example/?token=…", ["12345678"]],
  ["https://a.example/?api_key=abc&x=1#top", "https://a.example/?api_key=…&x=1#top", []],
  ["https://a.example/?u=0123456789abcdef0", "https://a.example/?u=…", ["0123456789abcdef0"]],
  ["https://a.example/?access-token=bitcoins", "https://a.example/?access-token=…", []],
];

describe("the address of a feed", () => {
  it.each(SHOWN)("%s is shown as %s", (location, shown, secrets) => {
    expect(showLocation(location)).toBe(shown);
    expect(secretsOfLocation(location)).toEqual(secrets);
  });
});

import { type AddressInfo, connect, createServer, isIP, type LookupFunction } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { FEED, fetchPage, PAGE } from "../../lib/articles/fetch_page.ts";
import { IngestError } from "../../lib/articles/ingest_error.ts";
import { isPublicAddress } from "../../lib/articles/public_address.ts";
import { serve } from "./collect.ts";

/** What a name is answered with, asked once, twice and so on. */
const names = vi.hoisted(() => new Map<string, string[][]>());

// Names are answered from a table, so that a public looking name may lead to a private address.
vi.mock("../../lib/articles/dial.ts", () => ({
  dial: (host: string, port: number) => connect({ host, port, ...(names.size > 0 ? { lookup } : {}) }),
}));

/** Whether an answer comes as those of the system do, after the asker has gone on. */
let answersLater = true;

const lookup: LookupFunction = (host, options, callback) => {
  if (answersLater) setTimeout(answer, 0, host, options, callback);
  else answer(host, options, callback);
};

const answer: LookupFunction = (host, options, callback) => {
  const [answer = [], ...later] = names.get(host) ?? [];
  // Each asking has its answer; the last one stays.
  if (later.length > 0) names.set(host, later);
  const found = answer.map((address) => ({ address, family: isIP(address) }));
  if (found.length === 0) callback(new Error(`getaddrinfo ENOTFOUND ${host}`), "", 0);
  else if (options.all) callback(null, found);
  else callback(null, found[0].address, found[0].family);
};

// For the tests of hops, one address of this machine passes as public.
const pretended = vi.hoisted(() => new Set<string>());
vi.mock("../../lib/articles/public_address.ts", async (original) => {
  const real = await original<typeof import("../../lib/articles/public_address.ts")>();
  return { isPublicAddress: (address: string) => pretended.has(address) || real.isPublicAddress(address) };
});

const html = (body: BodyInit, headers: Record<string, string> = {}) =>
  new Response(body, { headers: { "content-type": "text/html; charset=utf-8", ...headers } });
const LOCAL = { allowPrivateAddresses: true };

beforeEach(() => {
  names.clear();
  pretended.clear();
  answersLater = true;
});

describe("fetching a page", () => {
  it("sends a plain User-Agent and returns the text with its final address", async () => {
    let agent: string | null = null;
    await using server = serve((request) => {
      agent = request.headers.get("user-agent");
      return new URL(request.url).pathname === "/a"
        ? new Response(null, { status: 302, headers: { location: "b?x=1" } })
        : html("<p>Grüße</p>");
    });
    const page = await fetchPage(`${server.url}/a`, PAGE, LOCAL);
    expect(page).toEqual({ text: "<p>Grüße</p>", address: `${server.url}/b?x=1` });
    expect(agent).toBe("Nightdesk");
  });

  it("reads gzip, deflate and brotli", async () => {
    const pack: Record<string, (text: string) => Uint8Array<ArrayBuffer>> = {
      gzip: (text) => new Uint8Array(gzipSync(text)),
      deflate: (text) => new Uint8Array(deflateSync(text)),
      br: (text) => new Uint8Array(brotliCompressSync(text)),
    };
    for (const [encoding, compress] of Object.entries(pack)) {
      await using server = serve(() => html(compress("<p>packed</p>"), { "content-encoding": encoding }));
      expect((await fetchPage(server.url, PAGE, LOCAL)).text, encoding).toBe("<p>packed</p>");
    }
  });

  it("stops at the size bound, also when a small gzip unpacks to more", async () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(PAGE.maxBytes + 1)));
    expect(bomb.length).toBeLessThan(10_000);
    await using packed = serve(() => html(bomb, { "content-encoding": "gzip" }));
    await expect(fetchPage(packed.url, PAGE, LOCAL)).rejects.toThrow(/at most 2097152 bytes, got more/);
    await using endless = serve(() =>
      html(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
        }),
      )
    );
    await expect(fetchPage(endless.url, PAGE, LOCAL)).rejects.toThrow(/at most 2097152 bytes/);
  });

  it("gives up on a server that is slow to answer or trickles", async () => {
    let release = () => {};
    const stuck = new Promise<void>((resolve) => release = resolve);
    await using silent = serve(() => stuck.then(() => html("late")));
    await expect(fetchPage(silent.url, PAGE, { ...LOCAL, timeoutMs: 200 })).rejects.toThrow(
      /wanted an answer within 200 ms/,
    );
    await using trickling = serve(() =>
      html(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("x")),
        }),
      )
    );
    await expect(fetchPage(trickling.url, PAGE, { ...LOCAL, timeoutMs: 200 })).rejects.toThrow(
      /within 200 ms/,
    );
    release();
  });

  it("ends with the caller's reason when the caller gives up", async () => {
    await using server = serve(() =>
      new Promise<Response>((resolve) => setTimeout(resolve, 1_000, html("")))
    );
    const reason = new Error("the night is over");
    await expect(fetchPage(server.url, PAGE, { ...LOCAL, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  });

  it("follows five redirects and not six", async () => {
    await using server = serve((request) => {
      const left = Number(new URL(request.url).pathname.slice(1));
      return left === 0
        ? html("done")
        : new Response(null, { status: 301, headers: { location: `/${left - 1}` } });
    });
    expect((await fetchPage(`${server.url}/5`, PAGE, LOCAL)).text).toBe("done");
    await expect(fetchPage(`${server.url}/6`, PAGE, LOCAL)).rejects.toThrow(/at most 5 redirects, got more/);
  });

  it("refuses other content, other statuses and a broken encoding, each with one line", async () => {
    await using server = serve((request) => {
      const path = new URL(request.url).pathname;
      if (path === "/image") return html("GIF", { "content-type": "image/gif" });
      if (path === "/gzip") return html("not gzip", { "content-encoding": "gzip" });
      return new Response("gone", { status: 410 });
    });
    const refused = async (path: string) => {
      const error = await fetchPage(server.url + path, PAGE, LOCAL).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(IngestError);
      expect(error.message).toMatch(/^Cannot fetch http:\/\/[^\n]+: wanted [^\n]+, got [^\n]+; [^\n]+\.$/);
      return error.message as string;
    };
    expect(await refused("/image")).toContain("wanted a web page (HTML), got image/gif");
    expect(await refused("/gzip")).toContain("wanted an answer");
    expect(await refused("/gone")).toContain("wanted status 200, got status 410");
    await expect(fetchPage(`${server.url}/image`, FEED, LOCAL)).rejects.toThrow(/wanted a feed/);
  });

  it("decodes by header, by meta element, by XML prolog and by byte order mark", async () => {
    const latin = Uint8Array.from("<p>Grüße</p>", (character) => character.charCodeAt(0));
    const answers: Record<string, Response> = {
      header: html(latin, { "content-type": "text/html; charset=ISO-8859-1" }),
      meta: html(
        new Uint8Array([...new TextEncoder().encode('<meta charset="iso-8859-1">'), ...latin]),
        { "content-type": "text/html" },
      ),
      prolog: html(
        new Uint8Array([...new TextEncoder().encode('<?xml version="1.0" encoding="latin1"?>'), ...latin]),
        { "content-type": "application/xml" },
      ),
      mark: html(new Uint8Array([0xff, 0xfe, ...new Uint8Array(new Uint16Array([71, 252]).buffer)]), {
        "content-type": "text/html",
      }),
    };
    await using server = serve((request) => answers[new URL(request.url).pathname.slice(1)]);
    for (const name of ["header", "meta", "prolog"]) {
      expect((await fetchPage(`${server.url}/${name}`, FEED, LOCAL)).text, name).toContain("Grüße");
    }
    expect((await fetchPage(`${server.url}/mark`, FEED, LOCAL)).text).toBe("Gü");
  });
});

describe("the network around the process", () => {
  it("is closed to fetching, however the address is written", async () => {
    await using server = serve(() => html("secret"));
    const port = new URL(server.url).port;
    for (
      const host of [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
      ]
    ) {
      await expect(fetchPage(`http://${host}:${port}/`, PAGE), host).rejects.toThrow(
        /wanted a public address, got a private one; set ALLOW_PRIVATE_FEEDS/,
      );
    }
    expect(server.asked).toEqual([]);
  });

  it("counts as public only what every address book of the internet does", () => {
    const refused = "10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 224.0.0.1 255.255.255.255 " +
      "198.18.0.1 192.0.2.1 :: fe80::1 fd00::1 ff02::1 ::ffff:8.8.8.8 64:ff9b::808:808 2002:7f00:1:: 2001::1 localhost";
    for (const address of refused.split(" ")) expect(isPublicAddress(address), address).toBe(false);
    for (const address of ["8.8.8.8", "2606:4700::1111"]) {
      expect(isPublicAddress(address), address).toBe(true);
    }
  });

  it("stays closed when a name leads there: nobody even connects", async () => {
    let connections = 0;
    const server = createServer(() => connections++);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    names.set("innocent.example", [["127.0.0.1"]]);
    const { port } = server.address() as AddressInfo;
    await expect(fetchPage(`http://innocent.example:${port}/`, PAGE)).rejects.toThrow(/got a private one/);
    await new Promise((resolve) => server.close(resolve));
    expect(connections).toBe(0);
  });

  it("gets no request over a connection that leads there, whatever the name was answered with", async () => {
    await using server = serve(() => html("secret"));
    // An answer that nobody hears of: only the connection itself shows where it leads.
    answersLater = false;
    names.set("innocent.example", [["127.0.0.1"]]);
    await expect(fetchPage(`http://innocent.example:${new URL(server.url).port}/`, PAGE)).rejects.toThrow(
      /got a private one/,
    );
    expect(server.asked).toEqual([]);
  });

  it("is not reached by a name that has a private address beside a public one", async () => {
    await using server = serve(() => html("secret"));
    pretended.add("127.0.0.2");
    const port = new URL(server.url).port;
    for (const answer of [["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"]]) {
      names.set("mixed.example", [answer]);
      await expect(fetchPage(`http://mixed.example:${port}/`, PAGE)).rejects.toThrow(/got a private one/);
    }
    expect(server.asked).toEqual([]);
  });

  it("stays closed when a name changes its answer between two hops", async () => {
    pretended.add("127.0.0.1");
    names.set("rebind.example", [["127.0.0.1"], ["127.0.0.2"]]);
    await using server = serve(() => {
      return new Response(null, { status: 302, headers: { location: "/again" } });
    });
    await expect(fetchPage(`http://rebind.example:${new URL(server.url).port}/`, PAGE)).rejects.toThrow(
      /got a private one/,
    );
    expect(server.asked).toEqual(["/"]);
  });

  it("stays closed to redirects, and so do other schemes and credentials", async () => {
    await using inner = serve(() => html("secret"), "127.0.0.2");
    let target = "";
    await using server = serve(() => new Response(null, { status: 302, headers: { location: target } }));
    pretended.add("127.0.0.1");
    for (
      const [to, message] of [
        [inner.url, /got a private one/],
        ["file:///etc/hostname", /wanted an http or https address, got file:/],
        ["http://user:secret@127.0.0.1/", /wanted an address without credentials/],
      ] as const
    ) {
      target = to;
      await expect(fetchPage(server.url, PAGE)).rejects.toThrow(message);
    }
    expect(inner.asked).toEqual([]);
    const error = await fetchPage("http://user:secret@127.0.0.1/", PAGE).catch((thrown) => thrown);
    expect(error.message).not.toContain("secret");
  });
});

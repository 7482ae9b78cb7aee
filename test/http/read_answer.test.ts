/** What a connection may bring, in whatever pieces it arrives. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Arrived, readHead, readPieces } from "../../lib/http/read_answer.ts";

const encoder = new TextEncoder();

/** Reads an answer that arrives cut at these places. */
async function read(answer: string | Uint8Array<ArrayBuffer>, cuts: number[] = []) {
  const bytes = typeof answer === "string" ? encoder.encode(answer) : answer;
  const ends = [...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
  const pieces = ends.map((end, n) => bytes.slice(n === 0 ? 0 : ends[n - 1], end));
  const arrived = new Arrived(() => Promise.resolve(pieces.shift() ?? null));
  const head = await readHead(arrived);
  const body: Uint8Array[] = [];
  for await (const piece of readPieces(head, arrived)) body.push(piece.slice());
  const text = new TextDecoder().decode(await new Blob(body as Uint8Array<ArrayBuffer>[]).bytes());
  return { status: head.status, headers: Object.fromEntries(head.headers), body: text };
}

const BODY = "“Zoë” pays €5";
const LENGTH = encoder.encode(BODY).length;
const COUNTED = `HTTP/1.1 200 OK\r\ncontent-length: ${LENGTH}\r\n\r\n${BODY}`;
const TO_THE_END = `HTTP/1.0 200 OK\r\nx: 1\r\n\r\n${BODY}`;
const CHUNKED = `HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n${
  LENGTH.toString(16)
};a=b\r\n${BODY}\r\n0\r\nlate: 1\r\n\r\n`;
const ANNOUNCED = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: a\r\n\r\n${COUNTED}`;

describe("an answer", () => {
  it.each([COUNTED, TO_THE_END, CHUNKED, ANNOUNCED])("is the same in any pieces: %j", async (answer) => {
    await fc.assert(fc.asyncProperty(fc.array(fc.nat(), { maxLength: 12 }), async (cuts) => {
      expect(await read(answer, cuts)).toMatchObject({ status: 200, body: BODY });
    }));
  });

  it("ends where it says, whatever follows", async () => {
    expect((await read(`${COUNTED}HTTP/1.1 500 \r\n\r\n`)).body).toBe(BODY);
    expect((await read(`${CHUNKED}more`)).body).toBe(BODY);
    expect(await read("HTTP/1.1 204 \r\n\r\nmore")).toMatchObject({ status: 204, body: "" });
  });

  it("keeps its headers, and joins those that come twice", async () => {
    const { headers } = await read("HTTP/1.1 429 Slow\r\nRetry-After:  7 \r\nA: 1\r\na: 2\r\n\r\n");
    expect(headers).toEqual({ "retry-after": "7", a: "1, 2" });
  });

  it.each(["gzip", "deflate"] as const)("packed as %s is unpacked", async (packed) => {
    const body = await new Response(new Blob([BODY]).stream().pipeThrough(new CompressionStream(packed)))
      .bytes();
    const head = encoder.encode(`HTTP/1.1 200 OK\r\ncontent-encoding: ${packed}\r\n\r\n`);
    expect((await read(await new Blob([head, body]).bytes(), [head.length + 3])).body).toBe(BODY);
  });
});

describe("what is no whole answer is an error:", () => {
  it.each([
    ["nothing", ""],
    ["another protocol", "SSH-2.0-x\r\n\r\n"],
    ["HTTP/2", "HTTP/2 200\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
    ["another protocol from here on", "HTTP/1.1 101 Switching\r\n\r\n"],
    ["only an announcement", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["a head without end", "HTTP/1.1 200 OK\r\na: 1\r\n"],
    ["a head that goes on and on", `HTTP/1.1 200 OK\r\n${"a: 1\r\n".repeat(20_000)}\r\n`],
    ["a line that goes on and on", `HTTP/1.1 200 ${"x".repeat(70_000)}\r\n\r\n`],
    ["a header without a name", "HTTP/1.1 200 OK\r\n: 1\r\n\r\n"],
    ["a folded header", "HTTP/1.1 200 OK\r\na: 1\r\n b: 2\r\n\r\n"],
    ["a body that is too short", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc"],
    ["a length that is none", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
    [
      "a length and chunks",
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["a coding of the transfer that we do not know", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n"],
    ["a packing that we do not know", "HTTP/1.1 200 OK\r\ncontent-encoding: zstd\r\n\r\n"],
    ["something packed that is not", "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\nabc"],
    ["a chunk without a size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n"],
    [
      "a chunk longer than its size",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    ],
    ["chunks without the last one", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n"],
  ])("%s", async (_what, answer) => {
    await expect(read(answer)).rejects.toThrow();
  });
});

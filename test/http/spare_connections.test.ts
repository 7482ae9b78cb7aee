/** Invariant 3 with connections that are opened ahead: each carries one request at most, and a dead one none. */
import { Buffer } from "node:buffer";
import net from "node:net";
import { afterEach, expect, it, vi } from "vitest";
import { sendOnce } from "../../lib/http/send_once.ts";
import { openSpare } from "../../lib/http/spare_connections.ts";

interface Server {
  url: URL;
  connections: net.Socket[];
  /** How many requests came on each connection. */
  requests: number[];
  close(): void;
}

let server: Server;
afterEach(() => server.close());

/** Answers every request and leaves the connection open, whatever the client wants. */
async function startServer(answers = true): Promise<Server> {
  const connections: net.Socket[] = [];
  const requests: number[] = [];
  const listener = net.createServer((socket) => {
    const place = connections.push(socket) - 1;
    requests[place] = 0;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      if (!chunk.includes("\r\n\r\n")) return;
      requests[place]++;
      if (answers) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as net.AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}/ask`),
    connections,
    requests,
    close() {
      for (const socket of connections) socket.destroy();
      listener.close();
    },
  };
}

function ask(timeoutMs = 5_000) {
  return sendOnce({
    url: server.url.href,
    headers: {},
    body: "{}",
    timeoutMs,
    signal: new AbortController().signal,
    direct: true,
  });
}

async function openSpares(count: number): Promise<void> {
  for (let n = 0; n < count; n++) openSpare(server.url);
  await vi.waitFor(() => expect(server.connections.length).toBe(count));
  // The server has them; the client hears of it a turn later.
  await new Promise((resolve) => setTimeout(resolve, 50));
}

it("each request takes a connection that is open already, and no two the same", async () => {
  server = await startServer();
  await openSpares(3);
  expect(server.requests).toEqual([0, 0, 0]);
  for (let n = 0; n < 4; n++) expect(await ask()).toMatchObject({ kind: "answered", body: "ok" });
  expect(server.requests).toEqual([1, 1, 1, 1]);
});

it("a connection that the server has closed, or on which it spoke unasked, gets no request", async () => {
  server = await startServer();
  await openSpares(3);
  server.connections[0]!.end();
  server.connections[1]!.write("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await ask()).toMatchObject({ kind: "answered", status: 200 });
  expect(server.requests).toEqual([0, 0, 1]);
});

it("a request on a connection that breaks under it is not sent again on the next", async () => {
  server = await startServer(false);
  await openSpares(2);
  const asked = ask();
  await vi.waitFor(() => expect(server.requests[0]).toBe(1));
  server.connections[0]!.resetAndDestroy();
  expect(await asked).toMatchObject({ kind: "connection_lost" });
  expect(server.requests).toEqual([1, 0]);
});

it("what nobody needs is closed before the server would", async () => {
  server = await startServer();
  await openSpares(1);
  const socket = server.connections[0]!;
  await new Promise((resolve) => socket.on("close", resolve));
  expect(server.requests).toEqual([0]);
});

it("no more than sixty-four wait for one server", async () => {
  server = await startServer();
  for (let n = 0; n < 100; n++) openSpare(server.url);
  await vi.waitFor(() => expect(server.connections.length).toBe(64));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(server.connections.length).toBe(64);
});

it("time that ran out before there was a connection has sent nothing", async () => {
  server = await startServer();
  // An address that leads nowhere (RFC 5737).
  const delivery = await sendOnce({
    url: "http://192.0.2.1:9/ask",
    headers: {},
    body: "{}",
    timeoutMs: 100,
    signal: new AbortController().signal,
    direct: true,
  });
  expect(delivery).toMatchObject({ kind: "not_sent" });
});

it("a header that would be two is not sent", async () => {
  server = await startServer();
  const delivery = await sendOnce({
    url: server.url.href,
    headers: { a: "1\r\nb: 2" },
    body: "{}",
    timeoutMs: 1_000,
    signal: new AbortController().signal,
    direct: true,
  });
  expect(delivery).toMatchObject({ kind: "not_sent" });
  expect(server.connections).toEqual([]);
});

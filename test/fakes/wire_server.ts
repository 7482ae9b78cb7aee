/**
 * A small HTTP/1.1 server that controls the wire: it can reset a connection after the whole request has arrived,
 * cut an answer in the middle or never answer. Library servers hide just those cases. Every request that arrives is
 * counted, so that a test can say how often a call was really sent.
 */
import { Buffer } from "node:buffer";
import net from "node:net";
import { createReceiver, type ReceivedRequest } from "./receive_request.ts";

export interface WireRequest extends ReceivedRequest {
  /** Aborted when the client goes away: nobody waits for the answer any more. */
  gone: AbortSignal;
  /** Which request of its connection it is, from 1: over 1 means that the client reused the connection. */
  turn: number;
}

/** What the server does with a request. `delayMs` passes before anything is sent or torn down. */
export type WireReply =
  & { delayMs?: number }
  & (
    | { kind: "answer"; status: number; body: string; headers?: Record<string, string> }
    /** Announces the whole body, sends its first half and closes. */
    | { kind: "cut"; status: number; body: string }
    /** Announces the whole body, sends its first half and leaves it at that until the server closes. */
    | { kind: "stall"; status: number; body: string }
    /** TCP reset. */
    | { kind: "reset" }
    /** Plain close. */
    | { kind: "close" }
    /** Any bytes, then close. */
    | { kind: "raw"; bytes: string }
    /** No answer until the server closes. */
    | { kind: "silent" }
  );

export type WireHandler = (request: WireRequest) => WireReply | Promise<WireReply>;

export interface WireServer {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string;
  /** Requests that arrived so far. */
  readonly count: number;
  /** They themselves, unless recording is off. */
  readonly requests: readonly WireRequest[];
  /** How often a request with this text in its body arrived: the sends of one call. */
  countOf(text: string): number;
  close(): Promise<void>;
}

export interface WireOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  /** Keep requests for inspection (default true). Off for benches. */
  record?: boolean;
  /** `Connection: close` is ignored and the connection kept, as some gateways do (default false). */
  ignoreClose?: boolean;
  /** Answers a request as soon as its head is there, before its body was read. Null waits for the body. */
  beforeBody?: (head: { path: string }) => WireReply | null;
}

/** Starts a server on 127.0.0.1 that treats each request as `handle` says. */
export async function startWireServer(handle: WireHandler, options: WireOptions = {}): Promise<WireServer> {
  const sockets = new Set<net.Socket>();
  const requests: WireRequest[] = [];
  let count = 0;

  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A client that goes away is an ordinary end for a server.
    socket.on("error", () => socket.destroy());
    const receive = createReceiver<WireReply>((head) => options.beforeBody?.(head) ?? null);
    let turn = 0;
    const gone = new AbortController();
    socket.on("close", () => gone.abort());
    socket.on("data", (chunk: Buffer) => {
      const received = receive(chunk);
      if (!received) return;
      count++;
      if ("early" in received) return perform(socket, received.early, true);
      const request: WireRequest = { ...received.request, turn: ++turn, gone: gone.signal };
      if (options.record !== false) requests.push(request);
      const mustClose = !options.ignoreClose && request.headers.get("connection") === "close";
      Promise.resolve(handle(request)).then((reply) => {
        if (!reply.delayMs) return perform(socket, reply, mustClose);
        setTimeout(() => perform(socket, reply, mustClose), reply.delayMs);
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as net.AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get count() {
      return count;
    },
    countOf: (text) => requests.filter((request) => request.body.includes(text)).length,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function perform(socket: net.Socket, reply: WireReply, mustClose: boolean): void {
  if (socket.destroyed) return;
  switch (reply.kind) {
    case "answer": {
      const extra = Object.entries(reply.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`).join(
        "",
      );
      const closing = mustClose ? "connection: close\r\n" : "";
      const head = answerHead(reply.status, Buffer.byteLength(reply.body));
      socket.write(`${head}${closing}${extra}\r\n${reply.body}`);
      if (mustClose) socket.end();
      return;
    }
    case "cut":
    case "stall": {
      const half = reply.body.slice(0, reply.body.length / 2);
      socket.write(`${answerHead(reply.status, Buffer.byteLength(reply.body))}\r\n${half}`);
      if (reply.kind === "cut") socket.end();
      return;
    }
    case "reset":
      socket.resetAndDestroy();
      return;
    case "close":
      socket.end();
      return;
    case "raw":
      socket.end(reply.bytes);
      return;
    case "silent":
      return;
  }
}

function answerHead(status: number, bytes: number): string {
  return `HTTP/1.1 ${status} \r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n`;
}

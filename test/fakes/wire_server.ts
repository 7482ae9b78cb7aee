/**
 * A small HTTP/1.1 server that controls the wire: it can reset a connection after the whole request has arrived,
 * cut an answer in the middle or never answer. Library servers hide just those cases. Every request that reaches
 * it is counted, so that a test can say how often a call was really sent.
 */
import { parseHead, type RequestHead } from "./wire_request.ts";

export interface WireRequest extends RequestHead {
  /** The body as text; what could be read of it when the reply came early. */
  body: string;
  /** The how-many-eth request of its connection, from 1: over 1 means the client reused the connection. */
  turn: number;
}

/** What the server does with a request. `delayMs` passes before anything is sent or torn down. */
export type WireReply =
  & { delayMs?: number }
  & (
    | { kind: "answer"; status: number; body: string; headers?: Record<string, string> }
    /** Announces the whole body, sends its first half and closes. */
    | { kind: "cut"; status: number; body: string }
    /** TCP reset after the request has arrived. */
    | { kind: "reset" }
    /** Plain close after the request has arrived. */
    | { kind: "close" }
    /** Bytes that are not HTTP. */
    | { kind: "raw"; bytes: string }
    /** No answer; the connection closes when `delayMs` (default 10,000) is over or the server stops. */
    | { kind: "silent" }
  );

export type WireHandler = (request: WireRequest) => WireReply | Promise<WireReply>;

export interface WireServer {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Requests that reached the server so far. */
  readonly count: number;
  /** They themselves, unless recording is off. */
  readonly requests: readonly WireRequest[];
  close(): Promise<void>;
}

export interface WireOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  /** Keep requests for inspection (default true). Off for benches. */
  record?: boolean;
}

const SILENCE_MS = 10_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Starts a server on 127.0.0.1 that treats each request as `handle` says. */
export function startWireServer(handle: WireHandler, options: WireOptions = {}): WireServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: options.port ?? 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const stopped = Promise.withResolvers<void>();
  const connections = new Set<Promise<void>>();
  const requests: WireRequest[] = [];
  let count = 0;

  const receive: WireHandler = (request) => {
    count++;
    if (options.record !== false) requests.push(request);
    return handle(request);
  };
  const accepting = (async () => {
    for await (const conn of listener) {
      conn.setNoDelay();
      const served = serveConnection(conn, receive, stopped.promise).finally(() =>
        connections.delete(served)
      );
      connections.add(served);
    }
  })();

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    get count() {
      return count;
    },
    async close() {
      stopped.resolve();
      listener.close();
      await accepting;
      await Promise.all(connections);
    },
  };
}

async function serveConnection(conn: Deno.TcpConn, handle: WireHandler, stopped: Promise<void>) {
  const closeConn = () => {
    try {
      conn.close();
    } catch {
      // Already closed by the other end of this function or by the client.
    }
  };
  void stopped.then(closeConn);
  try {
    let early: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
    for (let turn = 1;; turn++) {
      const received = await readRequest(conn, early);
      if (!received) return;
      early = received.rest;
      const reply = await handle({ ...received.head, body: decoder.decode(received.body), turn });
      if (!await sendReply(conn, reply, received, stopped) || received.head.closes) return;
    }
  } catch {
    // The client went away: for a server that is an ordinary end.
  } finally {
    closeConn();
  }
}

interface Received {
  head: RequestHead;
  body: Uint8Array;
  /** Bytes of the next request that came along. */
  rest: Uint8Array;
}

/**
 * Reads one request but leaves its last body byte in the kernel: closing a socket with unread data makes Linux send a
 * reset, which is how `reset` resets although the whole request has arrived. `sendReply` drains that byte otherwise.
 */
async function readRequest(conn: Deno.TcpConn, early: Uint8Array): Promise<Received | null> {
  let data: Uint8Array<ArrayBufferLike> = early;
  const buffer = new Uint8Array(65_536);
  let head = parseHead(data);
  // The head comes first and alone, byte-limited, so that the body's last byte cannot be read by accident.
  while (!head) {
    const read = await conn.read(buffer);
    if (read === null) return null;
    data = concat(data, buffer.subarray(0, read));
    head = parseHead(data);
  }
  const end = head.headBytes + head.contentLength;
  while (data.length < end) {
    const read = await conn.read(
      buffer.subarray(0, Math.min(buffer.length, Math.max(1, end - 1 - data.length))),
    );
    if (read === null) return null;
    data = concat(data, buffer.subarray(0, read));
  }
  return { head, body: data.subarray(head.headBytes, end), rest: data.slice(end) };
}

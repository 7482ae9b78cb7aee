/**
 * The one way a paid request leaves this process: at most one request on the wire a call.
 *
 * Deno's `fetch` sends a POST again by itself when a *reused* connection breaks before the answer's first byte (2.9.6,
 * measured; denoland/deno #35610). A `connection: close` header does not prevent it: it is the server that must obey,
 * and one that leaves the connection open got the second request (measured); over HTTP/2 the header does not even
 * exist. So every call has an HTTP/1.1 connection of its own. Redirects are not followed: they would carry the key
 * elsewhere and send the body twice.
 *
 *     direct       we write the request to a connection, once, and read the answer; the connection may have been opened
 *                  ahead (spare_connections.ts)
 *     otherwise    `fetch` does, with a client that never reuses one: it knows proxies
 *
 * Time of the process a call, 16 at once, 17 KB prompts, zero-latency server in its own process, 2 busy cores (Nov 2026,
 * microseconds): direct 80 to 120, `fetch` 190 to 225, node:http 150 to 210 (and over TLS it reads the root certificates
 * anew for every connection: 12 ms), undici, a client a call, 350 to 390.
 */
import { messageOf } from "../errors.ts";
import type { Connection } from "./connection.ts";
import { type AnswerHead, Arrived, readHead, readPieces } from "./read_answer.ts";
import { takeConnection } from "./spare_connections.ts";

/** What became of a request. `broken`: the status is known, but the body did not arrive whole. */
export type Delivery =
  | { kind: "answered"; status: number; headers: Headers; body: string; broken: null }
  | { kind: "answered"; status: number; headers: Headers; body: ""; broken: BrokenBody }
  | { kind: "not_sent"; detail: string }
  | { kind: "timed_out" | "cancelled" | "connection_lost"; detail: string };

export type BrokenBody = "timed_out" | "cancelled" | "connection_lost" | "answer_too_large";

export interface SingleRequest {
  url: string;
  headers: Record<string, string>;
  /** JSON text. */
  body: string;
  /** From before connecting until the body's last byte (ms). */
  timeoutMs: number;
  /** Past every proxy; otherwise as the environment says. */
  direct?: boolean;
  /** A reason named TimeoutError says that the caller's time was up, any other that the caller gave up. */
  signal: AbortSignal;
}

/** An answer is a few KB; 4 MiB is room for any honest one and a limit for the others. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * A timeout that comes this much too late (ms) comes in a process that was stopped meanwhile (suspended, frozen). It
 * says nothing about the provider, who may have answered in time; five of them would pause the session for an outage.
 */
const SLEPT_MS = 5_000;

let unpooled: Deno.HttpClient | undefined;

/** Posts once. Never throws; what happened is in the returned value. */
export async function sendOnce(request: SingleRequest): Promise<Delivery> {
  if (request.signal.aborted) return { kind: "not_sent", detail: "cancelled before sending" };
  const stop = new AbortController();
  let stoppedBy: "timed_out" | "cancelled" | null = null;
  const started = Date.now();
  const giveUp = () => Date.now() - started > request.timeoutMs + SLEPT_MS ? "cancelled" : "timed_out";
  const cancel = () => {
    stoppedBy ??= isTimeout(request.signal) ? giveUp() : "cancelled";
    stop.abort();
  };
  const timer = setTimeout(() => {
    stoppedBy ??= giveUp();
    stop.abort();
  }, request.timeoutMs);
  request.signal.addEventListener("abort", cancel, { once: true });
  try {
    return await (request.direct ? postDirectly : postByFetch)(request, stop.signal, () => stoppedBy);
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener("abort", cancel);
  }
}

type StoppedBy = () => "timed_out" | "cancelled" | null;

async function postByFetch(
  request: SingleRequest,
  stop: AbortSignal,
  stoppedBy: StoppedBy,
): Promise<Delivery> {
  unpooled ??= Deno.createHttpClient({ poolMaxIdlePerHost: 0, http2: false });
  try {
    const response = await fetch(request.url, {
      method: "POST",
      headers: { "content-type": "application/json", ...request.headers },
      body: request.body,
      redirect: "manual",
      signal: stop,
      client: unpooled,
    });
    return await takeBody(response, stoppedBy, () => readBody(response));
  } catch (thrown) {
    const stopped = stoppedBy();
    return stopped ? { kind: stopped, detail: "" } : explainFetchError(thrown);
  }
}

async function postDirectly(
  request: SingleRequest,
  stop: AbortSignal,
  stoppedBy: StoppedBy,
): Promise<Delivery> {
  let connection: Connection;
  let bytes: Uint8Array;
  try {
    const url = new URL(request.url);
    bytes = encodeRequest(url, request);
    connection = await takeConnection(url, stop);
  } catch (thrown) {
    const stopped = stoppedBy();
    const detail = stopped === null ? messageOf(thrown) : `${stopped.replace("_", " ")} while connecting`;
    return { kind: "not_sent", detail };
  }
  const close = () => connection.close();
  stop.addEventListener("abort", close, { once: true });
  // A server may answer, refuse and close before it has read everything: what it said counts, not that it did not listen.
  const writing = connection.write(bytes).catch(() => {});
  try {
    const arrived = new Arrived(() => connection.read());
    const head = await readHead(arrived);
    return await takeBody(head, stoppedBy, () => readText(readPieces(head, arrived)));
  } catch (thrown) {
    const stopped = stoppedBy();
    return stopped ? { kind: stopped, detail: "" } : { kind: "connection_lost", detail: messageOf(thrown) };
  } finally {
    stop.removeEventListener("abort", close);
    close();
    await writing;
  }
}

const encoder = new TextEncoder();
/** Line ends, which would begin another header or another request, and what no header may hold. */
const UNFIT = /[^\t\x20-\x7e\x80-\xff]/;

/** The bytes of the request. Throws for a header that cannot be sent. */
function encodeRequest(url: URL, { headers, body }: SingleRequest): Uint8Array {
  const content = encoder.encode(body);
  const all = {
    host: url.host,
    "content-type": "application/json",
    ...headers,
    "accept-encoding": "identity",
    "content-length": String(content.length),
    connection: "close",
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  if (lines.some((line) => UNFIT.test(line))) throw new TypeError("a header cannot be sent");
  const head = encoder.encode(`POST ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  const whole = new Uint8Array(head.length + content.length);
  whole.set(head);
  whole.set(content, head.length);
  return whole;
}

/** The status is known; `read` gives the body, or null when it is too large. */
async function takeBody(
  { status, headers }: AnswerHead,
  stoppedBy: StoppedBy,
  read: () => Promise<string | null>,
): Promise<Delivery> {
  try {
    const body = await read();
    return body === null
      ? { kind: "answered", status, headers, body: "", broken: "answer_too_large" }
      : { kind: "answered", status, headers, body, broken: null };
  } catch {
    return { kind: "answered", status, headers, body: "", broken: stoppedBy() ?? "connection_lost" };
  }
}

function isTimeout({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}

/**
 * The whole body as text, or null when it is over the limit. Throws when it breaks off. One that says how long it is, and
 * is not packed, is read in one go: the HTTP client holds it to that length. Reading by pieces, which the others need,
 * made a call take half as long again (of the main thread 216 to 243 microseconds against 134 to 187).
 */
async function readBody(response: Response): Promise<string | null> {
  const { headers } = response;
  const announced = headers.has("content-encoding") ? null : headers.get("content-length");
  if (announced !== null && Number(announced) <= MAX_ANSWER_BYTES) return await response.text();
  return response.body === null ? "" : await readText(response.body);
}

async function readText(pieces: AsyncIterable<Uint8Array>): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  // Leaving the loop early cancels the stream, which closes the connection.
  for await (const piece of pieces) {
    bytes += piece.byteLength;
    if (bytes > MAX_ANSWER_BYTES) return null;
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

/**
 * "client error (Connect)" is what Deno's HTTP client says when name lookup, the TCP connection or the TLS handshake
 * failed (2.9.6, in the error's cause): the request had no connection to be sent on. Everything else may have left.
 */
function explainFetchError(thrown: unknown): Delivery {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const text = error.cause instanceof Error ? error.cause.message : error.message;
  const reason = /client error \(\w+\): (.*)$/s.exec(text)?.[1] ?? text;
  // Without the address part of the message: a URL has no place in an error text.
  return { kind: text.includes("client error (Connect)") ? "not_sent" : "connection_lost", detail: reason };
}

/**
 * Checks a provider's base URL and returns it without a slash at its end. Throws `TypeError` for anything that is not
 * a plain http(s) address: credentials and queries in it would end up in errors and logs.
 */
export function checkBaseUrl(name: string, text: string): string {
  const url = URL.parse(text);
  const plain = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search &&
    !url.hash;
  if (!plain) throw new TypeError(`${name} must be a plain http(s) address without credentials or a query`);
  return url.href.replace(/\/+$/, "");
}

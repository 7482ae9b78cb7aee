/**
 * The one way a paid request leaves this process: at most one request on the wire a call.
 *
 * Deno's `fetch` sends a POST again by itself when a *reused* connection breaks before the answer's first byte (2.9.6,
 * measured; denoland/deno #35610). A `connection: close` header does not prevent it: it is the server that must obey,
 * and one that leaves the connection open got the second request (measured); over HTTP/2 the header does not even
 * exist. So every call has a fresh HTTP/1.1 connection that nobody reuses. Redirects are not followed: they would
 * carry the key elsewhere and send the body twice.
 *
 * Calls/s, 16 at once, 12,000-character prompts, zero-latency server in its own process, 2 cores (Nov 2026):
 * Gemini SDK or fetch on pooled connections 8,500 to 11,800, but they resend; SDK or fetch with `connection: close`
 * 3,900 to 4,800; node:http without keep-alive 4,900 to 5,800; the way below, with its timer and bounded reading,
 * 3,500 to 4,100. All are far over what a provider's rate limit lets through, so the safest won.
 */

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
  signal: AbortSignal;
}

/** An answer is a few KB; 4 MiB is room for any honest one and a limit for the others. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

let unpooled: Deno.HttpClient | undefined;

/** Posts once. Never throws; what happened is in the returned value. */
export async function sendOnce(request: SingleRequest): Promise<Delivery> {
  if (request.signal.aborted) return { kind: "not_sent", detail: "cancelled before sending" };
  unpooled ??= Deno.createHttpClient({ poolMaxIdlePerHost: 0, http2: false });
  const stop = new AbortController();
  let stoppedBy: "timed_out" | "cancelled" | null = null;
  const cancel = () => {
    stoppedBy ??= "cancelled";
    stop.abort();
  };
  const timer = setTimeout(() => {
    stoppedBy ??= "timed_out";
    stop.abort();
  }, request.timeoutMs);
  request.signal.addEventListener("abort", cancel, { once: true });
  try {
    const response = await fetch(request.url, {
      method: "POST",
      headers: { "content-type": "application/json", ...request.headers },
      body: request.body,
      redirect: "manual",
      signal: stop.signal,
      client: unpooled,
    });
    const { status, headers } = response;
    try {
      const body = await readBody(response);
      return body === null
        ? { kind: "answered", status, headers, body: "", broken: "answer_too_large" }
        : { kind: "answered", status, headers, body, broken: null };
    } catch {
      return { kind: "answered", status, headers, body: "", broken: stoppedBy ?? "connection_lost" };
    }
  } catch (thrown) {
    if (stoppedBy) return { kind: stoppedBy, detail: "" };
    return explainFetchError(thrown);
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener("abort", cancel);
  }
}

/** The whole body as text, or null when it is over the limit. Throws when it breaks off. */
async function readBody(response: Response): Promise<string | null> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  // Leaving the loop early cancels the stream, which closes the connection.
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) return null;
    text += decoder.decode(chunk, { stream: true });
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

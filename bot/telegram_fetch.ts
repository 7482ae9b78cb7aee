/**
 * How requests to the Bot API leave: one call is at most one request on the wire. `sendMessage` is not idempotent, and
 * grammY's own client sends it twice when a reused connection breaks (measured). So every call has a fresh connection;
 * about 60 ms more to Telegram is a fair price for never doubling a message.
 *
 * The token stands in every URL. The runtime writes the URL of each `fetch` and `node:http` request into its traces and
 * lets nobody take it out (Deno 2.9.6, measured), so undici sends, which it does not watch. What fails is told without it.
 */
import { Buffer } from "node:buffer";
import { type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import { messageOf } from "../lib/errors.ts";

/** The request certainly did not arrive: not a byte of it was sent, so sending it again cannot double anything. */
export class NotSentError extends Error {
  override readonly name = "NotSentError";
}

/** What grammY's Node build hands to `fetch`: an abort signal of its own make and perhaps a Node stream. */
interface GrammyRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: string | AsyncIterable<Uint8Array>;
  signal?: Pick<AbortSignal, "aborted" | "addEventListener" | "removeEventListener">;
}

/** Connecting takes no longer than this, ms; the whole call has grammY's limit. */
const CONNECT_MS = 10_000;
/** 100 updates are far less. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

let agent: EnvHttpProxyAgent | undefined;

/** For grammY's `client.fetch`. Heeds HTTPS_PROXY and NO_PROXY like the rest of the process. */
export const telegramFetch = (async (url: string | URL, init: GrammyRequest = {}): Promise<Response> => {
  agent ??= new EnvHttpProxyAgent({
    connect: { timeout: CONNECT_MS },
    // No connection is used twice.
    pipelining: 0,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
  const { signal, body, method = "POST", headers = {} } = init;
  const stop = new AbortController();
  // undici lets nobody abort while it connects; it sends nothing afterwards, and we need not wait for that.
  const aborted = Promise.withResolvers<never>();
  const abort = () => {
    stop.abort();
    aborted.reject(new DOMException("the call was aborted", "AbortError"));
  };
  aborted.promise.catch(() => {});
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  let begun = false;
  try {
    const answered = request(url, {
      method: method as "POST",
      headers: withoutConnection(headers),
      body: typeof body === "object" ? await collect(body) : body,
      dispatcher: agent.compose(tellBegin(() => begun = true)),
      signal: stop.signal,
    });
    const response = await Promise.race([answered, aborted.promise]);
    return new Response(await response.body.text(), { status: response.statusCode });
  } catch (thrown) {
    throw explain(thrown, begun);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}) as unknown as typeof fetch;

/** grammY asks to keep the connection. */
function withoutConnection(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== "connection"));
}

/** A body of known length: a stream would be sent in chunks. */
async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Calls `begin` right before the first byte of the request is written. Until then name lookup, TCP, a proxy's tunnel and
 * TLS may fail with any code there is (a reset in the handshake looks like one after the request); what is certain is
 * that nothing was sent.
 */
function tellBegin(begin: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart(controller, context) {
        begin();
        handler.onRequestStart?.(controller, context);
      },
      onRequestUpgrade: handler.onRequestUpgrade?.bind(handler),
      onResponseStart: handler.onResponseStart?.bind(handler),
      onResponseData: handler.onResponseData?.bind(handler),
      onResponseEnd: handler.onResponseEnd?.bind(handler),
      onResponseError: handler.onResponseError?.bind(handler),
    });
}

function explain(thrown: unknown, begun: boolean): Error {
  const reason = withoutToken(messageOf(thrown));
  return begun ? new Error(reason) : new NotSentError(reason);
}

/** Cuts out what stands between `/bot` and the next slash, and anything that looks like a token. */
export function withoutToken(text: string): string {
  return text.replaceAll(/\/bot[^/\s]+/g, "/bot[token]").replaceAll(/\b\d{5,}:[\w-]{20,}/g, "[token]");
}

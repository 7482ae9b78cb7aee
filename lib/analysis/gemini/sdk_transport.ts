/**
 * Lets the Gemini SDK build and address its requests, but not send them. It has no option for a `fetch` of one's own
 * and calls the global one, which sends a POST again when a reused connection breaks (Deno 2.9.6, see send_once.ts).
 * The global is wrapped once; the wrapper acts only inside `withTransport` and passes everything else on untouched.
 *
 * Measured alternative: the SDK with `customHeaders: { connection: "close" }` sent two requests to a server that
 * leaves the connection open, which it may.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** Sends once and returns the answer for the SDK to read; throws when there is none to read. */
export type SendForSdk = (url: string, headers: Record<string, string>, body: string) => Promise<Response>;

const current = new AsyncLocalStorage<SendForSdk | null>();
const plainFetch = globalThis.fetch;

globalThis.fetch = (input, init) => {
  const send = current.getStore();
  if (!send) return plainFetch(input, init);
  const headers = Object.fromEntries(new Headers(init?.headers));
  // Outside of the scope again: what sends the request uses the plain fetch.
  return current.run(null, () => send(String(input), headers, String(init?.body)));
};

/** Runs `call`; every global fetch made inside goes through `send`. */
export function withTransport<T>(send: SendForSdk, call: () => Promise<T>): Promise<T> {
  return current.run(send, call);
}

/**
 * Lets the Gemini SDK build and address its requests, but not send them. It has no option for a `fetch` of one's own
 * and calls the global one, which sends a POST again when a reused connection breaks (Deno 2.9.6, see send_once.ts).
 * The global is wrapped once; the wrapper acts only inside `composeRequest` and passes everything else on untouched.
 *
 * Measured alternative: the SDK with `customHeaders: { connection: "close" }` sent two requests to a server that
 * leaves the connection open, which it may.
 */
import { AsyncLocalStorage } from "node:async_hooks";

export interface ComposedRequest {
  url: string;
  headers: Record<string, string>;
  /** JSON text. */
  body: string;
}

const composing = new AsyncLocalStorage<(request: ComposedRequest) => void>();
const plainFetch = globalThis.fetch;

globalThis.fetch = (input, init) => {
  const take = composing.getStore();
  if (!take) return plainFetch(input, init);
  take({
    url: String(input),
    headers: Object.fromEntries(new Headers(init?.headers)),
    body: String(init?.body),
  });
  return Promise.resolve(NO_ANSWER);
};

/** What the SDK gets to read: the real answer is read by read_answer.ts, bounded and checked. */
const NO_ANSWER = { ok: true, json: () => Promise.resolve({}) } as Response;

/** The request that `call` would make. Throws when the SDK gives up before it. */
export async function composeRequest(call: () => Promise<unknown>): Promise<ComposedRequest> {
  let composed: ComposedRequest | undefined;
  await composing.run((request) => composed = request, call);
  if (!composed) throw new Error("the SDK made no request");
  return composed;
}

/**
 * Lets the Tavily SDK build its requests and read its answers, but not send them. Left alone it sends through axios on
 * node:http, which repeats a POST when a reused connection breaks or its own timeout fires (Deno 2.9.6, measured), and
 * it drops the HTTP status from its errors. axios lets an interceptor choose the adapter of one request; ours sends
 * exactly once and keeps what came back.
 *
 * The hook acts only inside `withTransport`. The SDK itself knows neither the address nor the key: should its axios
 * ever be another copy than this one, its requests go to a name that cannot exist instead of out unguarded.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import axios, { type InternalAxiosRequestConfig } from "axios";

/** A reserved top-level domain (RFC 2606): nothing resolves under it. */
export const NOWHERE = "http://search.invalid";

/** Posts a JSON body once and returns the text of an HTTP 200 answer; throws for anything else. */
export type PostOnce = (path: string, body: string) => Promise<string>;

const current = new AsyncLocalStorage<PostOnce>();

axios.interceptors.request.use((config) => {
  const post = current.getStore();
  if (post) config.adapter = (request) => adapt(post, request);
  return config;
});

async function adapt(post: PostOnce, request: InternalAxiosRequestConfig) {
  const path = (request.url ?? "").slice(NOWHERE.length);
  const data = await post(path, String(request.data));
  return { data, status: 200, statusText: "", headers: {}, config: request };
}

/** Runs `call`; every axios request made inside goes through `post`. */
export function withTransport<T>(post: PostOnce, call: () => Promise<T>): Promise<T> {
  return current.run(post, call);
}

import { request as requestHttp } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { messageOf } from "../errors.ts";
import { checkUrl, notGranted, privateRefusal, refusal } from "./check_url.ts";
import { connectChecked, HostNotGrantedError, PrivateAddressError } from "./connect_checked.ts";
import { decodeBytes } from "./decode_bytes.ts";
import { IngestError } from "./ingest_error.ts";
import { MAX_FEED_BYTES, MAX_PAGE_BYTES } from "./limits.ts";
import { readBody } from "./read_body.ts";

/** What may be fetched and how much of it. */
export interface FetchKind {
  name: string;
  maxBytes: number;
  /** Media types that are read; one that is missing is read, too. */
  types: RegExp;
}

export const FEED: FetchKind = {
  name: "a feed (XML or JSON)",
  maxBytes: MAX_FEED_BYTES,
  // Feeds are served under many names; text/html is let through so that the message can name the page's feed.
  types: /^(?:application|text)\/(?:[\w.+-]*xml|[\w.+-]*json|plain|html)$/,
};

export const PAGE: FetchKind = {
  name: "a web page (HTML)",
  maxBytes: MAX_PAGE_BYTES,
  types: /^(?:text\/html|application\/xhtml\+xml)$/,
};

export interface FetchOptions {
  allowPrivateAddresses?: boolean;
  signal?: AbortSignal;
  /** For the whole fetch with its redirects, in ms. */
  timeoutMs?: number;
}

export interface FetchedPage {
  text: string;
  /** Where the text came from after redirects: the base of its links. */
  address: string;
}

const TIMEOUT_MS = 15_000;
const MAX_REDIRECTS = 5;
const HEADERS = { "user-agent": "Nightdesk", "accept-encoding": "gzip, deflate, br" };

/**
 * Fetches one text over http(s) with bounds on time, size and redirects, from public addresses only unless
 * allowed otherwise. Throws `IngestError` with a line for a person whatever goes wrong, but the signal's own
 * reason when `signal` fires.
 */
export async function fetchPage(
  address: string,
  kind: FetchKind,
  options: FetchOptions = {},
): Promise<FetchedPage> {
  return await fetchWith(address, {}, options, async (response, url) => ({
    text: await readText(response, kind, address),
    address: url.href,
  }));
}

/** Sends the request and has its answer read, under the bounds and with the errors that `fetchPage` promises. */
export async function fetchWith<T>(
  address: string,
  headers: Record<string, string>,
  options: FetchOptions,
  read: (response: IncomingMessage, url: URL) => Promise<T>,
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  const allowPrivate = options.allowPrivateAddresses ?? false;
  try {
    const { response, url } = await follow(address, { allowPrivate, headers, signal });
    try {
      return await read(response, url);
    } finally {
      response.destroy();
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof IngestError) throw error;
    if (timeout.aborted) {
      throw refusal(address, `an answer within ${timeoutMs} ms`, "none", "try again later");
    }
    if (error instanceof PrivateAddressError) throw privateRefusal(address);
    if (error instanceof HostNotGrantedError) throw notGranted(address, error.endpoint);
    throw refusal(address, "an answer", messageOf(error), "check the address");
  }
}

interface Asking {
  allowPrivate: boolean;
  headers: Record<string, string>;
  signal: AbortSignal;
}

/** The first answer that does not lead on. */
async function follow(address: string, asking: Asking): Promise<{ response: IncomingMessage; url: URL }> {
  let url = checkUrl(address, address, asking.allowPrivate);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await send(url, asking);
    const status = response.statusCode ?? 0;
    const target = response.headers.location;
    if (status < 300 || status >= 400 || status === 304 || target === undefined) return { response, url };
    response.destroy();
    url = checkUrl(URL.parse(target, url)?.href ?? target, address, asking.allowPrivate);
  }
  throw refusal(address, `at most ${MAX_REDIRECTS} redirects`, "more", "give the final address");
}

async function send(url: URL, { allowPrivate, headers, signal }: Asking): Promise<IncomingMessage> {
  // No pool: a connection that was checked for one name must not serve another.
  const socket = await connectChecked(url, { allowPrivate, signal });
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return await new Promise((resolve, reject) => {
    const sent = request(url, {
      createConnection: () => socket,
      headers: { ...HEADERS, ...headers },
      signal,
    }, resolve);
    sent.on("error", reject);
    sent.end();
  });
}

/** The text of an answer, decoded. Throws `IngestError` unless it is a 200 of the wanted kind and size. */
export async function readText(response: IncomingMessage, kind: FetchKind, address: string): Promise<string> {
  if (response.statusCode !== 200) {
    throw refusal(address, "status 200", `status ${response.statusCode}`, "check that the page still exists");
  }
  const header = response.headers["content-type"] ?? "";
  const type = header.split(";", 1)[0].trim().toLowerCase();
  if (type !== "" && !kind.types.test(type)) {
    throw refusal(address, kind.name, type, "check that the address is the right one");
  }
  const bytes = await readBody(response, kind.maxBytes);
  if (bytes === null) {
    throw refusal(address, `at most ${kind.maxBytes} bytes`, "more", "use a smaller page or a file");
  }
  return decodeBytes(bytes, /charset\s*=\s*"?([\w:.-]+)/i.exec(header)?.[1] ?? null);
}

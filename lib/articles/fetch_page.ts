import { request as requestHttp } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { messageOf } from "../errors.ts";
import { checkUrl, privateRefusal, refusal } from "./check_url.ts";
import { checkedLookup, PrivateAddressError } from "./checked_lookup.ts";
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
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  try {
    return await follow(address, kind, options.allowPrivateAddresses ?? false, signal);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof IngestError) throw error;
    if (timeout.aborted) {
      throw refusal(address, `an answer within ${timeoutMs} ms`, "none", "try again later");
    }
    if (error instanceof PrivateAddressError) throw privateRefusal(address);
    throw refusal(address, "an answer", messageOf(error), "check the address");
  }
}

async function follow(
  address: string,
  kind: FetchKind,
  allowPrivate: boolean,
  signal: AbortSignal,
): Promise<FetchedPage> {
  let url = checkUrl(address, address, allowPrivate);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await send(url, allowPrivate, signal);
    const status = response.statusCode ?? 0;
    const target = response.headers.location;
    if (status >= 300 && status < 400 && target !== undefined) {
      response.destroy();
      url = checkUrl(URL.parse(target, url)?.href ?? target, address, allowPrivate);
      continue;
    }
    try {
      return { text: await readText(response, kind, address), address: url.href };
    } finally {
      response.destroy();
    }
  }
  throw refusal(address, `at most ${MAX_REDIRECTS} redirects`, "more", "give the final address");
}

function send(url: URL, allowPrivate: boolean, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      // No pool: a connection that was checked for one name must not serve another.
      agent: false,
      headers: HEADERS,
      signal,
      ...(allowPrivate ? {} : { lookup: checkedLookup }),
    }, resolve);
    sent.on("error", reject);
    sent.end();
  });
}

async function readText(response: IncomingMessage, kind: FetchKind, address: string): Promise<string> {
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

/** The paid researcher: one basic news search over `@tavily/core`, sent once (see transport.ts). */
import type { Micros } from "../../money.ts";
import { cutText } from "../cut_text.ts";
import { describeFailure, type Finding } from "../failures.ts";
import type { Researcher, SearchResult } from "../port.ts";
import { checkBaseUrl, type Delivery, sendOnce } from "../../http/send_once.ts";
import { classifyStatus } from "./classify_status.ts";
import { MAX_RESULTS, readSearchAnswer } from "./read_sources.ts";
import type { PostOnce } from "./transport.ts";

export interface TavilyOptions {
  apiKey: string;
  /** Default Tavily's own. */
  baseUrl?: string;
  /** What one credit costs; $0.008 pay-as-you-go (Tavily pricing, Aug 2026). */
  creditPrice: Micros;
  /** For one search, from connecting to the last byte (ms). Default 30,000. */
  timeoutMs?: number;
}

const TAVILY_BASE_URL = "https://api.tavily.com";
const DEFAULT_TIMEOUT_MS = 30_000;
/** Tavily refuses longer queries with a 400 (characters; search reference, Aug 2026). */
const MAX_QUERY_LENGTH = 400;
/** A basic search, without automatic parameters, which could raise it to an advanced one of 2. */
const BASIC_SEARCH_CREDITS = 1;

/**
 * Throws `TypeError` without a usable key (the SDK would search keyless instead, unbilled and unlogged) or with a base
 * URL that is not a plain http(s) address. The researcher itself never throws.
 */
export function createTavilyResearcher(options: TavilyOptions): Researcher {
  if (!/^[\x21-\x7e]+$/.test(options.apiKey)) {
    throw new TypeError(
      "The Tavily researcher needs an API key of visible ASCII characters; set TAVILY_API_KEY",
    );
  }
  const baseUrl = checkBaseUrl("TAVILY_BASE_URL", options.baseUrl ?? TAVILY_BASE_URL);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let client: ReturnType<typeof loadClient> | undefined;

  return {
    provider: "tavily",
    simulated: false,
    boundCredits: BASIC_SEARCH_CREDITS,
    creditPrice: options.creditPrice,
    async search(query, signal) {
      let delivery: Delivery | null = null;
      const post: PostOnce = async (path, body) => {
        delivery = await sendOnce({
          url: baseUrl + path,
          headers: { authorization: `Bearer ${options.apiKey}` },
          body,
          timeoutMs,
          signal,
        });
        if (delivery.kind !== "answered" || delivery.status !== 200 || delivery.broken) {
          throw new Error("no answer to read");
        }
        return delivery.body;
      };
      let answer: unknown = null;
      try {
        const { tavily, withTransport } = await (client ??= loadClient());
        answer = await withTransport(post, () => tavily.search(toQuery(query), SEARCH_OPTIONS));
      } catch {
        // The SDK throws for failed and unreadable answers alike; the delivery says which it was.
      }
      return judge(delivery, answer, options.apiKey);
    },
  };
}

const SEARCH_OPTIONS = {
  searchDepth: "basic",
  topic: "news",
  maxResults: MAX_RESULTS,
  includeUsage: true,
  autoParameters: false,
} as const;

/**
 * Loaded at the first search: with its tokenizer the SDK takes 0.1 to 0.3 s and 40 to 54 MB, axios alone, which the
 * transport needs, 0.1 s (measured, Nov 2026).
 */
async function loadClient() {
  const { NOWHERE, withTransport } = await import("./transport.ts");
  const { tavily } = await import("@tavily/core");
  return { tavily: tavily({ apiKey: "sent-by-the-transport", apiBaseURL: NOWHERE }), withTransport };
}

function toQuery(query: string): string {
  return cutText(query.toWellFormed().replace(/\s+/g, " ").trim(), MAX_QUERY_LENGTH);
}

function judge(delivery: Delivery | null, answer: unknown, key: string): SearchResult {
  const fail = (finding: Finding<"tavily">): SearchResult => ({
    ok: false,
    credits: null,
    ...describeFailure("tavily", finding, key),
  });
  if (!delivery) return fail({ failure: "not_sent", detail: "the search client could not be used" });
  if (delivery.kind !== "answered") return fail({ failure: delivery.kind, detail: delivery.detail });
  const { status, headers, body, broken } = delivery;
  if (status !== 200) return fail(classifyStatus(status, headers, body));
  if (broken) return fail({ failure: broken });
  const read = readSearchAnswer(answer);
  return read ? { ok: true, ...read } : fail({ failure: "malformed_response" });
}

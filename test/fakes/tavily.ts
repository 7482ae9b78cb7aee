/** A fake of Tavily's search on 127.0.0.1, over real HTTP. */
import {
  startWireServer,
  type WireOptions,
  type WireReply,
  type WireRequest,
  type WireServer,
} from "./wire_server.ts";

export interface FakeTavilyOptions extends WireOptions {
  /** Passes before every answer (ms, default 0). */
  latencyMs?: number;
  /** What to do with a request; null or nothing gives the default answer. */
  script?: (request: WireRequest) => WireReply | null | Promise<WireReply | null>;
}

/** Starts the fake. By default every search finds two articles and costs one credit. */
export function startFakeTavily(options: FakeTavilyOptions = {}): Promise<WireServer> {
  return startWireServer(async (request) => {
    const reply = await options.script?.(request) ?? answerDefault(request);
    return options.latencyMs ? { delayMs: options.latencyMs, ...reply } : reply;
  }, options);
}

function answerDefault(request: WireRequest): WireReply {
  if (request.path !== "/search") return tavilyError(404, "Not Found");
  const { query } = JSON.parse(request.body) as { query: string };
  return tavilyAnswer(["first", "second"].map((name, index) => ({
    title: `The ${name} report`,
    url: `https://news.example/${name}`,
    content: `A ${name} report on: ${query}`,
    score: 0.9 - index / 10,
    published_date: "Mon, 02 Nov 2026 10:00:00 GMT",
    raw_content: null,
  })));
}

/** An HTTP 200 answer as Tavily gives it. */
export function tavilyAnswer(results: unknown[], extra: Record<string, unknown> = {}): WireReply {
  return tavilyJson({
    query: "q",
    answer: null,
    images: [],
    results,
    response_time: 0.5,
    usage: { credits: 1 },
    request_id: "00000000-0000-0000-0000-000000000000",
    ...extra,
  });
}

/** HTTP 200 with any JSON. */
export function tavilyJson(json: unknown): WireReply {
  return { kind: "answer", status: 200, body: JSON.stringify(json) };
}

/** An error as Tavily gives it. */
export function tavilyError(
  status: number,
  message: string,
  headers: Record<string, string> = {},
): WireReply {
  return { kind: "answer", status, headers, body: JSON.stringify({ detail: { error: message } }) };
}

/**
 * The analyst port. One call of a method here is at most one request on the wire: no adapter retries, and none
 * throws for anything a provider can do. Whatever happens comes back as a value that says three things apart:
 * what was learnt, what it cost, and what to do next. The caller holds the money before it calls.
 */
import type { Micros } from "../money.ts";
import type { Analysis, Research, Source, Verdict } from "./schema.ts";

export interface ArticleText {
  id: number;
  title: string;
  body: string;
  source: string;
  url: string | null;
  publishedAt: Date | null;
}

/** Tokens as the provider counted them. `outputTokens` includes thoughts; `inputTokens` includes cached ones. */
export interface TokenUsage {
  inputTokens: number;
  outputTokens: number;
  thoughtTokens: number;
  cachedTokens: number;
}

/** The most a call can use; the worst-case hold is priced from it. */
export interface TokenBound {
  inputTokens: number;
  outputTokens: number;
}

/**
 * What became of the money. BILLED: the provider answered and charges for it (usage may still be unknown, then
 * the call settles at its hold). NOT_BILLED: the provider answered that it did nothing, or nothing was sent.
 * UNKNOWN: it was sent and no answer tells.
 */
export type Billing = "BILLED" | "NOT_BILLED" | "UNKNOWN";

/**
 * What the caller does next. `retry`: try again with backoff, it costs an attempt. `wait`: come back after
 * `waitMs`, it costs no attempt. `pause`: the provider is out of order, no article can succeed before `waitMs` have
 * passed; it costs no attempt. `give_up`: permanent for this article. `stop_session`: no article can succeed until
 * somebody acts. `stop_research`: go on analysing, without searches.
 */
export type Action = "retry" | "wait" | "pause" | "give_up" | "stop_session" | "stop_research";

/**
 * Whose trouble a failure may be. `provider`: never the article's, whatever it holds. `perhaps`: most likely the
 * provider's, but an article can cause it too (a long one times out, an odd one ends in an error inside).
 */
export type Trouble = "provider" | "perhaps";

export interface Failure {
  /** Stable machine word, a key of the table in failures.ts, for example "rate_limited". */
  failure: string;
  action: Action;
  billing: Billing;
  /**
   * ms. With `wait` and `pause`: how long. With `stop_session`: until the trouble ends by itself, when that is known.
   * Otherwise absent.
   */
  waitMs?: number;
  /** Absent: the failure says nothing about other articles. */
  trouble?: Trouble;
  /** With `retry`: the article is not to blame, so it costs no attempt after all. */
  spared?: true;
  /**
   * With `retry`: the provider did not take the request. That is this article's fault only if it takes those of others;
   * until then no article is given up for it, and a row of them stops the session.
   */
  refused?: true;
  /** One line for a person; no key, no URL query, no article text beyond a short excerpt. */
  message: string;
}

export type CallResult<T> =
  & {
    /** Null when the provider did not say; then a BILLED call settles at its hold. */
    usage: TokenUsage | null;
    /** The model that answered, when the answer names one. */
    answeredModel: string | null;
  }
  & ({ ok: true; value: T } | ({ ok: false } & Failure));

export interface GroundedAnalysis {
  analysis: Analysis;
  /** Evidence quotes that did not stand in the article and were dropped. */
  ungrounded: number;
}

export interface Analyst {
  readonly provider: "gemini" | "offline";
  readonly model: string;
  /** True when charges are computed but nobody is paid; every place that shows such money says so. */
  readonly simulated: boolean;
  /** Names the prompt and schema that made an analysis; changes whenever either does. */
  readonly promptVersion: string;
  /** The most an analysis of a text of `utf8Bytes` (title and body) can use. Must hold for any text of that size. */
  bound(utf8Bytes: number): TokenBound;
  /** The most the validation of one signal over found sources can use. */
  validationBound(): TokenBound;
  /**
   * Builds what `analyse` will send for this article, so that it can leave at once. Sends nothing, costs nothing, and
   * may be left out.
   */
  prepare?(article: ArticleText): void;
  /** So many requests may follow in a moment, of articles that are not known yet. */
  expect?(requests: number): void;
  /**
   * @param answered Called when the provider is done and only reading is left: the next request may leave. An adapter
   * that computes by itself need not call it.
   */
  analyse(
    article: ArticleText,
    signal: AbortSignal,
    answered?: () => void,
  ): Promise<CallResult<GroundedAnalysis>>;
  /** Judges the article's strongest signal against sources found by a search. */
  validate(
    claim: string,
    sources: readonly Source[],
    signal: AbortSignal,
  ): Promise<CallResult<Verdict>>;
}

export type SearchResult =
  & { /** Credits the provider reported; null when it did not say. */ credits: number | null }
  & ({ ok: true; sources: Source[] } | ({ ok: false } & Failure));

export interface Researcher {
  readonly provider: "tavily" | "offline";
  readonly simulated: boolean;
  /** Credits one search can cost at most. */
  readonly boundCredits: number;
  readonly creditPrice: Micros;
  search(query: string, signal: AbortSignal): Promise<SearchResult>;
}

export const NO_RESEARCH: Research = { status: "NOT_RUN", reason: null, queries: [], sources: [] };

/**
 * The paid analyst: Gemini over its REST API.
 *
 * `@google/generative-ai` (archived upstream) builds, addresses and types the requests, and stays inside this folder.
 * What leaves and how often, and how answers are read, is ours: the SDK's way sends twice when a connection breaks,
 * follows redirects with the key, reads bodies of any size and drops the answer's headers, Retry-After among them.
 */
import type { z } from "zod";
import { checkBaseUrl } from "../../http/send_once.ts";
import { openSpare } from "../../http/spare_connections.ts";
import { ground } from "../ground.ts";
import type { Analyst, ArticleText, CallResult } from "../port.ts";
import {
  ARTICLE_FRAME_BYTES,
  buildArticlePrompt,
  buildValidationPrompt,
  MAX_VALIDATION_BYTES,
} from "../prompt.ts";
import { analysisSchema, verdictSchema } from "../schema.ts";
import { boundInput } from "./build_request.ts";
import { readEntities } from "./entity_text.ts";
import { compose, generate, openAccess } from "./generate.ts";
import {
  ANALYSIS_FORM,
  ANALYSIS_QUESTION,
  PROMPT_VERSION,
  VALIDATION_QUESTION,
  VERDICT_FORM,
} from "./questions.ts";
import type { toJsonSchema } from "./response_schema.ts";
import { trimAnswer } from "./trim_answer.ts";
import { describeFailure } from "../failures.ts";

export interface GeminiOptions {
  apiKey: string;
  /** For example "gemini-3.1-flash-lite". */
  model: string;
  /** Default Google's own. */
  baseUrl?: string;
  /** For one call, from connecting to the last byte (ms). Default 60,000: an answer of 2,048 tokens takes seconds. */
  timeoutMs?: number;
  /** Requests go through the proxy that the environment names. */
  proxied?: boolean;
}

const GOOGLE_BASE_URL = "https://generativelanguage.googleapis.com";
const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Throws `TypeError` for an empty key, a key or model name that could not go into a header or a path, or a base URL
 * that is not a plain http(s) address. The analyst itself never throws.
 */
export function createGeminiAnalyst(options: GeminiOptions): Analyst {
  if (!/^[\x21-\x7e]+$/.test(options.apiKey)) {
    throw new TypeError(
      "The Gemini analyst needs an API key of visible ASCII characters; set GEMINI_API_KEY",
    );
  }
  if (!/^[\w.-]{1,80}$/.test(options.model)) {
    throw new TypeError(
      `GEMINI_MODEL must be a model name such as gemini-3.1-flash-lite, got "${options.model}"`,
    );
  }
  const access = openAccess({
    apiKey: options.apiKey,
    model: options.model,
    baseUrl: checkBaseUrl("GEMINI_BASE_URL", options.baseUrl ?? GOOGLE_BASE_URL),
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    direct: !options.proxied,
  });
  const prepared = new WeakMap<ArticleText, ReturnType<typeof compose>>();
  const prepare = (article: ArticleText) => {
    const request = prepared.get(article) ?? compose(access, ANALYSIS_QUESTION, buildArticlePrompt(article));
    prepared.set(article, request);
    return request;
  };
  const server = new URL(access.baseUrl);
  const connectAhead = (requests: number) => {
    if (!access.direct) return;
    for (let n = 0; n < requests; n++) openSpare(server);
  };

  return {
    provider: "gemini",
    model: options.model,
    simulated: false,
    promptVersion: PROMPT_VERSION,
    bound: (utf8Bytes) => ({
      inputTokens: boundInput(ANALYSIS_QUESTION, ARTICLE_FRAME_BYTES + utf8Bytes),
      outputTokens: ANALYSIS_QUESTION.maxOutputTokens,
    }),
    validationBound: () => ({
      inputTokens: boundInput(VALIDATION_QUESTION, MAX_VALIDATION_BYTES),
      outputTokens: VALIDATION_QUESTION.maxOutputTokens,
    }),
    prepare(article) {
      if (prepared.has(article)) return;
      void prepare(article);
      connectAhead(1);
    },
    expect: connectAhead,
    async analyse(article, signal, answered = () => {}) {
      const request = await prepare(article);
      prepared.delete(article);
      const call = await generate(access, request, signal, answered);
      const read = call.ok ? { ...call, value: readEntities(call.value) } : call;
      const checked = checkAnswer(read, analysisSchema, ANALYSIS_FORM, access.apiKey);
      return checked.ok ? { ...checked, value: ground(checked.value, article) } : checked;
    },
    async validate(claim, sources, signal) {
      const request = await compose(access, VALIDATION_QUESTION, buildValidationPrompt(claim, sources));
      const call = await generate(access, request, signal, () => {});
      return checkAnswer(call, verdictSchema, VERDICT_FORM, access.apiKey);
    },
  };
}

/** Trims and checks the JSON of an answer; what does not fit is a failure that keeps its bill. */
function checkAnswer<T>(
  call: CallResult<unknown>,
  schema: z.ZodType<T>,
  form: ReturnType<typeof toJsonSchema>,
  key: string,
): CallResult<T> {
  if (!call.ok) return call;
  const parsed = schema.safeParse(trimAnswer(call.value, form));
  if (parsed.success) return { ...call, value: parsed.data };
  const issue = parsed.error.issues[0];
  const detail = issue && `${issue.path.join(".") || "answer"}: ${issue.message}`;
  const { usage, answeredModel } = call;
  const failure = describeFailure("gemini", { failure: "off_schema", ...(detail && { detail }) }, key);
  return { ok: false, usage, answeredModel, ...failure };
}

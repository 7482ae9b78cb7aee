/** One generateContent request over the SDK, sent once (see sdk_transport.ts), and what came of it. */
import { type GenerativeModel, GoogleGenerativeAI } from "@google/generative-ai";
import { spareTime } from "../../spare_time.ts";
import { describeFailure, type Finding } from "../failures.ts";
import type { CallResult } from "../port.ts";
import { sendOnce } from "../../http/send_once.ts";
import { buildRequest, type Question } from "./build_request.ts";
import { classifyStatus } from "./classify_status.ts";
import { type Bill, readAnswer } from "./read_answer.ts";
import { type ComposedRequest, composeRequest } from "./sdk_transport.ts";

export interface GeminiAccess {
  apiKey: string;
  model: string;
  /** Without a slash at its end. */
  baseUrl: string;
  timeoutMs: number;
  /** Requests go past every proxy. */
  direct: boolean;
  sdk: GenerativeModel;
}

export function openAccess(options: Omit<GeminiAccess, "sdk">): GeminiAccess {
  const { apiKey, model, baseUrl } = options;
  return {
    ...options,
    sdk: new GoogleGenerativeAI(apiKey).getGenerativeModel({ model }, { baseUrl }),
  };
}

const NO_BILL: Bill = { usage: null, answeredModel: null };

/** The request for a question; null: the SDK could not make it. */
export async function compose(
  access: GeminiAccess,
  question: Question,
  userText: string,
): Promise<ComposedRequest | null> {
  try {
    const request = buildRequest(access.model, question, userText);
    // The SDK's own timeout is left unset: its timer outlives the call.
    return await composeRequest(() => access.sdk.generateContent(request));
  } catch {
    return null;
  }
}

/**
 * Asks once. The value is the JSON the model wrote, not yet checked against a schema. Never throws.
 * @param answered Called when the wire is done with, before the answer is read: the next request may leave.
 */
export async function generate(
  access: GeminiAccess,
  request: ComposedRequest | null,
  signal: AbortSignal,
  answered: () => void,
): Promise<CallResult<unknown>> {
  const fail = (finding: Finding<"gemini">, bill: Bill = NO_BILL): CallResult<unknown> => ({
    ok: false,
    ...bill,
    ...describeFailure("gemini", finding, access.apiKey),
  });
  if (!request) return fail({ failure: "not_sent", detail: "the client could not be used" });
  const delivery = await sendOnce({ ...request, timeoutMs: access.timeoutMs, direct: access.direct, signal });
  if (delivery.kind !== "answered") return fail({ failure: delivery.kind, detail: delivery.detail });
  const { status, headers, body, broken } = delivery;
  // A refusal is known from its status alone, whole or not.
  if (status !== 200) return fail(classifyStatus(status, headers, body));
  if (broken) return fail({ failure: broken });
  // Reading takes longer than sending: whatever waits to be sent goes first. A failure is heard before anything goes.
  answered();
  await spareTime();
  const { usage, answeredModel, ...reading } = readAnswer(body);
  return "json" in reading
    ? { ok: true, usage, answeredModel, value: reading.json }
    : fail(reading.finding, { usage, answeredModel });
}

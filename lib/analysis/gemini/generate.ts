/** One generateContent request and what came of it. */
import { describeFailure, type Finding } from "../failures.ts";
import type { CallResult } from "../port.ts";
import { sendOnce } from "../send_once.ts";
import { buildRequest, type Question } from "./build_request.ts";
import { classifyStatus } from "./classify_status.ts";
import { type Bill, readAnswer } from "./read_answer.ts";

export interface GeminiAccess {
  apiKey: string;
  model: string;
  baseUrl: string;
  timeoutMs: number;
}

const NO_BILL: Bill = { usage: null, answeredModel: null };

/** Asks once. The value is the JSON the model wrote, not yet checked against a schema. Never throws. */
export async function generate(
  access: GeminiAccess,
  question: Question,
  userText: string,
  signal: AbortSignal,
): Promise<CallResult<unknown>> {
  const fail = (finding: Finding<"gemini">, bill: Bill = NO_BILL): CallResult<unknown> => ({
    ok: false,
    ...bill,
    ...describeFailure("gemini", finding, access.apiKey),
  });
  const delivery = await sendOnce({
    url: `${access.baseUrl}/v1beta/models/${access.model}:generateContent`,
    // In a header: a key in a URL ends up in logs, proxies and error texts.
    headers: { "x-goog-api-key": access.apiKey },
    body: buildRequest(access.model, question, userText),
    timeoutMs: access.timeoutMs,
    signal,
  });
  if (delivery.kind !== "answered") return fail({ failure: delivery.kind, detail: delivery.detail });
  const { status, headers, body, broken } = delivery;
  // A refusal is known from its status alone, whole or not.
  if (status !== 200) return fail(classifyStatus(status, headers, body));
  if (broken) return fail({ failure: broken });
  const { usage, answeredModel, ...reading } = readAnswer(body);
  return "json" in reading
    ? { ok: true, usage, answeredModel, value: reading.json }
    : fail(reading.finding, { usage, answeredModel });
}

/** One generateContent request over the SDK, sent once (see sdk_transport.ts), and what came of it. */
import { type GenerativeModel, GoogleGenerativeAI } from "@google/generative-ai";
import { setImmediate } from "node:timers/promises";
import { describeFailure, type Finding } from "../failures.ts";
import type { CallResult } from "../port.ts";
import { type Delivery, sendOnce } from "../send_once.ts";
import { buildRequest, type Question } from "./build_request.ts";
import { classifyStatus } from "./classify_status.ts";
import { type Bill, readAnswer } from "./read_answer.ts";
import { withTransport } from "./sdk_transport.ts";

export interface GeminiAccess {
  apiKey: string;
  model: string;
  timeoutMs: number;
  sdk: GenerativeModel;
}

/** @param baseUrl Without a slash at its end. */
export function openAccess(apiKey: string, model: string, baseUrl: string, timeoutMs: number): GeminiAccess {
  return {
    apiKey,
    model,
    timeoutMs,
    sdk: new GoogleGenerativeAI(apiKey).getGenerativeModel({ model }, { baseUrl }),
  };
}

const NO_BILL: Bill = { usage: null, answeredModel: null };

/**
 * Asks once. The value is the JSON the model wrote, not yet checked against a schema. Never throws.
 * @param answered Called when the wire is done with, before the answer is read: the next request may leave.
 */
export async function generate(
  access: GeminiAccess,
  question: Question,
  userText: string,
  signal: AbortSignal,
  answered: () => void,
): Promise<CallResult<unknown>> {
  const fail = (finding: Finding<"gemini">, bill: Bill = NO_BILL): CallResult<unknown> => ({
    ok: false,
    ...bill,
    ...describeFailure("gemini", finding, access.apiKey),
  });
  const delivery = await deliver(access, question, userText, signal);
  answered();
  // Reading takes longer than sending: whatever waits to be sent goes first.
  await setImmediate();
  if (!delivery) return fail({ failure: "not_sent", detail: "the client could not be used" });
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

/** Null: the SDK gave up before it sent anything. */
async function deliver(
  access: GeminiAccess,
  question: Question,
  userText: string,
  signal: AbortSignal,
): Promise<Delivery | null> {
  let delivery: Delivery | null = null;
  try {
    // The SDK's own timeout is left unset: its timer outlives the call.
    await withTransport(async (url, headers, body) => {
      delivery = await sendOnce({ url, headers, body, timeoutMs: access.timeoutMs, signal });
      return EMPTY_ANSWER.clone();
    }, () => access.sdk.generateContent(buildRequest(access.model, question, userText)));
  } catch {
    // It throws for failed and unreadable answers alike and drops their headers; the delivery says which it was.
  }
  return delivery;
}

/** What the SDK gets to read: the real answer is read by read_answer.ts, bounded and checked. */
const EMPTY_ANSWER = new Response("{}", { status: 200 });

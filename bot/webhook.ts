/**
 * The webhook: updates are written down and Telegram is answered at once; the work comes after the answer. Telegram
 * sends again what was not answered within 10 s, and the inbox knows what it has.
 */
import { timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import type { Update } from "grammy/types";
import { z } from "zod";
import { messageOf } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Inbox } from "./inbox.ts";

export const WEBHOOK_PATH = "/telegram/webhook";
const SECRET_HEADER = "x-telegram-bot-api-secret-token";

export interface WebhookOptions {
  inbox: Pick<Inbox, "take">;
  /** What Telegram says to prove itself; without one nobody is believed. */
  secret: string;
  log: Log;
}

export type WebhookHandler = (request: Request) => Promise<Response>;

/** The inbox checks nothing: who may do what is found out when the update is handled. */
const updateSchema = z.looseObject({ update_id: z.number().int().nonnegative() });

/** Throws `RangeError` without a secret: an undefined one would let everybody in. */
export function createWebhookHandler({ inbox, secret, log }: WebhookOptions): WebhookHandler {
  if (secret === "") throw new RangeError("a webhook must have a secret");
  return async (request) => {
    if (request.method !== "POST") return answer(405, "wanted POST");
    if (!isSecret(request.headers.get(SECRET_HEADER), secret)) return answer(401, "wrong secret");
    const body = await readJson(request);
    const update = updateSchema.safeParse(body);
    if (!update.success) return answer(400, "wanted an update");
    try {
      await inbox.take([update.data as unknown as Update]);
    } catch (error) {
      log("warn", { error: messageOf(error) }, "could not write an update down; Telegram sends it again");
      return answer(503, "try again");
    }
    return answer(200, "");
  };
}

function isSecret(given: string | null, secret: string): boolean {
  const [a, b] = [Buffer.from(given ?? ""), Buffer.from(secret)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Null for what is no JSON. How much it may be is the web app's limit, which is far above an update's few KB. */
async function readJson(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    return null;
  }
}

function answer(status: number, text: string): Response {
  return new Response(text, { status, headers: { "content-type": "text/plain" } });
}

/** The settings' address, with the path of this service unless it has one of its own. */
export function webhookAddress(url: string): string {
  const parsed = new URL(url);
  if (parsed.pathname === "/") parsed.pathname = WEBHOOK_PATH;
  return parsed.href;
}

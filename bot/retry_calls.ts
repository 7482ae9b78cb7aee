/**
 * Which calls to the Bot API are made again by themselves. A wait that Telegram names is kept, up to a limit: longer
 * ones go back to whoever called. A call that was surely not sent is sent again, whatever it is. Lost answers and broken
 * servers are another matter: the call may have been carried out, so only calls that may be repeated are.
 */
import { autoRetry } from "@grammyjs/auto-retry";
import { HttpError, type Transformer } from "grammy";
import { sleep } from "../lib/sleep.ts";
import { NotSentError } from "./telegram_fetch.ts";

/** A person waits for these answers, s. */
const LONGEST_WAIT = 20;
const MOST_RETRIES = 2;
/** The first wait before a call is made again, ms; then twice that. */
const FIRST_WAIT_MS = 500;

/** Carried out twice, these do the same as once. */
const REPEATABLE: ReadonlySet<string> = new Set([
  "getMe",
  "getWebhookInfo",
  "setWebhook",
  "deleteWebhook",
  "setMyCommands",
  "editMessageText",
  "editMessageCaption",
  "editMessageReplyMarkup",
  "deleteMessage",
  "answerCallbackQuery",
]);

export function retryCalls(): Transformer {
  const waitOnly = autoRetry({
    maxDelaySeconds: LONGEST_WAIT,
    maxRetryAttempts: MOST_RETRIES,
    rethrowHttpErrors: true,
    rethrowInternalServerErrors: true,
  });
  return async (prev, method, payload, signal) => {
    for (let tries = 0;; tries++) {
      try {
        return await waitOnly(prev, method, payload, signal);
      } catch (error) {
        const mayRepeat = REPEATABLE.has(method) || wasNotSent(error);
        if (!mayRepeat || tries >= MOST_RETRIES || signal?.aborted) throw error;
        await sleep(FIRST_WAIT_MS * 2 ** tries, (signal as AbortSignal | undefined) ?? NEVER);
      }
    }
  };
}

function wasNotSent(error: unknown): boolean {
  return error instanceof HttpError && error.error instanceof NotSentError;
}

const NEVER = new AbortController().signal;

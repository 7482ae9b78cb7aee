/**
 * Long polling. Updates are confirmed to Telegram only after they were written down, so neither a crash nor a database
 * that is away loses one.
 */
import { type Api, GrammyError } from "grammy";
import type { Update } from "grammy/types";
import { messageOf } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { explainFailure } from "./call_outcome.ts";
import { growingPause } from "./growing_pause.ts";
import type { Inbox } from "./inbox.ts";
import type { TokenWatch } from "./token_watch.ts";

/** What the bot deals with; Telegram keeps the rest to itself. */
export const ALLOWED_UPDATES = ["message", "callback_query"] as const;
/** Below the time limit of a call, s. */
const POLL_SECONDS = 15;
/** Another process polls with the same token; it may be one that is being stopped just now, ms. */
const CONFLICT_PAUSE_MS = 5_000;

export interface PollingOptions {
  api: Api;
  inbox: Pick<Inbox, "take">;
  token: TokenWatch;
  log: Log;
  signal: AbortSignal;
}

/** Runs until `signal` fires, whatever Telegram and the database answer. */
export async function pollUpdates({ api, inbox, token, log, signal }: PollingOptions): Promise<void> {
  const trouble = growingPause();
  const conflict = growingPause(CONFLICT_PAUSE_MS);
  let offset = 0;
  let hookGone = false;
  while (!signal.aborted) {
    try {
      if (!hookGone) {
        // With a webhook set, Telegram answers no polls.
        await api.deleteWebhook({}, signal as Parameters<Api["deleteWebhook"]>[1]);
        hookGone = true;
      }
      const updates: Update[] = await api.getUpdates(
        { offset, timeout: POLL_SECONDS, allowed_updates: ALLOWED_UPDATES },
        signal as Parameters<Api["getUpdates"]>[1],
      );
      await token.worked();
      await inbox.take(updates);
      const last = updates.at(-1);
      if (last) offset = last.update_id + 1;
      trouble.reset();
      conflict.reset();
    } catch (thrown) {
      if (signal.aborted) return;
      await token.failed(thrown).catch(() => {});
      if (thrown instanceof GrammyError && thrown.error_code === 409) {
        hookGone = false;
        log(
          "error",
          { error: thrown.description },
          "another process uses this bot's token; polling again later",
        );
        await conflict.wait(signal);
      } else {
        log(
          "warn",
          { error: describe(thrown), again_in_ms: trouble.nextMs },
          "could not get updates; trying again",
        );
        await trouble.wait(signal);
      }
    }
  }
}

/** Telegram's failures without the token; the database's as they are. */
function describe(thrown: unknown): string {
  try {
    return explainFailure(thrown).error;
  } catch {
    return messageOf(thrown);
  }
}

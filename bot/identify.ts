/** Asks Telegram who the bot is, until it says. */
import type { Api } from "grammy";
import type { UserFromGetMe } from "grammy/types";
import { UserError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { explainFailure } from "./call_outcome.ts";
import { growingPause } from "./growing_pause.ts";
import { isRefusedToken } from "./token_watch.ts";

/** Throws `UserError` when Telegram does not know the token, or when `signal` fires first. */
export async function identify(api: Api, log: Log, signal: AbortSignal): Promise<UserFromGetMe> {
  const pause = growingPause();
  while (!signal.aborted) {
    try {
      return await api.getMe(signal as Parameters<Api["getMe"]>[0]);
    } catch (thrown) {
      refuseUnknownToken(thrown);
      const { error } = explainFailure(thrown);
      log("warn", { error, again_in_ms: pause.nextMs }, "Telegram does not answer");
      await pause.wait(signal);
    }
  }
  throw new UserError("The bot was stopped before Telegram said who it is");
}

/** Nothing has worked with this token yet: a wrong setting. Throws `UserError`. */
function refuseUnknownToken(thrown: unknown): void {
  if (!isRefusedToken(thrown)) return;
  throw new UserError(
    `Telegram refuses TELEGRAM_BOT_TOKEN (${thrown.error_code} ${thrown.description}): ` +
      "wanted the token of a bot that exists; ask @BotFather for it",
  );
}

/**
 * A token that Telegram knew and refuses now. Once may be a fault of Telegram's own, so the bot goes on asking, ever more
 * slowly; when it lasts, an alert tells those whom the log, a webhook or another chat reaches.
 */
import { GrammyError } from "grammy";
import { raiseAlert, resolveAlerts } from "../lib/alerts/raise.ts";
import type { Queryable } from "../lib/database/port.ts";

/** Refusals in a row that are an alert. */
const LASTING = 3;

export interface TokenWatch {
  /** What a call failed with. */
  failed(thrown: unknown): Promise<void>;
  /** A call was answered. */
  worked(): Promise<void>;
}

export function watchToken(db: Queryable): TokenWatch {
  let refusals = 0;
  // A former process may have raised it.
  let mayBeOpen = true;
  return {
    async failed(thrown) {
      if (!isRefusedToken(thrown)) return;
      refusals++;
      if (refusals < LASTING) return;
      mayBeOpen = true;
      await raiseAlert(db, {
        rule: "bot_refused",
        text: `Telegram refuses the bot's token (${thrown.error_code} ${thrown.description}): ` +
          "the bot takes no commands, and its chats get no alerts",
      });
    },
    async worked() {
      refusals = 0;
      if (!mayBeOpen) return;
      await resolveAlerts(db, { rules: ["bot_refused"] }, {
        resolution: "Telegram takes it again",
        tell: true,
      });
      mayBeOpen = false;
    },
  };
}

/** The answers of Telegram that mean: no such bot. */
export function isRefusedToken(thrown: unknown): thrown is GrammyError {
  return thrown instanceof GrammyError && (thrown.error_code === 401 || thrown.error_code === 404);
}

/** What a failed call to the Bot API means for whoever made it. */
import { GrammyError, HttpError } from "grammy";
import { messageOf } from "../lib/errors.ts";
import { NotSentError, withoutToken } from "./telegram_fetch.ts";

export type CallFailure =
  /** Telegram will not take it, now or later. */
  | { kind: "refused"; error: string; movedTo: number | null }
  /** Telegram asks to come back. */
  | { kind: "later"; error: string; retryAfterMs: number }
  /** It did not arrive. */
  | { kind: "not_sent"; error: string }
  /**
   * It may have been carried out. `lost`: no whole answer came; otherwise Telegram, or what stands before it, said that
   * it broke down over it.
   */
  | { kind: "unknown"; error: string; lost: boolean }
  /** An edit that changes nothing. */
  | { kind: "unchanged"; error: string }
  /** The message that was to be edited is not there any more. */
  | { kind: "gone"; error: string };

const GONE =
  /message to edit not found|message can't be edited|message_id_invalid|message to delete not found/i;

export function explainFailure(thrown: unknown): CallFailure {
  if (thrown instanceof GrammyError) {
    const error = withoutToken(`${thrown.error_code} ${thrown.description}`);
    if (thrown.error_code === 429) {
      return { kind: "later", error, retryAfterMs: (thrown.parameters.retry_after ?? 5) * 1_000 };
    }
    if (thrown.error_code >= 500) return { kind: "unknown", error, lost: false };
    if (/message is not modified/i.test(thrown.description)) return { kind: "unchanged", error };
    if (GONE.test(thrown.description)) return { kind: "gone", error };
    return { kind: "refused", error, movedTo: thrown.parameters.migrate_to_chat_id ?? null };
  }
  if (thrown instanceof HttpError) {
    const error = withoutToken(messageOf(thrown.error));
    if (thrown.error instanceof NotSentError) return { kind: "not_sent", error };
    // A gateway's page instead of JSON is an answer too.
    return { kind: "unknown", error, lost: !(thrown.error instanceof SyntaxError) };
  }
  throw thrown;
}

/**
 * What to do about a message whose answer got lost. Sent again it may stand twice, not sent again it may be missing, and
 * Telegram cannot be asked which. But it can be asked whether it is there: a request that was written whole and then cut
 * off, while the next one is answered, was almost certainly carried out, and one that was cut off because Telegram is
 * away was not. For what may be missed rather than doubled; alerts that must ring do not rely on it (alert_sink.ts).
 */
import type { Api } from "grammy";
import type { CallFailure } from "./call_outcome.ts";

/** Telegram answers this question within milliseconds or is away, ms. */
const PATIENCE_MS = 4_000;

/** Whether a message that failed so is taken for delivered. Asks Telegram; never rejects. */
export async function hasProbablyArrived(api: Api, failure: CallFailure): Promise<boolean> {
  if (failure.kind !== "unknown" || !failure.lost) return false;
  const soon = AbortSignal.timeout(PATIENCE_MS) as Parameters<Api["getMe"]>[0];
  return await api.getMe(soon).then(() => true, () => false);
}

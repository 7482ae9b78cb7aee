/** What a person is told when something went wrong: their own mistake in its words, everything else as a reference. */
import { isConnectionLost } from "../lib/database/connection_lost.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { explainFailure } from "./call_outcome.ts";
import { GrammyError, HttpError } from "grammy";
import type { DeskContext } from "./context.ts";
import { duration, plain } from "./replies/format.ts";
import { reply, toast } from "./speak.ts";
import { withoutToken } from "./telegram_fetch.ts";

export async function tellError(log: Log, ctx: DeskContext, thrown: unknown): Promise<void> {
  const text = explain(log, ctx, thrown);
  if (text === null) return await endPress(ctx, thrown);
  if (ctx.callbackQuery && !ctx.answered && text.length <= 200) await toast(ctx, text, true);
  else await reply(ctx, { text: plain(text) });
}

/** Messages and edits may be refused while presses can still be answered: a button must not seem to hang. */
async function endPress(ctx: DeskContext, thrown: unknown): Promise<void> {
  const failure = explainFailure(thrown);
  const wait = failure.kind === "later" ? `Telegram asks to wait ${duration(failure.retryAfterMs)}. ` : "";
  await toast(ctx, `${wait}What you asked for could not be shown just now.`, true).catch(() => {});
}

/** Null: Telegram itself is the trouble, so nothing can be told there. */
function explain(log: Log, ctx: DeskContext, thrown: unknown): string | null {
  const who = { update: ctx.update.update_id, user: ctx.from?.id };
  if (thrown instanceof UserError) return thrown.message;
  if (thrown instanceof GrammyError || thrown instanceof HttpError) {
    const { kind, error } = explainFailure(thrown);
    log("warn", { ...who, kind, error }, "an answer did not reach the chat");
    return null;
  }
  const reference = crypto.randomUUID().slice(0, 6);
  const error = withoutToken(messageOf(thrown));
  if (isConnectionLost(thrown)) {
    log("warn", { ...who, error }, "no database while handling an update");
    return "The database is away just now. Nothing was lost; try again in a minute.";
  }
  const stack = thrown instanceof Error ? withoutToken(thrown.stack ?? "") : "";
  log("error", { ...who, reference, error, stack }, "a handler failed");
  return `That failed in a way it should not. The log knows more, under ${reference}.`;
}

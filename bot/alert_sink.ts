/**
 * A chat, or one of its topics, that is told of alerts. Money and trouble ring, news does not. What comes close together
 * and belongs together shares a message, but never what must ring: an edit makes no sound. A notice of the end answers
 * the message that told of the beginning.
 *
 * While Telegram is away notices wait. When only the answer to one got lost, nobody can know whether it stands in the
 * chat. What must ring (critical, or about money) is then told again and says that it may be a repeat: somebody who
 * reads of it twice loses a second, somebody who never hears of it loses the budget. Of everything else once is enough,
 * so it is taken for told if Telegram is there (lost_answer.ts); what is open stands in /alerts.
 */
import { GrammyError } from "grammy";
import type { AlertSink, Notice, SendResult } from "../lib/alerts/sinks/port.ts";
import { type CallFailure, explainFailure } from "./call_outcome.ts";
import { hasProbablyArrived } from "./lost_answer.ts";
import { addTo, compose, loudnessOf, markOver, mustRing, type SinkTools } from "./alert_messages.ts";
import { beginNotice, findAttempt, findGroupMessage, forgetNotice, recordNotice } from "./notices.ts";
import { type Place, say } from "./speak.ts";

export function sinkName({ chat, thread }: Place): string {
  return thread === null ? `telegram:${chat}` : `telegram:${chat}:${thread}`;
}

/** For everything that one notice takes, ms: less than the outbox waits, so that it is told how it ended. */
const TELL_MS = 18_000;

/** The topic was closed or deleted: the chat itself is better than nobody. */
const TOPIC_GONE = /thread not found|topic[_ ](closed|deleted|not found)/i;

export function createTelegramSink(tools: SinkTools, place: Place): AlertSink {
  const name = sinkName(place);
  const { db, log } = tools;
  // A group that became a supergroup has another id; until the setting names that, it is remembered here.
  let target = place;

  const deliver = async (notice: Notice, signal: AbortSignal): Promise<SendResult> => {
    const { alert, notice: kind } = notice;
    const known = { alert, notice: kind, sink: name, loudness: loudnessOf(notice) };
    const before = await findAttempt(db, known);
    // Sent before, but not recorded by the outbox.
    if (before?.told) return { ok: true };
    if (kind === "resolved") {
      const drawn = await markOver(tools, name, alert, signal);
      if (!drawn.shown && mayWorkLater(drawn.failure)) return waitFor(drawn.failure);
    }
    const shared = before?.message_id ??
      (sharesMessages(notice) ? await findGroupMessage(db, known) : null);
    if (shared !== null) {
      const here = { ...known, chat: target.chat, message: shared };
      await beginNotice(db, here);
      const drawn = await addTo(tools, target.chat, shared, notice, signal);
      if (drawn.shown) {
        await recordNotice(db, here);
        return { ok: true };
      }
      // It may be in there: a message of its own would tell it twice, the same edit does not.
      if (drawn.failure?.kind === "unknown") return waitFor(drawn.failure);
    }
    const again = before !== null && before.message_id === null;
    const saying = await compose(tools, notice, name, again);
    await beginNotice(db, { ...known, chat: target.chat, message: null });
    const { message_id: message } = await say(tools.api, target, saying, signal);
    await recordNotice(db, { ...known, chat: target.chat, message });
    return { ok: true };
  };

  const attempt = async (notice: Notice, signal: AbortSignal): Promise<SendResult> => {
    try {
      return await deliver(notice, signal);
    } catch (thrown) {
      const failure = explainFailure(thrown);
      const { alert, notice: kind } = notice;
      if (failure.kind !== "unknown") await forgetNotice(db, { alert, notice: kind, sink: name });
      if (thrown instanceof GrammyError && TOPIC_GONE.test(thrown.description) && target.thread !== null) {
        log(
          "warn",
          { sink: name, error: thrown.description },
          "the topic is gone; alerts go to the chat itself",
        );
        target = { ...target, thread: null };
        return await attempt(notice, signal);
      }
      if (failure.kind === "refused" && failure.movedTo !== null && failure.movedTo !== target.chat) {
        log(
          "error",
          { sink: name, moved_to: failure.movedTo },
          "the group has a new id: set it in TELEGRAM_ALERT_CHATS",
        );
        target = { ...target, chat: failure.movedTo };
        return await attempt(notice, signal);
      }
      if (!mustRing(notice) && await hasProbablyArrived(tools.api, failure)) {
        log(
          "warn",
          { sink: name, alert: alert.alert_id, notice: kind, error: failure.error },
          "an alert was told, as it seems",
        );
        return { ok: true };
      }
      return isRefusedForGood(thrown) ? { ok: false, refused: true, error: failure.error } : waitFor(failure);
    }
  };
  return {
    name,
    send: (notice, signal) => attempt(notice, AbortSignal.any([signal, AbortSignal.timeout(TELL_MS)])),
  };
}

/** A result is a message of its own. */
function sharesMessages(notice: Notice): boolean {
  return notice.alert.rule !== "session_ended" && !mustRing(notice);
}

function mayWorkLater(failure: CallFailure | null): failure is CallFailure {
  return failure?.kind === "later" || failure?.kind === "not_sent" || failure?.kind === "unknown";
}

function waitFor(failure: CallFailure): SendResult {
  const { error } = failure;
  return failure.kind === "later"
    ? { ok: false, refused: false, retryAfterMs: failure.retryAfterMs, error }
    : { ok: false, refused: false, error };
}

/**
 * Only what is wrong with this one message. A chat that the bot was thrown out of, or a token that was revoked, may come
 * back: then alerts wait.
 */
function isRefusedForGood(thrown: unknown): boolean {
  return thrown instanceof GrammyError && thrown.error_code === 400 &&
    !/chat not found|not enough rights|upgraded|have no rights|restricted/i.test(thrown.description);
}

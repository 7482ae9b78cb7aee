/** What is due for one progress message: send it, edit it, or end it with the result. */
import { isLive } from "../../lib/batches/types.ts";
import type { Desk } from "../../lib/desk.ts";
import { explainFailure } from "../call_outcome.ts";
import { describeProgress, sessionButtons } from "../replies/session.ts";
import { edit, say } from "../speak.ts";
import { EDIT_PAUSE_MS, placeOf, retry, type RowTools } from "./row_tools.ts";
import { type ProgressRow, type RowChange, updateRow } from "./rows.ts";
import { sendResult } from "./send_result.ts";

/** A paused session changes when somebody does something, and that hurries it. */
const PAUSED_LOOK_MS = 15_000;
/** An edit that fails this often is given up; the next one shows newer figures anyway. */
const EDIT_TRIES = 5;

export async function advanceRow(tools: RowTools, row: ProgressRow): Promise<void> {
  if (row.ended) return await endRow(tools, row);
  switch (row.state) {
    case "new":
      return await sendProgress(tools, row);
    case "sending":
      // Whoever was sending it is gone.
      return await updateRow(tools.db, row, {
        state: "lost",
        againInMs: EDIT_PAUSE_MS,
        error: "interrupted",
      });
    case "closing":
      // Reopened between its end and the result.
      return await updateRow(tools.db, row, {
        state: row.message_id === null ? "lost" : "live",
        againInMs: 0,
      });
    default:
      return await editProgress(tools, row);
  }
}

async function sendProgress(tools: RowTools, row: ProgressRow): Promise<void> {
  const progress = await tools.desk.progress(row.number);
  const text = describeProgress(progress, { now: tools.now(), zone: tools.zone });
  try {
    const { message_id } = await say(tools.api, placeOf(row), {
      text,
      keyboard: sessionButtons(progress.session),
      silent: true,
    });
    await updateRow(tools.db, row, {
      state: "live",
      message: message_id,
      shown: text.text,
      edited: true,
      againInMs: EDIT_PAUSE_MS,
    });
  } catch (thrown) {
    const failure = explainFailure(thrown);
    switch (failure.kind) {
      case "later":
      case "not_sent":
        return await updateRow(tools.db, row, { state: "new", ...retry(row, failure) });
      case "refused":
        tools.log(
          "warn",
          { session: row.number, chat: row.chat_id, error: failure.error },
          "a chat takes no progress",
        );
        return await updateRow(tools.db, row, { state: "closed", againInMs: 0, error: failure.error });
      default:
        tools.log(
          "warn",
          { session: row.number, chat: row.chat_id, error: failure.error },
          "a progress message may be lost",
        );
        return await updateRow(tools.db, row, {
          state: "lost",
          againInMs: EDIT_PAUSE_MS,
          error: failure.error,
        });
    }
  }
}

async function editProgress(tools: RowTools, row: ProgressRow): Promise<void> {
  const progress = await tools.desk.progress(row.number);
  const paused = progress.session.status === "PAUSED";
  const againInMs = paused && progress.processing === 0 ? PAUSED_LOOK_MS : EDIT_PAUSE_MS;
  const change = await showProgress(tools, row, progress);
  await updateRow(tools.db, row, { againInMs, ...change });
}

/** Edits the message to what is known now, unless it shows that already. */
async function showProgress(
  tools: RowTools,
  row: ProgressRow,
  progress: Awaited<ReturnType<Desk["progress"]>>,
): Promise<Partial<RowChange>> {
  if (row.message_id === null) return {};
  const text = describeProgress(progress, { now: tools.now(), zone: tools.zone });
  if (text.text === row.shown) return {};
  const live = isLive(progress.session.status);
  try {
    const keyboard = live ? sessionButtons(progress.session) : undefined;
    await edit(tools.api, { chat: row.chat_id, message: row.message_id }, text, keyboard);
    return { shown: text.text, edited: true };
  } catch (thrown) {
    const failure = explainFailure(thrown);
    switch (failure.kind) {
      case "unchanged":
        return { shown: text.text, edited: true };
      case "gone":
        return { state: "lost", error: failure.error };
      case "refused":
        tools.log(
          "warn",
          { session: row.number, chat: row.chat_id, error: failure.error },
          "a chat takes no edits",
        );
        return { state: "closed", error: failure.error };
      default:
        return retry(row, failure);
    }
  }
}

/**
 * The last edit, then the result as a message of its own, because an edit makes no sound. Where alerts go, the alert of
 * the end brings the result.
 */
async function endRow(tools: RowTools, row: ProgressRow): Promise<void> {
  if (row.message_id !== null && row.state === "live") {
    const change = await showProgress(tools, row, await tools.desk.progress(row.number));
    const stuck = change.againInMs !== undefined && row.tries < EDIT_TRIES;
    if (stuck) return await updateRow(tools.db, row, { againInMs: EDIT_PAUSE_MS, ...change });
  }
  const told = tools.alertPlaces.some(({ chat, thread }) =>
    chat === row.chat_id && (thread ?? 0) === row.thread_id
  );
  if (told) return await updateRow(tools.db, row, { state: "closed", againInMs: 0 });
  await sendResult(tools, row);
}

/** The result of a session as a message of its own, sent until Telegram takes it. */
import { explainFailure } from "../call_outcome.ts";
import { hasProbablyArrived } from "../lost_answer.ts";
import { describeResult, resultButtons } from "../replies/session_result.ts";
import { say } from "../speak.ts";
import { placeOf, retry, type RowTools } from "./row_tools.ts";
import { type ProgressRow, updateRow } from "./rows.ts";

export async function sendResult(tools: RowTools, row: ProgressRow): Promise<void> {
  const detail = await tools.desk.session(row.number);
  try {
    await say(tools.api, placeOf(row), {
      text: describeResult(detail, { now: tools.now(), zone: tools.zone }),
      keyboard: resultButtons(detail),
      replyTo: row.message_id ?? undefined,
    });
    await updateRow(tools.db, row, { state: "closed", againInMs: 0 });
  } catch (thrown) {
    const failure = explainFailure(thrown);
    if (failure.kind === "refused" || failure.kind === "unchanged" || failure.kind === "gone") {
      tools.log(
        "warn",
        { session: row.number, chat: row.chat_id, error: failure.error },
        "a chat takes no result",
      );
      return await updateRow(tools.db, row, { state: "closed", againInMs: 0, error: failure.error });
    }
    if (await hasProbablyArrived(tools.api, failure)) {
      return await updateRow(tools.db, row, { state: "closed", againInMs: 0, error: failure.error });
    }
    await updateRow(tools.db, row, { state: "closing", ...retry(row, failure) });
  }
}

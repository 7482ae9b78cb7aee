import { HttpError, type Transformer } from "grammy";
import { describe, expect, it } from "vitest";
import { retryCalls } from "../../bot/retry_calls.ts";
import { NotSentError } from "../../bot/telegram_fetch.ts";

/** How often a call leaves when its first try fails so, and whether it succeeds in the end. */
async function triesOf(method: string, error: Error): Promise<{ tries: number; succeeded: boolean }> {
  let tries = 0;
  const prev = (() => {
    if (++tries === 1) throw new HttpError("failed", error);
    return Promise.resolve({ ok: true, result: true });
  }) as unknown as Parameters<Transformer>[0];
  const call = retryCalls()(prev, method as "sendMessage", { chat_id: 1, text: "hi" }, undefined);
  const succeeded = await call.then(() => true, () => false);
  return { tries, succeeded };
}

describe("a call to the Bot API that failed", () => {
  it.each(["sendMessage", "sendPhoto", "answerCallbackQuery"])(
    "before it was sent is made again (%s)",
    async (method) => {
      expect(await triesOf(method, new NotSentError("ECONNREFUSED"))).toEqual({ tries: 2, succeeded: true });
    },
  );

  it("after it was sent is made again only where twice is the same as once", async () => {
    const lost = new Error("other side closed");
    expect(await triesOf("sendMessage", lost)).toEqual({ tries: 1, succeeded: false });
    expect(await triesOf("editMessageText", lost)).toEqual({ tries: 2, succeeded: true });
  });
});

/** Calls whose outcome nobody knows: the list, and an operator's word on them after a question. */
import { InlineKeyboard } from "grammy";
import { z } from "zod";
import { UserError } from "../../lib/errors.ts";
import { formatUsd } from "../../lib/money.ts";
import { ask, type ConfirmedAction } from "../ask.ts";
import { buttonData, readNumber } from "../button_data.ts";
import type { DeskContext } from "../context.ts";
import { Feature } from "../feature.ts";
import type { Kit } from "../kit.ts";
import { blocks, count, plain, strong } from "../replies/format.ts";
import { CALLS_SHOWN, describeUnknown, listCalls, summariseResolved, sumOf } from "../replies/recovery.ts";
import { reply } from "../speak.ts";

export function unknownCallsFeature(kit: Kit): Feature {
  return new Feature(kit)
    .button("unknown", "viewer", async (ctx, [number]) => {
      const wanted = readNumber(number);
      if (wanted !== null) await showUnknown(kit, ctx, wanted);
    })
    .button("verdict", "operator", async (ctx, [number, verdict]) => {
      const wanted = readNumber(number);
      if (wanted !== null && (verdict === "paid" || verdict === "unpaid")) {
        await askForVerdict(kit, ctx, wanted, verdict);
      }
    });
}

async function showUnknown(kit: Kit, ctx: DeskContext, number: number): Promise<void> {
  const calls = await kit.desk.unknownCalls(number);
  const keyboard = new InlineKeyboard();
  if (calls.length > 0 && ctx.person.role === "operator") {
    keyboard.text("All were paid", buttonData("verdict", number, "paid"))
      .text("None was paid", buttonData("verdict", number, "unpaid"));
  }
  await reply(ctx, { text: describeUnknown(calls, { now: kit.now(), zone: kit.zone }), keyboard });
}

async function askForVerdict(
  kit: Kit,
  ctx: DeskContext,
  number: number,
  verdict: "paid" | "unpaid",
): Promise<void> {
  const calls = await kit.desk.unknownCalls(number);
  if (calls.length === 0) throw new UserError(`Session ${number} has no unknown calls any more.`);
  const shown = calls.slice(0, CALLS_SHOWN);
  const sum = formatUsd(sumOf(shown));
  await ask(kit, ctx, {
    kind: "unknown",
    // Calls that become unknown while this waits are not among them: nobody has looked those up.
    request: { number, verdict, callIds: shown.map(({ call_id }) => call_id) },
    text: blocks(
      strong(`Record ${count(shown.length, "call")} as ${verdict === "paid" ? "paid" : "not paid"}?`),
      listCalls(calls, { now: kit.now(), zone: kit.zone }),
      plain(
        verdict === "paid"
          ? `${sum} stays charged to session ${number}.`
          : `${sum} goes back to session ${number}, and to the day. Only if the provider's usage does not show them.`,
      ),
    ),
    yes: verdict === "paid" ? "They were paid" : "They were not paid",
    no: "Leave it open",
  });
}

export const verdictConfirmed: ConfirmedAction = async ({ desk, progress }, { request }, actor) => {
  const { number, verdict, callIds } = z.object({
    number: z.number().int(),
    verdict: z.enum(["paid", "unpaid"]),
    callIds: z.array(z.number().int()),
  }).parse(request);
  const resolved = await desk.resolveUnknown({ session: number, callIds }, verdict, actor);
  await progress.hurry(resolved.session);
  return { outcome: summariseResolved(resolved, verdict, callIds.length) };
};

/** Answers to questions: the row decides whether a tap counts, then the confirmed action runs. */
import {
  type Answer,
  concludeConfirmation,
  type Confirmation,
  type ConfirmationKind,
  consumeConfirmation,
} from "../confirmations.ts";
import type { ConfirmedAction, Done } from "../ask.ts";
import type { DeskContext } from "../context.ts";
import { Feature } from "../feature.ts";
import type { Kit } from "../kit.ts";
import { UserError } from "../../lib/errors.ts";
import { clock, plain } from "../replies/format.ts";
import { oneLine } from "../replies/plain_text.ts";
import { change, placeOf, toast } from "../speak.ts";

export function confirmationsFeature(kit: Kit, actions: Record<ConfirmationKind, ConfirmedAction>): Feature {
  const feature = new Feature(kit);
  for (const answer of ["yes", "no"] as const) {
    feature.button(answer, "operator", (ctx, [token]) => settle(kit, actions, ctx, token ?? "", answer));
  }
  return feature;
}

async function settle(
  kit: Kit,
  actions: Record<ConfirmationKind, ConfirmedAction>,
  ctx: DeskContext,
  token: string,
  answer: Answer,
): Promise<void> {
  const message = ctx.callbackQuery?.message?.message_id;
  if (message === undefined) return;
  const { chat } = placeOf(ctx);
  const tap = await consumeConfirmation(kit.db, { token, answer, chat, message, user: ctx.person.id });
  switch (tap.kind) {
    case "consumed":
      return answer === "yes"
        ? await carryOut(kit, actions, ctx, tap.confirmation)
        : await decline(kit, ctx, tap.confirmation);
    case "used":
      if (answer === "yes" && (tap.cutOff || isHalfDone(kit, ctx, tap.confirmation))) {
        return await carryOut(kit, actions, ctx, tap.confirmation);
      }
      await toast(ctx, describeUsed(tap.confirmation), true);
      return await finishShowing(kit, ctx, tap.confirmation);
    case "expired":
      await toast(ctx, "Too late: this question has expired. Ask again.", true);
      return await change(ctx, { text: plain("Expired without an answer. Nothing was done.") });
    case "not_yours":
      return void await toast(ctx, "Somebody else asked this; only they can answer. Ask for yourself.", true);
    case "unknown":
      return void await toast(ctx, "This button is of no use any more.", true);
  }
}

async function carryOut(
  kit: Kit,
  actions: Record<ConfirmationKind, ConfirmedAction>,
  ctx: DeskContext,
  confirmation: Confirmation,
): Promise<void> {
  let done: Done;
  try {
    done = await actions[confirmation.kind](kit, confirmation, ctx.person.actor);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    done = { outcome: error.message, text: plain(`Not done. ${error.message}`) };
  }
  kit.log(
    "info",
    { kind: confirmation.kind, actor: ctx.person.actor, outcome: done.outcome },
    "a question was answered with yes",
  );
  await concludeConfirmation(kit.db, confirmation.token, done.outcome);
  // Before Telegram is spoken to: whatever happens to that, the message shows the session from now on.
  if (done.watch) {
    await kit.progress.watch(done.watch, placeOf(ctx), confirmation.message_id, "something else");
    kit.progress.poke();
  }
  await toast(ctx, done.outcome, done.text !== undefined && done.watch === undefined);
  if (!done.watch) await change(ctx, { text: done.text ?? plain(done.outcome) });
}

/** Done, but the process died before the message showed it. One that shows a session is edited by itself. */
async function finishShowing(kit: Kit, ctx: DeskContext, { kind, outcome }: Confirmation): Promise<void> {
  if (outcome === null || !kit.isRetried(ctx.update) || kind === "start" || kind === "recover") return;
  await change(ctx, { text: plain(outcome) });
}

async function decline(kit: Kit, ctx: DeskContext, { token }: Confirmation): Promise<void> {
  const outcome = "Nothing was done.";
  await concludeConfirmation(kit.db, token, outcome);
  await toast(ctx, outcome);
  const who = oneLine(ctx.from?.first_name ?? "", 40) || "somebody";
  await change(ctx, {
    text: plain(`Declined by ${who} at ${clock(kit.now(), kit.zone, kit.now())}. ${outcome}`),
  });
}

/** The process that began to carry out this very tap died over it: actions are safe to repeat, so this one goes on. */
function isHalfDone(kit: Kit, ctx: DeskContext, { answer, outcome }: Confirmation): boolean {
  return answer === "yes" && outcome === null && kit.isRetried(ctx.update);
}

function describeUsed({ outcome, answer }: Confirmation): string {
  if (outcome !== null) {
    return answer === "yes" ? `Answered already. ${outcome}` : "Declined already. Nothing was done.";
  }
  return "This is being carried out, or was cut off. /status shows what came of it.";
}

/** /pause, /resume and /cancel, typed or by button. Cancelling cannot be undone, so it asks. */
import { z } from "zod";
import { isLive, type Session } from "../../lib/batches/types.ts";
import { UserError } from "../../lib/errors.ts";
import { FORMS, readSessionNumber } from "../arguments.ts";
import { ask, type ConfirmedAction } from "../ask.ts";
import { readNumber } from "../button_data.ts";
import type { DeskContext } from "../context.ts";
import { Feature } from "../feature.ts";
import type { Kit } from "../kit.ts";
import { blocks, count, duration, plain, strong } from "../replies/format.ts";
import { headline } from "../replies/session.ts";
import { placeOf, reply, toast } from "../speak.ts";

/** A command that waited longer than this for the bot to come back is asked for again before it spends, ms. */
const STALE_AFTER_MS = 10 * 60_000;
const STALE_PRESS = "This was pressed while I was away, and was not carried out. Press it again";

export function steeringFeature(kit: Kit): Feature {
  const feature = new Feature(kit)
    .command("pause", "hold a session; what is under way finishes", "operator", async (ctx, text) => {
      const number = await numberOf(kit, readSessionNumber(text, FORMS.session("pause")));
      await reply(ctx, { text: plain(await pause(kit, number, ctx.person.actor)) });
    })
    .command("resume", "go on with a paused session", "operator", async (ctx, text) => {
      refuseStale(kit, ctx);
      const number = await numberOf(kit, readSessionNumber(text, FORMS.session("resume")));
      const session = await resume(kit, number, ctx.person.actor);
      await reply(ctx, { text: headline(session) });
    })
    .command("cancel", "end a session for good; asks first", "operator", async (ctx, text) => {
      await askToCancel(kit, ctx, await numberOf(kit, readSessionNumber(text, FORMS.session("cancel"))));
    });
  return feature
    .button("pause", "operator", async (ctx, [number]) => {
      await withSession(kit, ctx, number, async (session) => {
        await toast(ctx, await pause(kit, session.number, ctx.person.actor));
      });
    })
    .button("resume", "operator", async (ctx, [number]) => {
      await withSession(kit, ctx, number, async ({ number, status }) => {
        // A press has no time. But Telegram takes an answer only while somebody waits for it, so the answer goes first.
        const inTime = status !== "PAUSED" || await toast(ctx, `Session ${number} goes on.`);
        if (!inTime) throw new UserError(STALE_PRESS);
        await resume(kit, number, ctx.person.actor);
      });
    })
    .button("cancel", "operator", async (ctx, [number]) => {
      await withSession(kit, ctx, number, (session) => askToCancel(kit, ctx, session.number));
    });
}

/** Runs a button's action; a press proves that its message has arrived. */
async function withSession(
  kit: Kit,
  ctx: DeskContext,
  number: string | undefined,
  act: (session: Session) => Promise<void>,
): Promise<void> {
  const wanted = readNumber(number);
  const message = ctx.callbackQuery?.message?.message_id;
  if (wanted === null || message === undefined) return;
  const { session } = await kit.desk.progress(wanted);
  await kit.progress.found(session, placeOf(ctx), message);
  await act(session);
}

async function numberOf({ desk }: Kit, number: number | null): Promise<number> {
  return number ?? (await desk.session(null)).session.number;
}

async function pause(kit: Kit, number: number, actor: string): Promise<string> {
  const session = await kit.desk.pause(number, actor);
  const { processing } = await kit.desk.progress(number);
  await kit.progress.hurry(session);
  const rest = processing > 0 ? ` ${count(processing, "article")} under way will still finish.` : "";
  return `Session ${number} is paused.${rest}`;
}

async function resume(kit: Kit, number: number, actor: string): Promise<Session> {
  const session = await kit.desk.resume(number, actor);
  await kit.wake(session);
  await kit.progress.hurry(session);
  return session;
}

async function askToCancel(kit: Kit, ctx: DeskContext, number: number): Promise<void> {
  const { session, done, processing } = await kit.desk.progress(number);
  if (!isLive(session.status)) {
    throw new UserError(`Cannot cancel session ${number}: wanted one that is live, it is ${session.status}`);
  }
  const left = session.total - done - processing;
  const under = processing > 0 ? ` ${count(processing, "article")} under way will finish.` : "";
  await ask(kit, ctx, {
    kind: "cancel",
    request: { number },
    text: blocks(
      strong(`Cancel session ${number}?`),
      plain(`${count(left, "article")} will be left for another session.${under} This cannot be undone.`),
    ),
    yes: "Cancel it",
    no: "Keep it going",
  });
}

export const cancelConfirmed: ConfirmedAction = async (kit, { request }, actor) => {
  const { number } = z.object({ number: z.number().int() }).parse(request);
  const session = await kit.desk.cancel(number, actor);
  await kit.progress.hurry(session);
  return { outcome: `Session ${number} was cancelled: ${session.analyzed} of ${session.total} analysed.` };
};

/** The bot was away for a while: what was wanted then may not be wanted now, and this one spends. */
function refuseStale(kit: Kit, ctx: DeskContext): void {
  const age = kit.now().getTime() - (ctx.message?.date ?? 0) * 1_000;
  if (age <= STALE_AFTER_MS) return;
  throw new UserError(
    `This was sent ${duration(age)} ago, while I was away, and was not carried out. Send it again`,
  );
}

/** /status and /sessions: what is at work, what was, and everything about one of them. */
import { InlineKeyboard } from "grammy";
import { isLive } from "../../lib/batches/types.ts";
import { NotFoundError } from "../../lib/errors.ts";
import { FORMS, readSessionNumber } from "../arguments.ts";
import { buttonData, readNumber } from "../button_data.ts";
import type { DeskContext } from "../context.ts";
import { Feature } from "../feature.ts";
import type { Kit } from "../kit.ts";
import { describeProgress, sessionButtons } from "../replies/session.ts";
import {
  ARTICLES_A_PAGE,
  describeDetails,
  describeItems,
  detailButtons,
  itemButtons,
} from "../replies/session_details.ts";
import { describeSessions, SESSIONS_A_PAGE } from "../replies/session_list.ts";
import { describeResult, resultButtons } from "../replies/session_result.ts";
import { change, placeOf, reply, type Saying } from "../speak.ts";

export function sessionsFeature(kit: Kit): Feature {
  return new Feature(kit)
    .command("status", "the session at work, or the last one", "viewer", async (ctx, text) => {
      await showStatus(kit, ctx, readSessionNumber(text, FORMS.session("status")));
    })
    .command("sessions", "the last sessions", "viewer", async (ctx) => {
      await reply(ctx, await listPage(kit, null));
    })
    .button("sessions", "viewer", async (ctx, [before]) => {
      await change(ctx, await listPage(kit, readNumber(before)));
    })
    .button("status", "viewer", async (ctx, [number]) => {
      await showStatus(kit, ctx, readNumber(number));
    })
    .button("details", "viewer", async (ctx, [number, after]) => {
      const wanted = readNumber(number);
      if (wanted === null) return;
      // On the progress message the details would be gone with its next edit.
      const show = after === undefined && !isDetailsMessage(ctx) ? reply : change;
      await show(ctx, await details(kit, wanted, readNumber(after)));
    });
}

/** A live session's status is its progress message: edited from here on, in place of an older one in this chat. */
async function showStatus(kit: Kit, ctx: DeskContext, number: number | null): Promise<void> {
  const clock = { now: kit.now(), zone: kit.zone };
  const detail = await kit.desk.session(number);
  const { session } = detail;
  if (!isLive(session.status)) {
    await reply(ctx, { text: describeResult(detail, clock), keyboard: resultButtons(detail) });
    return;
  }
  const message = await reply(ctx, {
    text: describeProgress(detail, clock),
    keyboard: sessionButtons(session),
  });
  const before = await kit.progress.watch(session, placeOf(ctx), message.message_id, "progress");
  if (before !== null) await retire(kit, placeOf(ctx).chat, before);
}

/** The older message would stand still for ever: it goes, or keeps at least no buttons. */
async function retire(kit: Kit, chat: number, message: number): Promise<void> {
  await kit.api.deleteMessage(chat, message)
    .catch(() => kit.api.editMessageReplyMarkup(chat, message))
    .catch((error: Error) => kit.log("debug", { error: error.message }, "an old progress message stays"));
}

async function listPage(kit: Kit, before: number | null): Promise<Saying> {
  const sessions = await kit.desk.sessions(SESSIONS_A_PAGE + 1, before ?? undefined);
  if (sessions.length === 0) throw new NotFoundError("There is no session yet. /start_batch starts one.");
  const page = sessions.slice(0, SESSIONS_A_PAGE);
  const keyboard = new InlineKeyboard();
  for (const [index, { number }] of page.entries()) {
    if (index % 5 === 0) keyboard.row();
    keyboard.text(`#${number}`, buttonData("status", number));
  }
  keyboard.row();
  if (before !== null) keyboard.text("◀ Newest", buttonData("sessions"));
  const last = page.at(-1);
  if (sessions.length > page.length && last) keyboard.text("Older ▶", buttonData("sessions", last.number));
  return { text: describeSessions(page, { now: kit.now(), zone: kit.zone }), keyboard };
}

async function details(kit: Kit, number: number, after: number | null): Promise<Saying> {
  const detail = await kit.desk.session(number);
  const { session } = detail;
  if (after === null) {
    return {
      text: describeDetails(detail, { now: kit.now(), zone: kit.zone }),
      keyboard: detailButtons(session),
    };
  }
  const items = await kit.desk.items(number, { after, limit: ARTICLES_A_PAGE });
  return { text: describeItems(session, items, after), keyboard: itemButtons(session, items, after) };
}

/** Messages with details have a button that leads to the articles; others do not. */
function isDetailsMessage(ctx: DeskContext): boolean {
  const message = ctx.callbackQuery?.message;
  const rows = message && "reply_markup" in message ? message.reply_markup?.inline_keyboard ?? [] : [];
  return rows.flat().some((button) =>
    "callback_data" in button && /^1:details:\d+:\d+$/.test(button.callback_data)
  );
}

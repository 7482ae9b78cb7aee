/** Asks before something is done that spends money or cannot be undone. */
import { InlineKeyboard } from "grammy";
import type { FormattedString } from "@grammyjs/parse-mode";
import { buttonData } from "./button_data.ts";
import {
  bindMessage,
  type Confirmation,
  CONFIRMATION_MINUTES,
  type ConfirmationKind,
  createConfirmation,
} from "./confirmations.ts";
import type { DeskContext } from "./context.ts";
import type { Kit } from "./kit.ts";
import { blocks, plain } from "./replies/format.ts";
import { placeOf, reply } from "./speak.ts";
import type { Session } from "../lib/batches/types.ts";

export interface Question {
  kind: ConfirmationKind;
  /** What would be done, whole: what is confirmed is what was shown, whatever the settings say then. */
  request: Record<string, unknown>;
  text: FormattedString;
  /** What stands on the buttons. */
  yes: string;
  no: string;
}

export async function ask(
  kit: Kit,
  ctx: DeskContext,
  { kind, request, text, yes, no }: Question,
): Promise<void> {
  const token = await createConfirmation(kit.db, {
    kind,
    request,
    chat: placeOf(ctx).chat,
    user: ctx.person.id,
  });
  const message = await reply(ctx, {
    text: blocks(text, plain(`Valid ${CONFIRMATION_MINUTES} minutes, for whoever asked.`)),
    keyboard: new InlineKeyboard().text(yes, buttonData("yes", token)).text(no, buttonData("no", token)),
  });
  await bindMessage(kit.db, token, message.message_id);
}

/** What came of a yes. */
export interface Done {
  /** One line, also for whoever presses the button again. */
  outcome: string;
  /** What the message shows from now on; the outcome unless given. */
  text?: FormattedString;
  /** The message becomes the progress message of this session. */
  watch?: Session;
}

/**
 * Does what was confirmed. Must be safe to repeat: after a crash in the middle it is done once more. Throws `UserError`
 * when it cannot be done.
 */
export type ConfirmedAction = (kit: Kit, confirmation: Confirmation, actor: string) => Promise<Done>;

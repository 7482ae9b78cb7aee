/** What Telegram demands of a reply markup. */
import { Buffer } from "node:buffer";
import type { InlineKeyboardMarkup } from "grammy/types";
import { badRequest } from "./api_error.ts";
import type { Params } from "./params.ts";

export type Keyboard = InlineKeyboardMarkup["inline_keyboard"];

/** `callback_data` in bytes. */
const MAX_DATA = 64;
const MAX_BUTTONS = 100;
const MAX_ROW = 8;
/** Of those that a button can have, the ones that bots of this kind use. */
const ACTIONS = ["callback_data", "url", "copy_text", "switch_inline_query", "web_app"];

/** The inline keyboard of a call; null without one, and for the other kinds of reply markup. Throws 400. */
export function readKeyboard(params: Params): Keyboard | null {
  const markup = params.json("reply_markup");
  if (markup === null) return null;
  if (typeof markup !== "object" || Array.isArray(markup)) {
    throw badRequest("object expected as reply markup");
  }
  if (["keyboard", "remove_keyboard", "force_reply"].some((kind) => kind in markup)) return null;
  const rows = (markup as Partial<InlineKeyboardMarkup>).inline_keyboard;
  if (!Array.isArray(rows) || !rows.every(Array.isArray)) {
    throw badRequest('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays');
  }
  if (rows.flat().length > MAX_BUTTONS || rows.some((row) => row.length > MAX_ROW)) {
    throw badRequest("REPLY_MARKUP_TOO_LONG");
  }
  rows.flat().forEach(checkButton);
  const filled = rows.filter((row) => row.length > 0);
  return filled.length > 0 ? filled : null;
}

function checkButton(button: Keyboard[number][number]): void {
  if (typeof button.text !== "string" || button.text.trim() === "") {
    throw badRequest("inline keyboard button text must be non-empty");
  }
  const actions = ACTIONS.filter((action) => action in button);
  if (actions.length !== 1) throw badRequest("text buttons are unallowed in the inline keyboard");
  if ("callback_data" in button) {
    const bytes = Buffer.byteLength(String(button.callback_data));
    if (bytes < 1 || bytes > MAX_DATA) throw badRequest("BUTTON_DATA_INVALID");
  }
  if ("url" in button && !/^(https?|tg):\/\/[^\s/]+/.test(button.url)) {
    throw badRequest("BUTTON_URL_INVALID");
  }
}

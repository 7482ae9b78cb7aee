/** Long answers as pages of one message, turned by buttons. */
import type { FormattedString } from "@grammyjs/parse-mode";
import { InlineKeyboard } from "grammy";
import { blocks } from "./replies/format.ts";
import { splitMessage } from "./split_message.ts";

/** About two screens of a phone; far below what a message may have. */
export const PAGE_LENGTH = 1_800;

/** Fills pages with whole sections; a section that is longer than a page is parted between its lines. */
export function paginate(sections: readonly FormattedString[], length = PAGE_LENGTH): FormattedString[] {
  const pages: FormattedString[] = [];
  let page: FormattedString[] = [];
  let filled = 0;
  for (const part of sections.flatMap((section) => splitMessage(section, length))) {
    if (page.length > 0 && filled + part.text.length + 2 > length) {
      pages.push(blocks(...page));
      page = [];
      filled = 0;
    }
    page.push(part);
    filled += part.text.length + 2;
  }
  if (page.length > 0) pages.push(blocks(...page));
  return pages;
}

/**
 * Buttons to the page before and after; none for a single page.
 * @param data What stands behind the button of a page.
 */
export function pageButtons(page: number, pages: number, data: (page: number) => string): InlineKeyboard {
  const keyboard = new InlineKeyboard();
  if (pages < 2) return keyboard;
  if (page > 0) keyboard.text(`◀ ${page}`, data(page - 1));
  keyboard.text(`${page + 1} of ${pages}`, data(page));
  if (page < pages - 1) keyboard.text(`${page + 2} ▶`, data(page + 1));
  return keyboard;
}

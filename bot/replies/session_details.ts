/** Everything about one session, in pages: batches and failures first, then its articles. */
import { bold, fmt, FormattedString } from "@grammyjs/parse-mode";
import { InlineKeyboard } from "grammy";
import { aroundWork } from "../../lib/batches/read_batches.ts";
import type { SessionArticle } from "../../lib/batches/read_items.ts";
import type { Session } from "../../lib/batches/types.ts";
import type { SessionDetail } from "../../lib/desk.ts";
import { formatUsd } from "../../lib/money.ts";
import { buttonData } from "../button_data.ts";
import type { Clock } from "./estimate.ts";
import { ago, blocks, lines, plain, strong, table } from "./format.ts";
import { nameActor } from "./people.ts";
import { oneLine } from "./plain_text.ts";
import { headline, MARKS } from "./session.ts";
import { missing } from "./session_result.ts";

/** Batches that one page shows; a session of 200 articles has 20. */
export const BATCHES_SHOWN = 12;
export const ARTICLES_A_PAGE = 12;

export function describeDetails(detail: SessionDetail, { now }: Clock): FormattedString {
  const { session, failures } = detail;
  const { settings } = session;
  const facts = [
    `Started by ${nameActor(session.started_by)}`,
    `Batches of ${settings.batchSize}, ${
      settings.batchDelayMs / 1000
    } s apart, ${settings.maxAttempts} tries`,
    settings.research === "off" ? null : `Research: ${settings.research}`,
    session.ungrounded > 0 ? `${session.ungrounded} quotes dropped: not in their articles` : null,
    session.stale_writes > 0 ? `${session.stale_writes} late writes refused` : null,
    `Last progress ${ago(session.last_progress_at, now)}`,
  ].filter((fact) => fact !== null);
  return blocks(
    headline(session),
    lines(...facts.map(plain)),
    failures.length > 0 || session.skipped > 0 ? missing(detail) : null,
    describeBatches(detail),
  );
}

/** The batches that people ask about are those at work and next to it. */
function describeBatches({ batches, batch_count }: SessionDetail): FormattedString {
  const shown = aroundWork(batches, BATCHES_SHOWN);
  const [first, last] = [shown.at(0), shown.at(-1)].map((batch) => batch?.batch_number);
  const rows = shown.map(({ batch_number, status, processed, total, actual_cost }) => [
    String(batch_number),
    status.toLowerCase(),
    `${processed}/${total}`,
    formatUsd(actual_cost),
  ]);
  return lines(
    shown.length < batch_count ? plain(`Batches ${first} to ${last} of ${batch_count}`) : null,
    table([["#", "state", "read", "cost"], ...rows], [0, 2, 3]),
  );
}

export function detailButtons({ number }: Session): InlineKeyboard {
  return new InlineKeyboard().text("Articles", buttonData("details", number, 0)).text(
    "Refresh",
    buttonData("details", number),
  );
}

const ITEM_MARKS: Record<SessionArticle["status"], string> = {
  PENDING: "·",
  PROCESSING: "▶️",
  ANALYZED: "✅",
  FAILED: "🔴",
  SKIPPED: "⏭",
};

/** @param after The position after which the page begins. */
export function describeItems(
  session: Session,
  items: readonly SessionArticle[],
  after: number,
): FormattedString {
  if (items.length === 0) return plain(`Session ${session.number} has no more articles.`);
  const last = items.at(-1)?.position ?? after;
  return blocks(
    strong(
      `${MARKS[session.status]} Session ${session.number}, articles ${
        after + 1
      } to ${last} of ${session.total}`,
    ),
    lines(...items.map(describeItem)),
  );
}

function describeItem(item: SessionArticle): FormattedString {
  const told = [
    item.signal_strength === null ? null : `signal ${item.signal_strength.toFixed(2)}`,
    item.cost > 0 ? formatUsd(item.cost) : null,
    item.status === "ANALYZED" ? null : item.reason ?? item.error_class?.replaceAll("_", " ") ?? null,
    item.attempts > 1 ? `${item.attempts} tries` : null,
  ].filter((part) => part !== null).join(", ");
  return fmt`${ITEM_MARKS[item.status]} ${bold}#${String(item.article_id)}${bold} ${oneLine(item.title, 70)}${
    told === "" ? "" : ` (${oneLine(told, 80)})`
  }`;
}

export function itemButtons(
  { number, total }: Session,
  items: readonly SessionArticle[],
  after: number,
): InlineKeyboard {
  const keyboard = new InlineKeyboard();
  if (after > 0) keyboard.text("◀", buttonData("details", number, Math.max(0, after - ARTICLES_A_PAGE)));
  keyboard.text("Overview", buttonData("details", number));
  const last = items.at(-1)?.position ?? total;
  if (last < total) keyboard.text("▶", buttonData("details", number, last));
  for (const [index, item] of items.filter(({ status }) => status === "ANALYZED").entries()) {
    if (index % 4 === 0) keyboard.row();
    keyboard.text(`#${item.article_id}`, buttonData("analysis", item.article_id));
  }
  return keyboard;
}

/** A message as lines of a terminal: formatting as colours, buttons as numbers. Pure. */
import type { InlineKeyboardButton, MessageEntity } from "grammy/types";
import type pc from "picocolors";
import wrapAnsi from "wrap-ansi";
import { safe } from "../../lib/safe_text.ts";
import type { LocalMessage } from "./local_chat.ts";

export type Colors = ReturnType<typeof pc.createColors>;

export interface RenderOptions {
  colors: Colors;
  /** Columns of the terminal. */
  columns: number;
  numberOf(message: LocalMessage, button: InlineKeyboardButton.CallbackButton): number;
}

/** Stands left of everything the bot says, so that it is told apart from what a person typed. */
const GUTTER = "▎";
/** Stands left of what is quoted. */
const QUOTE = "│ ";

export function renderMessage(message: LocalMessage, options: RenderOptions): string[] {
  const { colors } = options;
  const body = styleText(message.text, message.entities, colors).split("\n");
  if (message.picture !== null) body.unshift(`${colors.bold("Picture")} ${safe(message.picture)}`);
  return [...body, ...renderButtons(message, options)].flatMap((line) => fold(line, options));
}

/** What a message says in one line, for edits of one that has scrolled away. */
export function renderBrief(message: LocalMessage, { colors, columns }: RenderOptions): string {
  const said = visible(message.text).split("\n").map((line) => line.replaceAll(/\s+/g, " ").trim());
  const line = [...said.filter((each) => each !== "").join(" · ")];
  const room = roomIn(columns);
  const shown = line.length <= room ? line : [...line.slice(0, room - 1), "…"];
  return `${colors.cyan(GUTTER)} ${colors.dim(shown.join(""))}`;
}

function fold(line: string, { colors, columns }: RenderOptions): string[] {
  const room = roomIn(columns);
  const quote = colors.dim(QUOTE);
  if (line.startsWith(quote)) {
    return wrapAnsi(line.slice(quote.length), room - QUOTE.length, { hard: true }).split("\n")
      .map((row) => `${colors.cyan(GUTTER)} ${quote}${row}`.trimEnd());
  }
  const indent = /^ {0,12}/.exec(line)![0];
  return wrapAnsi(line.slice(indent.length), room - indent.length, { hard: true }).split("\n")
    .map((row) => row === "" ? colors.cyan(GUTTER) : `${colors.cyan(GUTTER)} ${indent}${row}`);
}

/** One column stays free: a line that fills its row would make some terminals begin another. */
function roomIn(columns: number): number {
  return Math.max(20, columns - GUTTER.length - 2);
}

function renderButtons(message: LocalMessage, { colors, numberOf }: RenderOptions): string[] {
  return message.keyboard.map((row) =>
    row.map((button) =>
      "callback_data" in button
        ? `${colors.inverse(`[${numberOf(message, button)}]`)} ${colors.bold(safe(button.text))}`
        : "url" in button
        ? `${safe(button.text)}: ${colors.underline(safe(button.url))}`
        : safe(button.text)
    ).join("  ")
  );
}

/** Formatting ranges never part a character, so a text can be cut at each of their edges. */
export function styleText(text: string, entities: readonly MessageEntity[], colors: Colors): string {
  const edges = new Set([0, text.length]);
  for (const { offset, length } of entities) edges.add(offset).add(offset + length);
  for (const line of text.matchAll(/\n/g)) edges.add(line.index).add(line.index + 1);
  const sorted = [...edges].sort((a, b) => a - b);
  return sorted.slice(1).map((end, index) => {
    const start = sorted[index]!;
    const piece = text.slice(start, end);
    const over = entities.filter(({ offset, length }) => offset <= start && end <= offset + length);
    const quoted = over.some(({ type }) => type === "blockquote" || type === "expandable_blockquote");
    const opensLine = start === 0 || text[start - 1] === "\n";
    const mark = quoted && opensLine ? colors.dim(QUOTE) : "";
    return piece === "\n" ? `${mark}\n` : `${mark}${over.reduce(paint(colors, end), visible(piece))}`;
  }).join("");
}

/** Word joiners keep Telegram from making links of what a title says; nothing does that here. */
function visible(piece: string): string {
  return safe(piece).replaceAll("\u2060", "");
}

/** @param end Where the piece ends: an address stands once, behind the last piece of its link. */
function paint(colors: Colors, end: number): (text: string, entity: MessageEntity) => string {
  return (text, entity) => {
    switch (entity.type) {
      case "bold":
        return colors.bold(text);
      case "italic":
        return colors.italic(text);
      case "underline":
        return colors.underline(text);
      case "strikethrough":
        return colors.strikethrough(text);
      case "code":
        return colors.cyan(text);
      case "text_link":
        return text === entity.url || end < entity.offset + entity.length
          ? text
          : `${text} ${colors.dim(`(${safe(entity.url)})`)}`;
      default:
        return text;
    }
  };
}

/** What Telegram demands of a text and its formatting, and what it makes of them. */
import type { MessageEntity } from "grammy/types";
import { badRequest } from "./api_error.ts";
import type { Params } from "./params.ts";

export interface FormattedText {
  text: string;
  entities: MessageEntity[];
}

/** Characters after the formatting was taken out. */
export const MAX_TEXT = 4_096;
export const MAX_CAPTION = 1_024;
/** Of more, Telegram drops the rest without a word. */
export const MAX_ENTITIES = 100;

/** @param field "text" or "caption". Throws 400 for what Telegram refuses. */
export function readText(params: Params, field: "text" | "caption"): FormattedText {
  const raw = params.text(field) ?? "";
  if (!raw.isWellFormed()) throw badRequest("strings must be encoded in UTF-8");
  const given = params.json(field === "text" ? "entities" : "caption_entities") as MessageEntity[] | null;
  // Telegram knows Markdown and HTML too; nobody here writes them, so a test should hear of it.
  if (params.text("parse_mode") !== null) throw badRequest("unsupported parse_mode");
  const formatted = { text: raw, entities: given ?? [] };
  for (const entity of formatted.entities) checkEntity(entity, formatted.text);
  const clean = trim(formatted);
  if (clean.text.length > (field === "text" ? MAX_TEXT : MAX_CAPTION)) {
    throw badRequest(field === "text" ? "message is too long" : "message caption is too long");
  }
  if (field === "text" && clean.text === "") {
    throw badRequest(raw === "" ? "message text is empty" : "text must be non-empty");
  }
  return clean;
}

/** Offsets and lengths count UTF-16 units and may not part a character. */
function checkEntity({ type, offset, length }: MessageEntity, text: string): void {
  if (typeof type !== "string" || !Number.isInteger(offset) || !Number.isInteger(length) || length < 1) {
    throw badRequest("can't parse MessageEntity");
  }
  if (offset < 0 || offset + length > text.length) {
    throw badRequest(
      `entity beginning at UTF-16 offset ${offset} ends after the end of the text at UTF-16 offset ${
        offset + length
      }`,
    );
  }
  for (const edge of [offset, offset + length]) {
    if (partsPair(text, edge)) {
      throw badRequest(`entity begins or ends in a middle of a UTF-16 symbol at UTF-16 offset ${edge}`);
    }
  }
}

function partsPair(text: string, at: number): boolean {
  return at > 0 && at < text.length && /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1));
}

/** Outer white space goes, except at the start of formatting; control characters turn into spaces. */
function trim({ text, entities }: FormattedText): FormattedText {
  // deno-lint-ignore no-control-regex -- they are what is taken out
  const cleaned = text.replace(/[\u0000-\u0008\u000b-\u001f]/g, " ");
  const firstEntity = Math.min(text.length, ...entities.map(({ offset }) => offset));
  const front = Math.min(cleaned.length - cleaned.trimStart().length, firstEntity);
  const trimmed = cleaned.slice(front).trimEnd();
  const kept = entities.map((entity) => ({
    ...entity,
    offset: entity.offset - front,
    length: Math.min(entity.length, trimmed.length - (entity.offset - front)),
  })).filter(({ length }) => length > 0);
  return { text: trimmed, entities: kept.sort((a, b) => a.offset - b.offset || b.length - a.length) };
}

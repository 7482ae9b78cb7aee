/**
 * Cuts a long text into messages. Entities stay whole: a cut goes between them, at a paragraph, a line, a space or, if
 * there is nothing better, between two characters as a person counts them. Only an entity that is longer than a
 * message by itself is divided, and goes on as the same kind of entity in the next message.
 */
import { FormattedString } from "@grammyjs/parse-mode";
import type { MessageEntity } from "grammy/types";

/** UTF-16 code units, as entities are measured (Bot API, sendMessage and sendPhoto). */
export const MAX_TEXT = 4_096;
export const MAX_CAPTION = 1_024;
/** Telegram ignores what is more. */
export const MAX_ENTITIES = 100;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The parts' texts joined are the text again. An empty text has no parts. */
export function splitMessage(message: FormattedString, limit = MAX_TEXT): FormattedString[] {
  const { text, entities } = message;
  const parts: FormattedString[] = [];
  let start = 0;
  while (start < text.length) {
    const most = Math.min(start + limit, startOfSurplus(entities, start));
    const end = text.length <= most ? text.length : findCut(text, entities, { start, most, limit });
    parts.push(new FormattedString(text.slice(start, end), cutEntities(entities, start, end)));
    start = end;
  }
  return parts;
}

interface Range {
  start: number;
  /** The cut is not beyond this. */
  most: number;
  limit: number;
}

function findCut(text: string, entities: readonly MessageEntity[], { start, most, limit }: Range): number {
  const segments = graphemes.segment(text.slice(start));
  const boundaryBefore = (at: number) =>
    start + (segments.containing(at - start)?.index ?? text.length - start);
  const whole = entities.filter(({ length }) => length <= limit);
  const divides = (at: number) => whole.some(({ offset, length }) => offset < at && at < offset + length);
  const fits = (at: number) => at > start && !divides(at) && boundaryBefore(at) === at;

  const natural = findNatural(text, { start, most, limit }, fits);
  if (natural !== null) return natural;
  const edges = entities.flatMap(({ offset, length }) => [offset, offset + length]);
  const possible = [boundaryBefore(most), ...edges].filter((at) => at <= most && fits(at));
  if (possible.length > 0) return Math.max(...possible);
  // Entities that cross each other over a whole message, or one endless character.
  const boundary = boundaryBefore(most);
  return boundary > start ? boundary : most - (isLowSurrogate(text, most) ? 1 : 0);
}

/** The last place to pause: in the second half a paragraph, a line or a space; before that a line or a space. */
function findNatural(
  text: string,
  { start, most, limit }: Range,
  fits: (at: number) => boolean,
): number | null {
  const found: Partial<Record<"line" | "space" | "early line" | "early space", number>> = {};
  for (let at = most; at > start; at--) {
    const before = text[at - 1];
    if ((before !== "\n" && before !== " ") || !fits(at)) continue;
    const early = at <= start + limit / 2;
    if (early && (found.line !== undefined || found.space !== undefined)) break;
    if (!early && before === "\n" && text[at - 2] === "\n") return at;
    found[`${early ? "early " : ""}${before === "\n" ? "line" : "space"}`] ??= at;
    if (found["early line"] !== undefined) break;
  }
  return found.line ?? found.space ?? found["early line"] ?? found["early space"] ?? null;
}

/** Where the entity begins that would be one too many for a part from `start` on. */
function startOfSurplus(entities: readonly MessageEntity[], start: number): number {
  const offsets = entities.filter(({ offset, length }) => offset + length > start)
    .map(({ offset }) => offset).sort((a, b) => a - b);
  const surplus = offsets[MAX_ENTITIES];
  return surplus !== undefined && surplus > start ? surplus : Infinity;
}

function cutEntities(entities: readonly MessageEntity[], start: number, end: number): MessageEntity[] {
  return entities.flatMap((entity) => {
    const from = Math.max(entity.offset, start);
    const to = Math.min(entity.offset + entity.length, end);
    return to > from ? [{ ...entity, offset: from - start, length: to - from }] : [];
  });
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

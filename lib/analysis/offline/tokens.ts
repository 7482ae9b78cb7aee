/** Cutting plain text into blocks and tokens, with offsets, before any language model sees it. */
import { foldText } from "../ground.ts";

export interface Token {
  /** The word itself; a possessive "'s" is not part of it. */
  text: string;
  start: number;
  end: number;
  kind: "word" | "contraction" | "possessive" | "abbreviation" | "number" | "url" | "mark";
}

/** A heading, paragraph or list item of an article, folded to one line. */
export interface Block {
  text: string;
  heading: boolean;
}

/**
 * A reading unit: large enough for any paragraph people write, small enough that a text without a single line
 * break cannot hold the event loop.
 */
const MAX_BLOCK_CHARS = 4000;
const MAX_HEADING_CHARS = 90;
const BLOCK_BREAK = /\r?\n[^\S\n]*\r?\n|\r?\n(?=[^\S\n]*(?:[-*•·–]|\d{1,2}[.)]|#{1,6})[^\S\n])/;
const BULLET = /^(?:[-*•·–]|\d{1,2}[.)]|#{1,6}) /;

const TOKEN = new RegExp(
  [
    String.raw`(?<url>https?://\S{1,300})`,
    String.raw`(?<abbreviation>\b(?:\p{L}\.){2,}|\b(?:Mr|Mrs|Ms|Dr|vs|Inc|Ltd|Corp|Jr|Sr|etc)\.)`,
    String.raw`(?<contraction>\p{L}+['’](?:t|re|ve|ll|d|m)(?![\p{L}\p{N}]))`,
    String.raw`(?<possessive>\p{L}[\p{L}\p{M}\p{N}]*['’]s(?![\p{L}\p{N}]))`,
    // "v0.13.3", "bitcoin.org" and "OP_RETURN" are one word each.
    String.raw`(?<word>\p{L}[\p{L}\p{M}\p{N}]*(?:(?:\.(?=[\p{Ll}\p{N}])|_)[\p{L}\p{M}\p{N}]+)*)`,
    String.raw`(?<number>\p{N}(?:[\p{N}.,]*\p{N})?)`,
    String.raw`(?<mark>(?<first>\S)\k<first>*)`,
  ].join("|"),
  "gu",
);

/** Blocks are parted by a blank line or by a list marker at the start of a line. */
export function cutBlocks(body: string): Block[] {
  const blocks: Block[] = [];
  for (const piece of body.split(BLOCK_BREAK)) {
    const marked = foldText(piece);
    const text = marked.replace(BULLET, "");
    const heading = isHeading(text, marked.startsWith("#"));
    for (const part of cutLong(text)) blocks.push({ text: part, heading });
  }
  return blocks;
}

export function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const kind = kindOf(match.groups ?? {});
    const whole = match[0];
    tokens.push({
      text: kind === "possessive" ? whole.slice(0, -2) : whole,
      start: match.index,
      end: match.index + whole.length,
      kind,
    });
  }
  return tokens;
}

function kindOf(groups: Record<string, string | undefined>): Token["kind"] {
  if (groups.word !== undefined) return "word";
  if (groups.mark !== undefined) return "mark";
  if (groups.number !== undefined) return "number";
  if (groups.possessive !== undefined) return "possessive";
  if (groups.contraction !== undefined) return "contraction";
  return groups.url === undefined ? "abbreviation" : "url";
}

function isHeading(text: string, marked: boolean): boolean {
  return marked || (text.length <= MAX_HEADING_CHARS && !/[.!?:;…。！？؟।]["”’)]?$/u.test(text));
}

function cutLong(text: string): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > MAX_BLOCK_CHARS) {
    const at = cutPoint(rest, MAX_BLOCK_CHARS);
    parts.push(rest.slice(0, at).trim());
    rest = rest.slice(at).trim();
  }
  parts.push(rest);
  return parts.filter((part) => part !== "");
}

/** The last end of a sentence before `limit`, else the last space, else `limit` moved off a surrogate pair. */
function cutPoint(text: string, limit: number): number {
  const head = text.slice(0, limit);
  const end = Math.max(head.lastIndexOf(". "), head.lastIndexOf("。"));
  if (end > limit / 2) return end + 1;
  const space = head.lastIndexOf(" ");
  if (space > limit / 2) return space;
  const unit = text.charCodeAt(limit - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? limit - 1 : limit;
}

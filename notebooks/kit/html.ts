/**
 * HTML of a notebook's output. Titles, quotes and errors come from strangers: whatever is not `Html` already is cleaned
 * of characters that hide or steer text, and escaped.
 */
import { escapeXml } from "../../lib/charts/serialize_svg.ts";

/** Markup that is safe, with the text it shows. */
export class Html {
  constructor(readonly html: string, readonly text: string) {}
}

export type Cell = string | number | Html | null | undefined;

/** What stands for "nothing". */
const NONE = "–";
/** Direction overrides, zero-width characters and the like; joiners stay because scripts and emoji need them. */
const INVISIBLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu;

export function toHtml(value: Cell): Html {
  if (value instanceof Html) return value;
  const text = toText(value);
  return new Html(escapeXml(text), text);
}

/** The same inside of a sentence, where an empty text is nothing and spaces at its ends part it from its neighbours. */
export function inSentence(value: Cell): Html {
  if (typeof value !== "string") return toHtml(value);
  const text = cleanUp(value);
  return new Html(escapeXml(text), text);
}

function toText(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  if (typeof value === "number") return value.toLocaleString("en-US", { maximumFractionDigits: 2 });
  return cleanUp(value).trim() || NONE;
}

function cleanUp(text: string): string {
  return text.toWellFormed().replace(/\s+/g, " ").replace(INVISIBLE, "");
}

/** A link, where the address is one for a browser; else the text alone. */
export function link(text: string, url: string | null): Html {
  const shown = toHtml(text);
  if (url === null || !/^https?:\/\//i.test(url) || !URL.canParse(url)) return shown;
  const href = escapeXml(new URL(url).href);
  return new Html(`<a href="${href}" rel="noopener noreferrer nofollow">${shown.html}</a>`, shown.text);
}

/** Several pieces in one cell, each on a line of its own. */
export function lines(pieces: readonly Cell[]): Html {
  const parts = pieces.map(toHtml);
  return new Html(parts.map(({ html }) => html).join("<br>"), parts.map(({ text }) => text).join(" / "));
}

/** The words of somebody else. */
export function quote(text: string): Html {
  const shown = toHtml(text);
  return new Html(`“${shown.html}”`, `“${shown.text}”`);
}

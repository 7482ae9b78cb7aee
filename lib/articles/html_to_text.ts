import { compile, type FormatCallback } from "html-to-text";
import { cleanText } from "./clean_text.ts";

/** Deeper elements are left out: nobody nests like that but to exhaust the stack. */
const MAX_DEPTH = 256;

/** What is not text: code, styles, media, forms, and the fallbacks for browsers without them. */
const SKIPPED = [
  "script",
  "style",
  "template",
  "noscript",
  "head",
  "title",
  "svg",
  "annotation",
  "iframe",
  "object",
  "canvas",
  "audio",
  "video",
  "img",
  "button",
  "select",
  "textarea",
  "hr",
];

/** One line a table row, cells parted by " | ": columns drawn with spaces fall apart outside a terminal. */
const formatRow: FormatCallback = (element, walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 1 });
  let first = true;
  for (const cell of element.children) {
    if (cell.name !== "td" && cell.name !== "th") continue;
    if (!first) builder.addInline(" | ");
    first = false;
    walk(cell.children, builder);
  }
  builder.closeBlock({ trailingLineBreaks: 1 });
};

const heading = { format: "heading", options: { uppercase: false } };

const convert = compile({
  wordwrap: false,
  limits: { maxDepth: MAX_DEPTH, maxInputLength: undefined, ellipsis: "" },
  formatters: { row: formatRow },
  selectors: [
    { selector: "a", options: { ignoreHref: true } },
    ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, ...heading })),
    { selector: "blockquote", format: "block", options: { leadingLineBreaks: 2, trailingLineBreaks: 2 } },
    { selector: "ul", options: { itemPrefix: "- " } },
    { selector: "table", format: "block", options: { leadingLineBreaks: 2, trailingLineBreaks: 2 } },
    { selector: "tr", format: "row" },
    { selector: "dt", format: "block", options: { leadingLineBreaks: 2 } },
    { selector: "dd", format: "block", options: { leadingLineBreaks: 1 } },
    { selector: "figcaption", format: "block", options: { leadingLineBreaks: 2, trailingLineBreaks: 2 } },
    ...SKIPPED.map((selector) => ({ selector, format: "skip" })),
  ],
});

/** Rows of a table that lays out a page, as newsletters by mail have them, hold nothing but separators. */
const EMPTY_ROW = /^[| \t]*\|[| \t]*$/gm;

/** HTML of any quality -> clean plain text: paragraphs parted by a blank line, links as their text. */
export function htmlToText(html: string): string {
  return cleanText(convert(html).replace(EMPTY_ROW, ""));
}

const MARKUP =
  /<\/(?:p|div|a|span|h[1-6]|ul|ol|li|table|blockquote|strong|em|b|i|u|pre|code|script|style|section|article|html|body|figure|font|center)\s*>|<(?:br|hr|img|p|script|style|iframe)\b[^<>]*>/i;

/** Whether a text that ought to be plain has HTML in it, as many feeds' descriptions and titles do. */
export function looksLikeHtml(text: string): boolean {
  return MARKUP.test(text);
}

/** Text of which nobody knows whether it is HTML: markup is dropped, entities are decoded, line ends stay. */
export function looseTextToText(text: string): string {
  if (looksLikeHtml(text)) return htmlToText(text);
  if (!/&(?:#\w+|\w+);/.test(text)) return cleanText(text);
  // As preformatted text the line ends and every "<" survive the decoding.
  return htmlToText(`<pre>${text.replaceAll("<", "&lt;")}</pre>`);
}

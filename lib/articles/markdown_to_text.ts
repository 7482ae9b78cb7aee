import { Marked, type TokenizerAndRendererExtension } from "marked";
import { htmlToText } from "./html_to_text.ts";
import { stripLiquid } from "./strip_liquid.ts";
import { foldLabel, stripMarkdownMarks } from "./strip_markdown_marks.ts";

/**
 * What may stand between two blank lines, in UTF-16 code units: the parser's time grows with the square of it.
 * The longest block of 272 newsletters, tables and listings included, has some 2,000.
 */
const MAX_BLOCK_CHARS = 10_000;
const BLOCK_PIECE = new RegExp(`[\\s\\S]{1,${MAX_BLOCK_CHARS}}(?:\\s|$)|[\\s\\S]{${MAX_BLOCK_CHARS}}`, "g");

const FOOTNOTE_MARK = /^\[\^[^\]\s]+\]/;
/** `[text][label]` and `[text][]`, the text with brackets one level deep; "!" before it makes it an image. */
const FULL_REFERENCE = /^(!?)\[((?:\\.|[^\[\]\\]|\[[^\[\]]*\])+)\][ ]?\n?[ ]*\[([^\[\]]*)\]/;
const SHORT_REFERENCE = /^(!?)\[((?:\\.|[^\[\]\\])+)\](?![\[(:])/;

/**
 * Markdown, also a Jekyll post -> plain text by way of HTML, so that there is one way from HTML to text.
 * @param page The front matter, for the variables that the text prints.
 * @throws RangeError for quotes or lists nested so deeply (thousands) that the parser's stack does not hold them.
 */
export function markdownToText(markdown: string, page: Record<string, unknown> = {}): string {
  const stripped = stripMarkdownMarks(stripLiquid(markdown.replace(/\r\n?/g, "\n"), page));
  return htmlToText(parse(stripped.markdown, stripped.labels));
}

function parse(markdown: string, labels: Set<string>): string {
  try {
    return parserFor(labels).parse(splitHugeBlocks(markdown), { async: false });
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError("its quotes or lists are nested too deeply");
    throw error;
  }
}

/** A transcript in one endless paragraph gets paragraph breaks between words. */
function splitHugeBlocks(markdown: string): string {
  return markdown.split(/\n[ \t]*\n/)
    .map((block) => block.length <= MAX_BLOCK_CHARS ? block : block.match(BLOCK_PIECE)?.join("\n\n") ?? "")
    .join("\n\n");
}

/**
 * Reads references as their text even when nothing defines them: posts keep their definitions in a file that
 * is included, and that file is not at hand. The short form `[text]` is one only if its label was defined
 * here, else the brackets are the author's.
 */
function parserFor(labels: Set<string>): Marked {
  const reference: TokenizerAndRendererExtension = {
    name: "reference",
    level: "inline",
    start: (src) => /!?\[/.exec(src)?.index,
    tokenizer(src) {
      const footnote = FOOTNOTE_MARK.exec(src);
      if (footnote) return { type: "reference", raw: footnote[0], tokens: [] };
      const full = FULL_REFERENCE.exec(src);
      const match = full ?? SHORT_REFERENCE.exec(src);
      if (!match || (!full && !labels.has(foldLabel(match[2])))) return undefined;
      const isImage = match[1] === "!";
      return {
        type: "reference",
        raw: match[0],
        tokens: isImage ? [] : this.lexer.inlineTokens(match[2], []),
      };
    },
    renderer(token) {
      return this.parser.parseInline(token.tokens ?? []);
    },
  };
  return new Marked({ gfm: true, extensions: [reference] });
}

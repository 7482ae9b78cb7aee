import { Marked, type TokenizerAndRendererExtension } from "marked";
import { htmlToText } from "./html_to_text.ts";
import { stripLiquid } from "./strip_liquid.ts";
import { foldLabel, stripMarkdownMarks } from "./strip_markdown_marks.ts";

/** Between blank lines; the longest of 272 newsletters with their tables and listings has some 5,000. */
const MAX_BLOCK_CHARS = 50_000;

const FOOTNOTE_MARK = /^\[\^[^\]\s]+\]/;
/** `[text][label]` and `[text][]`, the text with brackets one level deep; "!" before it makes it an image. */
const FULL_REFERENCE = /^(!?)\[((?:\\.|[^\[\]\\]|\[[^\[\]]*\])+)\][ ]?\n?[ ]*\[([^\[\]]*)\]/;
const SHORT_REFERENCE = /^(!?)\[((?:\\.|[^\[\]\\])+)\](?![\[(:])/;

/**
 * Markdown, also a Jekyll post -> plain text by way of HTML, so that there is one way from HTML to text.
 * @param page The front matter, for the variables that the text prints.
 * @throws RangeError for quotes or lists nested so deeply (thousands) that the parser's stack does not hold them,
 * and for a paragraph so long that the parser, whose time grows with the square of it, would take minutes.
 */
export function markdownToText(markdown: string, page: Record<string, unknown> = {}): string {
  const stripped = stripMarkdownMarks(stripLiquid(markdown.replace(/\r\n?/g, "\n"), page));
  return htmlToText(parse(stripped.markdown, stripped.labels));
}

function parse(markdown: string, labels: Set<string>): string {
  const longest = markdown.split(/\n\s*\n/).reduce((chars, block) => Math.max(chars, block.length), 0);
  if (longest > MAX_BLOCK_CHARS) {
    throw new RangeError(`it has a paragraph of ${longest} characters, wanted at most ${MAX_BLOCK_CHARS}`);
  }
  try {
    return parserFor(labels).parse(markdown, { async: false });
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError("its quotes or lists are nested too deeply");
    throw error;
  }
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

import { Marked, type TokenizerAndRendererExtension } from "marked";
import { htmlToText } from "./html_to_text.ts";
import { stripLiquid } from "./strip_liquid.ts";
import { foldLabel, stripMarkdownMarks } from "./strip_markdown_marks.ts";

const FOOTNOTE_MARK = /^\[\^[^\]\s]+\]/;
/** `[text][label]` and `[text][]`, the text with brackets one level deep; "!" before it makes it an image. */
const FULL_REFERENCE = /^(!?)\[((?:\\.|[^\[\]\\]|\[[^\[\]]*\])+)\][ ]?\n?[ ]*\[([^\[\]]*)\]/;
const SHORT_REFERENCE = /^(!?)\[((?:\\.|[^\[\]\\])+)\](?![\[(:])/;

/**
 * Markdown, also a Jekyll post -> plain text by way of HTML, so that there is one way from HTML to text.
 * @param page The front matter, for the variables that the text prints.
 */
export function markdownToText(markdown: string, page: Record<string, unknown> = {}): string {
  const stripped = stripMarkdownMarks(stripLiquid(markdown.replace(/\r\n?/g, "\n"), page));
  return htmlToText(parserFor(stripped.labels).parse(stripped.markdown, { async: false }));
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

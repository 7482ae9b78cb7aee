import { buildItem } from "./build_item.ts";
import { splitFrontMatter, textField } from "./front_matter.ts";
import { looseTextToText } from "./html_to_text.ts";
import { markdownToText } from "./markdown_to_text.ts";
import { isWebAddress } from "./normalize_article_url.ts";
import type { IngestItem } from "./types.ts";

const DATE_IN_NAME = /^(\d{4}-\d{2}-\d{2})-/;
const FIRST_HEADING = /^#{1,2}[ \t]+(.+?)[ \t]*#*$/m;

export interface MarkdownFile {
  source: string;
  /** File name without its folder. */
  name: string;
  text: string;
}

/**
 * Makes an article of one Markdown file. Front matter gives title, date, `lang`, address and id; the file name
 * stands in for the date (YYYY-MM-DD-…) and the id. A post that is only an include has its excerpt as text.
 * Throws when the front matter is not YAML.
 */
export function markdownToItem(file: MarkdownFile, where: string, now: Date): IngestItem {
  const { fields, content } = splitFrontMatter(file.text);
  const permalink = textField(fields, "permalink", "url", "canonical_url");
  const link = isWebAddress(permalink) ? permalink : null;
  const title = textField(fields, "title") || (FIRST_HEADING.exec(content)?.[1] ?? "");
  const body = markdownToText(content, fields) ||
    markdownToText(textField(fields, "excerpt", "description", "summary"));
  return buildItem(
    {
      source: file.source,
      externalId: (link === null ? permalink : "") || textField(fields, "slug", "id") || file.name,
      link,
      title: plainTitle(title),
      body,
      language: textField(fields, "lang", "language", "locale"),
      published: textField(fields, "date", "published_at") || DATE_IN_NAME.exec(file.name)?.[1],
    },
    where,
    now,
  );
}

/** Titles are Markdown, too, but "1. Why" is not a list and "#5" is not a heading. */
function plainTitle(title: string): string {
  const text = /[*_`\[\]]/.test(title) ? markdownToText(`x ${title}`).replace(/^x /, "") : title;
  return looseTextToText(text);
}

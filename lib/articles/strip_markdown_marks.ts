/**
 * Markdown that carries no words: link definitions, labels of footnotes, attribute lists, tables of contents,
 * and the HTML boxes around Markdown that would keep a parser from reading what is inside.
 */

/** `[label]: target "title"`, the target on the next line or missing (a variable stood there). */
const DEFINITION =
  /^[ \t>]*\[(?!\^)([^\[\]\n]+)\]:(?:[ \t]*\n[ \t]+|[ \t]*)(?:(?:<[^>\n]*>|\S+)(?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\)))?)?[ \t]*$/gm;
/** The same within a line or with words after it: no definition to a parser, but no words of the text either. */
const SOURCE_LABEL = /\[(?!\^)[^\[\]\n]+\]:[ \t]*<?https?:\/\/\S+[ \t]*/g;
/** `*[HTML]: Hyper Text Markup Language` */
const ABBREVIATION = /^[ \t]*\*\[[^\]\n]+\]:.*$/gm;
/** `{:#id}`, `{: .class key="value"}`, `{::comment}`; not `{:?}` or `{:.2}`, which are program text. */
const ATTRIBUTES =
  /\{:(?:\s*(?:[#.][A-Za-z][\w.-]*|[\w-]+=(?:"[^"\n]*"|'[^'\n]*')|toc))+\s*\}|\{::[^}\n]*\}/g;
/** Pictures that an export has written into the text. */
const DATA_ADDRESS = /\]\(\s*<?data:[^)\s]*\)/gi;
const HEADING_ID = /^([ \t]{0,3}#{1,6}[ \t].*?)[ \t]*\{#[\w-]+\}[ \t]*$/gm;
const CONTENTS_LIST = /^[ \t]*(?:[*+-]|\d+[.)])[ \t][^\n]*\n[ \t]*\{:\s*toc\s*\}/gm;
const BOX = /^[ \t]*<\/?(?:div|section|article|aside|center|details|figure)\b[^>\n]*>[ \t]*$/gim;
const MARKED_BOX = /^[ \t]*<(?:blockquote|td|th|p|span)\b[^>\n]*\bmarkdown=[^>\n]*>[ \t]*$/gim;
/** `**Name: **text`, written by hand with the space on the wrong side. */
const LOOSE_STRONG = /(?<=^|\s)\*\*(?=\S)([^*\n]+?)[ \t]+\*\*(?=\S)/gm;

export interface StrippedMarkdown {
  markdown: string;
  /** The labels that were defined, folded by `foldLabel`. */
  labels: Set<string>;
}

/** Removes the marks and returns what is left with the labels of the link definitions that went. */
export function stripMarkdownMarks(markdown: string): StrippedMarkdown {
  const labels = new Set<string>();
  const rest = addTableHeads(unmarkFootnotes(markdown))
    .replace(DATA_ADDRESS, "]()")
    .replace(CONTENTS_LIST, "")
    .replace(ABBREVIATION, "")
    .replace(ATTRIBUTES, "")
    .replace(HEADING_ID, "$1")
    .replace(BOX, "")
    .replace(MARKED_BOX, "")
    .replace(LOOSE_STRONG, "**$1** ")
    .replace(DEFINITION, (_line, label: string) => {
      labels.add(foldLabel(label));
      return "";
    })
    .replace(SOURCE_LABEL, "");
  return { markdown: rest, labels };
}

/** Labels are compared without regard to case and white space. */
export function foldLabel(label: string): string {
  return label.trim().replace(/\s+/g, " ").toLowerCase();
}

/** Turns footnotes into paragraphs: the label goes, and the indentation that would make the text code. */
function unmarkFootnotes(markdown: string): string {
  const lines: string[] = [];
  let inside = false;
  let afterBlank = false;
  for (const line of markdown.split("\n")) {
    const label = /^[ \t>]*\[\^[^\]\n]+\]:/.exec(line);
    const isBlank = line.trim() === "";
    if (label) inside = true;
    else if (inside && afterBlank && !isBlank && !/^(?: {2,}|\t)/.test(line)) inside = false;
    if (label) lines.push("", line.slice(label[0].length).trimStart());
    else lines.push(inside ? line.replace(/^(?: {1,4}|\t)/, "") : line);
    afterBlank = isBlank;
  }
  return lines.join("\n");
}

/** Tables without a head are none to the parser; their first row becomes the head, which reads the same. */
function addTableHeads(markdown: string): string {
  const isRow = (line: string | undefined) => line !== undefined && /^[ \t]*\|.*\|[ \t]*$/.test(line);
  const lines = markdown.split("\n");
  return lines.flatMap((line, index) => {
    const isFirst = isRow(line) && !isRow(lines[index - 1]);
    if (!isFirst || /^[ \t]*\|[ \t]*:?-/.test(lines[index + 1] ?? "")) return [line];
    const indent = line.slice(0, line.indexOf("|"));
    const cells = line.replaceAll("\\|", "").split("|").length - 2;
    return ["", line, `${indent}|${" --- |".repeat(cells)}`];
  }).join("\n");
}

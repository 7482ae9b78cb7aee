import { parse } from "yaml";

export interface FrontMatter {
  fields: Record<string, unknown>;
  content: string;
}

const BLOCK = /^---[ \t]*\n([\s\S]*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|$)/;

/**
 * Parts the YAML front matter from the text. A text without one, or whose first block between dashes is no
 * list of fields, is all content. Throws `YAMLParseError` for YAML that does not parse.
 */
export function splitFrontMatter(text: string): FrontMatter {
  const normal = text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
  const match = BLOCK.exec(normal);
  if (!match) return { fields: {}, content: normal };
  // The core schema leaves dates as text; few aliases may be followed, so that they cannot multiply.
  const fields: unknown = parse(match[1] ?? "", { uniqueKeys: false, maxAliasCount: 50, logLevel: "error" });
  const content = normal.slice(match[0].length);
  if (fields === null) return { fields: {}, content };
  if (typeof fields !== "object" || Array.isArray(fields)) return { fields: {}, content: normal };
  return { fields: fields as Record<string, unknown>, content };
}

/** The first of the named fields that holds text or a number, as text; "" when none does. */
export function textField(fields: Record<string, unknown>, ...names: string[]): string {
  for (const name of names) {
    const value = fields[name];
    if (typeof value === "string" && value.trim() !== "") return value.trim();
    if (typeof value === "number") return String(value);
  }
  return "";
}

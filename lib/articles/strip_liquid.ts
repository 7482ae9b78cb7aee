/** The longest text that variables may add to one document: a capture printed often enough is a bomb. */
const MAX_INSERTED_CHARS = 200_000;

const COMMENT = /\{%-?\s*comment\b[^%]*%\}[\s\S]*?\{%-?\s*endcomment\s*-?%\}/g;
const CAPTURE = /\{%-?\s*capture\s+([\w-]+)\s*-?%\}([\s\S]*?)\{%-?\s*endcapture\s*-?%\}/g;
const ASSIGN = /\{%-?\s*assign\s+([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')\s*-?%\}/g;
const OUTPUT = /\{\{-?\s*([\w.-]*?)\s*-?\}\}/g;
const ANY_OUTPUT = /\{\{(?:(?!\{\{)[^\n])*?\}\}/g;
const ANY_TAG = /\{%(?:(?!\{%)[\s\S])*?%\}/g;
const INCLUDE = /\{%-?\s*include\s(?:(?!\{%)[\s\S])*?%\}/g;
const PARAMETER = /\s[\w-]+\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
/** An include's parameter with at least this many words is a text to show, not a name or an address. */
const MIN_TEXT_WORDS = 4;

/**
 * Takes Jekyll's Liquid out of a post without running it: comments go with their content, other tags go and
 * leave what they enclose, and an include leaves the texts it was given to show. An output is replaced when its value is at hand (a captured or assigned text, or
 * `page.x` from the front matter), else it goes too.
 */
export function stripLiquid(markdown: string, page: Record<string, unknown>): string {
  const variables = new Map<string, string>();
  for (const [key, value] of Object.entries(page)) {
    if (typeof value === "string") variables.set(`page.${key}`, value.trim());
  }
  const withoutBlocks = markdown
    .replace(COMMENT, "")
    .replace(INCLUDE, shownTexts)
    .replace(ASSIGN, (_tag, name: string, double?: string, single?: string) => {
      variables.set(name, double ?? single ?? "");
      return "";
    })
    .replace(CAPTURE, (_tag, name: string, content: string) => {
      variables.set(name, content.trim());
      return "";
    });
  let inserted = 0;
  const filled = withoutBlocks.replace(OUTPUT, (_output, name: string) => {
    const value = variables.get(name) ?? "";
    inserted += value.length;
    return inserted <= MAX_INSERTED_CHARS ? value : "";
  });
  return removeUntilStable(filled);
}

function shownTexts(include: string): string {
  return [...include.matchAll(PARAMETER)]
    .map(([, double, single]) => (double ?? single).trim())
    .filter((text) => text.split(/\s+/).length >= MIN_TEXT_WORDS)
    .map((text) => `\n\n${text}\n\n`).join("");
}

/** Taking one tag out may put the halves of another together. */
function removeUntilStable(text: string): string {
  let before: string;
  let after = text;
  do {
    before = after;
    after = before.replace(ANY_TAG, "").replace(ANY_OUTPUT, "");
  } while (after !== before);
  return after;
}

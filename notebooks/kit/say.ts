/** Sentences with figures in them, as an output: computed, so that they are true of whatever data is read. */
import { type Displayable, displayable } from "./displayable.ts";
import { type Cell, Html, inSentence, toHtml } from "./html.ts";

/**
 * A paragraph. What is put in is escaped; `**` in the words themselves begins and ends a stress.
 *
 *     say`Paid **${usd(total)}** for ${count} articles.`
 */
export function say(words: TemplateStringsArray, ...values: readonly Cell[]): Displayable {
  const { html, text } = weave(words, values);
  return displayable({ "text/plain": text.trim(), "text/html": `<p>${html}</p>` });
}

/** Part of a sentence, to be put into another one or into a list. */
export function part(words: TemplateStringsArray, ...values: readonly Cell[]): Html {
  return weave(words, values);
}

/** What a person would type. */
export function code(text: string): Html {
  const shown = toHtml(text);
  return new Html(`<code>${shown.html}</code>`, shown.text);
}

/** Says what is not there, and so what is not shown. */
export function missing(what: string): Displayable {
  const { html, text } = toHtml(what);
  return displayable({ "text/plain": `Missing: ${text}`, "text/html": `<p><em>Missing: ${html}</em></p>` });
}

/** A list of the points that apply; without any, `otherwise`. */
export function points(items: readonly (Cell | false)[], otherwise: string): Displayable {
  const apply = items.filter((item): item is Html | string | number =>
    item !== false && item !== null && item !== undefined
  );
  const parts = (apply.length === 0 ? [otherwise] : apply).map(toHtml);
  return displayable({
    "text/plain": parts.map(({ text }) => `- ${text}`).join("\n"),
    "text/html": `<ul>\n${parts.map(({ html }) => `<li>${html}</li>`).join("\n")}\n</ul>`,
  });
}

function weave(words: readonly string[], values: readonly Cell[]): Html {
  let html = "";
  let text = "";
  let stressed = false;
  for (const [index, literal] of words.entries()) {
    for (const [position, run] of literal.split("**").entries()) {
      if (position > 0) {
        html += stressed ? "</strong>" : "<strong>";
        stressed = !stressed;
      }
      html += run;
      text += run;
    }
    if (index >= values.length) continue;
    const value = inSentence(values[index]);
    html += value.html;
    text += value.text;
  }
  return new Html(stressed ? `${html}</strong>` : html, text.replace(/\s+/g, " "));
}

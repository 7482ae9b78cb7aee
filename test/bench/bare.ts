/** The floor: the same analyst making the same calls without desk, ledger or database. */
import { createGeminiAnalyst } from "../../lib/analysis/gemini/analyst.ts";
import type { BenchDatabase } from "./databases.ts";
import type { SessionBench, SessionFigures } from "./session.ts";

export async function runBare(_bench: BenchDatabase, options: SessionBench): Promise<SessionFigures> {
  const { articles, concurrency, geminiUrl, chars } = options;
  const analyst = createGeminiAnalyst({
    apiKey: "bench-key",
    model: "gemini-3.1-flash-lite",
    baseUrl: geminiUrl,
  });
  const body = "Node 1 relayed a block to its peers without delay. ".repeat(Math.ceil(chars / 51));
  const never = new AbortController().signal;
  let next = 0;
  const started = performance.now();
  await Promise.all(Array.from({ length: concurrency }, async () => {
    while (next < articles) {
      const id = ++next;
      const article = { id, title: `Article ${id}`, body, source: "bench", url: null, publishedAt: null };
      const result = await analyst.analyse(article, never);
      if (!result.ok) throw new Error(result.message);
    }
  }));
  const seconds = (performance.now() - started) / 1000;
  return { articles, seconds, perSecond: articles / seconds };
}

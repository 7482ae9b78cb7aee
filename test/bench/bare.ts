/** The floor: the same analyst making the same calls without desk, ledger or database. */
import { createGeminiAnalyst } from "../../lib/analysis/gemini/analyst.ts";
import { spareTime } from "../../lib/spare_time.ts";
import { BENCH_QUOTE, type BenchDatabase } from "./databases.ts";
import type { SessionBench, SessionFigures } from "./session.ts";
import { countWarmUp } from "./warm_up.ts";

export async function runBare(_bench: BenchDatabase, options: SessionBench): Promise<SessionFigures> {
  const { articles, concurrency, geminiUrl, chars } = options;
  const analyst = createGeminiAnalyst({
    apiKey: "bench-key",
    model: "gemini-3.1-flash-lite",
    baseUrl: geminiUrl,
  });
  const body = `Node 1 ${BENCH_QUOTE} `.repeat(Math.ceil(chars / 52));
  const never = new AbortController().signal;
  /**
   * As many at once as the desk, and a round prepared ahead like there: the next one leaves when an answer is there,
   * before that is read.
   */
  const work = async (count: number) => {
    const articles = Array.from({ length: count }, (_, n) => (
      { id: n + 1, title: `Article ${n + 1}`, body, source: "bench", url: null, publishedAt: null }
    ));
    const reading: Promise<void>[] = [];
    let next = 0;
    const call = (answered: () => void): Promise<void> => {
      const article = articles[next]!;
      const later = articles[next + concurrency];
      next++;
      if (later) void spareTime().then(() => analyst.prepare?.(later));
      return analyst.analyse(article, never, answered).then((result) => {
        if (!result.ok) throw new Error(result.message);
      });
    };
    const started = performance.now();
    await Promise.all(Array.from({ length: concurrency }, async () => {
      while (next < count) await new Promise<void>((answered) => reading.push(call(answered)));
    }));
    await Promise.all(reading);
    return (performance.now() - started) / 1000;
  };
  await work(countWarmUp(concurrency));
  const seconds = await work(articles);
  return { articles, seconds, perSecond: articles / seconds };
}

/** Reads what the SDK made of a search answer. Titles, addresses and excerpts are strangers' words: bounded, not trusted. */
import { z } from "zod";
import { cutText, foldLine } from "../cut_text.ts";
import type { Source } from "../schema.ts";

/** Results asked for and kept. */
export const MAX_RESULTS = 5;
const EXCERPT_LENGTH = 500;
const TITLE_LENGTH = 300;
const URL_LENGTH = 2000;
/** One basic search is 1 credit (Tavily pricing, Aug 2026); a thousand times that is not a bill but a mistake. */
const MAX_PLAUSIBLE_CREDITS = 1000;

const resultSchema = z.object({
  title: z.string(),
  url: z.string().max(URL_LENGTH),
  content: z.string().catch(""),
  score: z.number().min(0).max(1).nullable().catch(null),
  publishedDate: z.string().nullable().catch(null),
});

const answerSchema = z.object({
  results: z.array(z.unknown()),
  usage: z.object({ credits: z.number().min(0).max(MAX_PLAUSIBLE_CREDITS) }).nullable().catch(null),
});

export interface SearchAnswer {
  sources: Source[];
  /** As billed; null when the answer does not say or says nonsense. */
  credits: number | null;
}

/** Null when the answer is not a search answer. A result that is unusable is left out, the others stay. */
export function readSearchAnswer(answer: unknown): SearchAnswer | null {
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) return null;
  const sources = parsed.data.results.flatMap((result) => readSource(result) ?? []).slice(0, MAX_RESULTS);
  return { sources, credits: parsed.data.usage?.credits ?? null };
}

function readSource(result: unknown): Source | null {
  const parsed = resultSchema.safeParse(result);
  if (!parsed.success) return null;
  const { title, url, content, score, publishedDate } = parsed.data;
  const address = URL.parse(url);
  // Links are shown to people and in chats: no javascript:, data: or login-bearing addresses.
  if (!address || !/^https?:$/.test(address.protocol) || address.username || address.password) return null;
  const published = Date.parse(publishedDate ?? "");
  return {
    title: cutText(foldLine(title) || address.hostname, TITLE_LENGTH),
    url: address.href,
    published_at: Number.isFinite(published) ? new Date(published).toISOString() : null,
    score,
    excerpt: cutText(foldLine(content), EXCERPT_LENGTH),
  };
}

/** Which articles are worth an analysis: unanalysed, ACTIVE, long enough, in a language we read, newest first. */
import type { Queryable } from "../database/port.ts";

export interface IdentifierRules {
  /** An article must have more characters than this. */
  minChars: number;
  /** The most UTF-8 bytes of title and body that the model takes. */
  maxBytes: number;
  /** ISO 639-1 codes; an article without a known language passes. */
  languages: readonly string[];
}

export interface ReadyArticle {
  id: number;
  body_chars: number;
  /** UTF-8 bytes of title and body. */
  text_bytes: number;
}

export const VERDICTS = [
  "ready",
  "too_short",
  "empty",
  "wrong_language",
  "too_long",
  "in_session",
  "given_up",
  "analyzed",
] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface ArticleExample {
  id: number;
  title: string;
  chars: number;
  language: string | null;
  /** With `given_up`: why. */
  reason: string | null;
}

export interface IdentificationReport {
  total: number;
  counts: Record<Verdict, number>;
  examples: Record<Verdict, ArticleExample[]>;
}

/** Bytes of the title count too: it is part of the prompt. */
const TEXT_BYTES = "(a.body_bytes + octet_length(a.title))";
const LIVE_ITEM = `EXISTS (SELECT FROM batch_processing_items i
  WHERE i.article_id = a.id AND i.status IN ('PENDING', 'PROCESSING'))`;

/**
 * The newest ready articles. The partial index articles_unanalyzed holds only what nobody has read, in this order, so
 * the scan stops after `limit` rows however many articles there are.
 */
export async function findReady(
  db: Queryable,
  rules: IdentifierRules,
  limit: number,
): Promise<ReadyArticle[]> {
  const { rows } = await db.query<ReadyArticle>(
    `SELECT a.id, a.body_chars, ${TEXT_BYTES} AS text_bytes
     FROM articles a
     WHERE a.status = 'ACTIVE' AND a.analyzed_at IS NULL AND a.given_up IS NULL AND a.body_chars > $1
       AND (a.language IS NULL OR a.language = ANY ($2)) AND a.body_bytes <= $3 AND ${TEXT_BYTES} <= $3
       AND NOT ${LIVE_ITEM}
     ORDER BY a.published_at DESC NULLS LAST, a.id DESC
     LIMIT $4`,
    [rules.minChars, rules.languages, rules.maxBytes, limit],
  );
  return rows;
}

/** Every ACTIVE article under exactly one verdict, with up to `examples` of each, newest first. */
export async function reportIdentification(
  db: Queryable,
  rules: IdentifierRules,
  examples = 3,
): Promise<IdentificationReport> {
  const { rows } = await db.query<ArticleExample & { verdict: Verdict; in_verdict: number }>(
    `WITH judged AS (
       SELECT a.id, a.title, a.body_chars, a.language, a.given_up, a.published_at, CASE
         WHEN ${LIVE_ITEM} THEN 'in_session'
         WHEN a.analyzed_at IS NOT NULL THEN 'analyzed'
         WHEN a.given_up IS NOT NULL THEN 'given_up'
         WHEN a.body_chars = 0 THEN 'empty'
         WHEN a.body_chars <= $1 THEN 'too_short'
         WHEN a.language IS NOT NULL AND a.language <> ALL ($2) THEN 'wrong_language'
         WHEN ${TEXT_BYTES} > $3 THEN 'too_long'
         ELSE 'ready' END AS verdict
       FROM articles a WHERE a.status = 'ACTIVE'
     ),
     ranked AS (
       SELECT *, count(*) OVER (PARTITION BY verdict) AS in_verdict,
         row_number() OVER (PARTITION BY verdict ORDER BY published_at DESC NULLS LAST, id DESC) AS place
       FROM judged
     )
     SELECT id, title, body_chars AS chars, language, given_up AS reason, verdict, in_verdict
     FROM ranked WHERE place <= greatest($4, 1) ORDER BY verdict, place`,
    [rules.minChars, rules.languages, rules.maxBytes, examples],
  );
  const report: IdentificationReport = {
    total: 0,
    counts: Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0])) as Record<Verdict, number>,
    examples: Object.fromEntries(VERDICTS.map((verdict) => [verdict, []])) as unknown as Record<
      Verdict,
      ArticleExample[]
    >,
  };
  for (const { verdict, in_verdict, ...example } of rows) {
    report.counts[verdict] = in_verdict;
    if (report.examples[verdict].length < examples) report.examples[verdict].push(example);
  }
  report.total = Object.values(report.counts).reduce((sum, count) => sum + count, 0);
  return report;
}

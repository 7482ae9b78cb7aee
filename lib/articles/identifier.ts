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

/** Of a live session: on its way to being analysed, or there already and in research. */
const LIVE_ITEM = `EXISTS (SELECT FROM batch_processing_items i
  WHERE i.article_id = a.id AND i.status IN ('PENDING', 'PROCESSING'))`;
/** What the partial index articles_unanalyzed holds; all its columns are asked for, so no row is read. */
const UNREAD = "a.status = 'ACTIVE' AND a.analyzed_at IS NULL AND a.given_up IS NULL";
/** $1 to $3: the rules. Title and body go into the model, so the title's bytes count too. */
const FITS = `a.body_chars > $1 AND (a.language IS NULL OR a.language = ANY ($2)) AND a.text_bytes <= $3`;
const NEWEST_FIRST = "a.published_at DESC NULLS LAST, a.id DESC";

/** The newest ready articles: the scan of the index stops after `limit` of them however many articles there are. */
export async function findReady(
  db: Queryable,
  rules: IdentifierRules,
  limit: number,
): Promise<ReadyArticle[]> {
  const { rows } = await db.query<ReadyArticle>(
    `SELECT a.id, a.text_bytes FROM articles a
     WHERE ${UNREAD} AND ${FITS} AND NOT ${LIVE_ITEM} ORDER BY ${NEWEST_FIRST} LIMIT $4`,
    [...parametersOf(rules), limit],
  );
  return rows;
}

export async function countReady(db: Queryable, rules: IdentifierRules): Promise<number> {
  const { rows: [{ ready }] } = await db.query<{ ready: number }>(
    `SELECT count(*) AS ready FROM articles a WHERE ${UNREAD} AND ${FITS} AND NOT ${LIVE_ITEM}`,
    parametersOf(rules),
  );
  return ready;
}

/** The verdicts on an article that nobody has read, in the order in which they are found; else it is ready. */
const REFUSALS = `CASE WHEN a.body_chars = 0 THEN 'empty' WHEN a.body_chars <= $1 THEN 'too_short'
  WHEN a.language IS NOT NULL AND a.language <> ALL ($2) THEN 'wrong_language'
  WHEN a.text_bytes > $3 THEN 'too_long' ELSE 'ready' END`;

/** One pass over the articles. Who is live is joined, not asked for each: 0.2 s instead of 1 s for a million. */
const COUNTS = `
SELECT CASE WHEN i.article_id IS NOT NULL THEN 'in_session' WHEN a.analyzed_at IS NOT NULL THEN 'analyzed'
  WHEN a.given_up IS NOT NULL THEN 'given_up' ELSE ${REFUSALS} END AS verdict, count(*) AS articles
FROM articles a
LEFT JOIN batch_processing_items i ON i.article_id = a.id AND i.status IN ('PENDING', 'PROCESSING')
WHERE a.status = 'ACTIVE' GROUP BY 1`;

/** Verdicts that the rules have no part in. */
const READ: ReadonlySet<Verdict> = new Set(["in_session", "analyzed", "given_up"]);

/** Which articles have the verdict. Each finds its newest by itself: numbering all rows took most of 1.9 s. */
function withVerdict(verdict: Verdict): string {
  switch (verdict) {
    case "in_session":
      return `a.status = 'ACTIVE' AND ${LIVE_ITEM}`;
    case "analyzed":
      return `a.status = 'ACTIVE' AND a.analyzed_at IS NOT NULL AND NOT ${LIVE_ITEM}`;
    case "given_up":
      return `a.status = 'ACTIVE' AND a.analyzed_at IS NULL AND a.given_up IS NOT NULL AND NOT ${LIVE_ITEM}`;
    default:
      return `${UNREAD} AND ${REFUSALS} = '${verdict}' AND NOT ${LIVE_ITEM}`;
  }
}

/** Every ACTIVE article under exactly one verdict, with up to `examples` of each, newest first. */
export async function reportIdentification(
  db: Queryable,
  rules: IdentifierRules,
  examples = 3,
): Promise<IdentificationReport> {
  const { rows } = await db.query<{ verdict: Verdict; articles: number }>(COUNTS, parametersOf(rules));
  const counted = new Map(rows.map(({ verdict, articles }) => [verdict, articles]));
  const found = await Promise.all(
    VERDICTS.map(async (verdict) =>
      [
        verdict,
        counted.has(verdict) && examples > 0 ? await findNewest(db, rules, verdict, examples) : [],
      ] as const
    ),
  );
  return {
    total: rows.reduce((sum, { articles }) => sum + articles, 0),
    counts: Object.fromEntries(
      VERDICTS.map((verdict) => [verdict, counted.get(verdict) ?? 0]),
    ) as IdentificationReport["counts"],
    examples: Object.fromEntries(found) as IdentificationReport["examples"],
  };
}

async function findNewest(
  db: Queryable,
  rules: IdentifierRules,
  verdict: Verdict,
  limit: number,
): Promise<ArticleExample[]> {
  const parameters = [...READ.has(verdict) ? [] : parametersOf(rules), limit];
  // The ids first, out of the index where there is one; of the found ones the rest is read.
  const { rows } = await db.query<ArticleExample>(
    `SELECT a.id, a.title, a.body_chars AS chars, a.language, a.given_up AS reason
     FROM (SELECT a.id FROM articles a WHERE ${withVerdict(verdict)}
       ORDER BY ${NEWEST_FIRST} LIMIT $${parameters.length}) newest
     JOIN articles a USING (id) ORDER BY ${NEWEST_FIRST}`,
    parameters,
  );
  return rows;
}

function parametersOf({ minChars, languages, maxBytes }: IdentifierRules): unknown[] {
  return [minChars, languages, maxBytes];
}

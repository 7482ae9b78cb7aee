/** What the analyses say: the newest one of each article, by the day on which the article was published. */
import type { Sentiment, SentimentCount } from "../../lib/charts/charts.ts";
import type { Queryable } from "../../lib/database/port.ts";

/**
 * Every article's newest analysis. An article without a date counts on the day it came in. Casts to float8 come by
 * text: a real's 0.35 would else come as 0.3499999940395355.
 */
const NEWEST = `newest AS (
  SELECT DISTINCT ON (n.article_id) n.*, a.title, a.url, coalesce(a.published_at, a.created_at) AS published,
    (coalesce(a.published_at, a.created_at) AT TIME ZONE 'UTC')::date AS day
  FROM article_analyses n JOIN articles a ON a.id = n.article_id
  ORDER BY n.article_id, n.version DESC
)`;

export interface Reading {
  article_id: number;
  /** UTC day of publication. */
  day: string;
  published: Date;
  sentiment: Sentiment;
  /** All 0 to 1. */
  impact: number;
  strength: number;
  confidence: number;
  simulated: boolean;
}

/** Oldest first. */
export async function readReadings(db: Queryable): Promise<Reading[]> {
  const { rows } = await db.query<Reading>(
    `WITH ${NEWEST}
     SELECT article_id, day::text AS day, published, sentiment, impact_score::text::float8 AS impact,
       signal_strength::text::float8 AS strength, confidence::text::float8 AS confidence, simulated
     FROM newest ORDER BY published, article_id`,
  );
  return rows;
}

/** For `sentimentOverTime`. */
export function countSentiments(readings: readonly Reading[]): SentimentCount[] {
  const groups = Map.groupBy(readings, ({ day, sentiment }) => `${day} ${sentiment}`);
  return [...groups.values()].map((group) => {
    const { day, sentiment } = group[0] as Reading;
    return { day, sentiment, articles: group.length };
  });
}

/** Two spans of time that are compared, both ends included; `words` name them in a sentence. */
export interface Comparison {
  before: { from: string; to: string; articles: number; words: string };
  now: { from: string; to: string; articles: number; words: string };
}

/** Spans are tried from the shortest on; each of the two must have this many articles. */
const SPANS_DAYS = [14, 30, 90, 365];
const ENOUGH = 20;
const DAY_MS = 86_400_000;

/** The newest days against as many before, as few as still say something; else the older half against the newer. */
export function chooseComparison(readings: readonly Reading[]): Comparison | null {
  const last = readings.at(-1)?.day;
  if (last === undefined || readings.length < 2) return null;
  const within = (from: string, to: string) => readings.filter(({ day }) => day >= from && day <= to).length;
  const back = (days: number) => new Date(Date.parse(last) - days * DAY_MS).toISOString().slice(0, 10);
  for (const days of SPANS_DAYS) {
    const now = { from: back(days - 1), to: last, words: `the last ${days} days` };
    const before = { from: back(2 * days - 1), to: back(days), words: `the ${days} days before` };
    const counts = [within(before.from, before.to), within(now.from, now.to)] as const;
    if (Math.min(...counts) < ENOUGH) continue;
    return { before: { ...before, articles: counts[0] }, now: { ...now, articles: counts[1] } };
  }
  return halves(readings);
}

function halves(readings: readonly Reading[]): Comparison | null {
  const first = (readings[0] as Reading).day;
  const last = (readings.at(-1) as Reading).day;
  const middle = (readings[Math.ceil(readings.length / 2)] as Reading).day;
  const older = readings.filter(({ day }) => day < middle);
  // All of one day: there is no before.
  if (older.length === 0) return null;
  const end = (older.at(-1) as Reading).day;
  return {
    before: { from: first, to: end, articles: older.length, words: `${first} to ${end}` },
    now: { from: middle, to: last, articles: readings.length - older.length, words: `${middle} to ${last}` },
  };
}

export interface Trend {
  name: string;
  /** Of an entity; null for topics. */
  type: string | null;
  before: number;
  now: number;
}

const COUNTS =
  `count(DISTINCT article_id) FILTER (WHERE day BETWEEN $1::date AND $2::date)::integer AS before,
  count(DISTINCT article_id) FILTER (WHERE day BETWEEN $3::date AND $4::date)::integer AS now`;

function spanParams({ before, now }: Comparison): string[] {
  return [before.from, before.to, now.from, now.to];
}

/** Articles that name each topic, in both spans. */
export async function readTopics(db: Queryable, comparison: Comparison): Promise<Trend[]> {
  const { rows } = await db.query<Trend>(
    `WITH ${NEWEST}
     SELECT lower(topic) AS name, NULL AS type, ${COUNTS}
     FROM newest, unnest(topics) AS topic
     GROUP BY lower(topic) ORDER BY now DESC, before DESC, name`,
    spanParams(comparison),
  );
  return rows.filter(({ before, now }) => before + now > 0);
}

export async function readEntities(db: Queryable, comparison: Comparison): Promise<Trend[]> {
  const { rows } = await db.query<Trend>(
    `WITH ${NEWEST}
     SELECT min(entity ->> 'name') AS name, mode() WITHIN GROUP (ORDER BY entity ->> 'type') AS type, ${COUNTS}
     FROM newest, jsonb_array_elements(entities) AS entity
     GROUP BY lower(entity ->> 'name') ORDER BY now DESC, before DESC, lower(entity ->> 'name')`,
    spanParams(comparison),
  );
  return rows.filter(({ before, now }) => before + now > 0);
}

export interface StrongSignal {
  type: string;
  description: string;
  implications: string;
  timeframe: string;
  evidence: string[];
  /** Of the signal, and of the article as a whole: 0 to 1. */
  confidence: number;
  strength: number;
  /** Articles in which it stands in the same words. */
  articles: number;
  /** The newest of them. */
  title: string;
  url: string | null;
  day: string;
  research_status: string;
  research_reason: string | null;
}

/** Strongest first: by the article's signal strength, then by the signal's confidence. */
export async function readStrongest(db: Queryable, limit: number): Promise<StrongSignal[]> {
  const { rows } = await db.query<StrongSignal>(
    `WITH ${NEWEST},
     found AS (
       SELECT n.article_id, n.title, n.url, n.day, n.signal_strength::text::float8 AS strength, n.research_status,
         n.research ->> 'reason' AS research_reason, s.signal, (s.signal ->> 'confidence')::float8 AS confidence,
         count(*) OVER same AS articles,
         row_number() OVER (same ORDER BY n.signal_strength DESC, n.day DESC, n.article_id DESC) AS place
       FROM newest n, jsonb_array_elements(n.weak_signals) AS s (signal)
       WINDOW same AS (PARTITION BY s.signal ->> 'type', s.signal ->> 'description')
     )
     SELECT signal ->> 'type' AS type, signal ->> 'description' AS description,
       signal ->> 'implications' AS implications, signal ->> 'timeframe' AS timeframe,
       ARRAY(SELECT jsonb_array_elements_text(signal -> 'evidence')) AS evidence, confidence, strength, articles, title,
       url, day::text AS day, research_status, research_reason
     FROM found WHERE place = 1
     ORDER BY strength DESC, confidence DESC, article_id, description LIMIT $1`,
    [limit],
  );
  return rows;
}

export interface Grounding {
  model: string;
  prompt_version: string;
  simulated: boolean;
  analyses: number;
  /** Evidence that stands in the article, and quotes that did not and were dropped. */
  quotes: number;
  ungrounded: number;
  /** Analyses of which at least one quote was dropped. */
  affected: number;
}

/** By who wrote the analyses, most first. */
export async function readGrounding(db: Queryable): Promise<Grounding[]> {
  const { rows } = await db.query<Grounding>(
    `WITH ${NEWEST}
     SELECT model, prompt_version, simulated, count(*) AS analyses, coalesce(sum(quotes), 0)::integer AS quotes,
       sum(ungrounded)::integer AS ungrounded, count(*) FILTER (WHERE ungrounded > 0) AS affected
     FROM newest CROSS JOIN LATERAL (
       SELECT sum(jsonb_array_length(signal -> 'evidence')) AS quotes FROM jsonb_array_elements(weak_signals) AS signal
     ) AS counted
     GROUP BY model, prompt_version, simulated ORDER BY analyses DESC, model, prompt_version`,
  );
  return rows;
}

export interface ResearchCount {
  status: string;
  articles: number;
}

export async function readResearch(db: Queryable): Promise<ResearchCount[]> {
  const { rows } = await db.query<ResearchCount>(
    `WITH ${NEWEST}
     SELECT research_status AS status, count(*) AS articles FROM newest GROUP BY 1 ORDER BY 2 DESC, 1`,
  );
  return rows;
}

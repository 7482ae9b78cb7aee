/** What a session will cost: expected from experience, worst case from bounds. */
import type { Analyst, Researcher } from "../analysis/port.ts";
import type { ReadyArticle } from "../articles/identifier.ts";
import type { Queryable } from "../database/port.ts";
import type { ResearchMode } from "../config.ts";
import { type Micros, micros, ZERO } from "../money.ts";
import type { ModelPrice } from "./prices.ts";

/** The original system's figure, micro-dollars an article; what a model really costs replaces it bit by bit. */
const FIRST_GUESS = 1_300;
/** The guess weighs as much as this many measured articles. */
const GUESS_WEIGHT = 10;
/** Before experience: which share of articles earns a search, and micro-dollars for judging what it found. */
const FIRST_GUESS_SHARE = { off: 0, top: 0.3, all: 1 } as const;
const FIRST_GUESS_VALIDATION = 120;
/** Experience is the last so many analysed articles of the same model; prices and prompts move. */
const EXPERIENCE = 500;

export interface Estimate {
  articles: number;
  expected: Micros;
  /** Every article at its bound on its first attempt. */
  worst: Micros;
  expectedPerArticle: Micros;
  /** Articles the expected figure was learnt from; 0: it is the first guess. */
  learntFrom: number;
  /** How many articles the budget covers at the expected cost; null when no budget was given. */
  affordable: number | null;
  /** The worst case of each article, in the order given. */
  worstCases: Micros[];
}

export interface EstimateRequest {
  articles: readonly ReadyArticle[];
  analyst: Analyst;
  price: ModelPrice;
  researcher: Researcher | null;
  researchMode: ResearchMode;
  budget: Micros | null;
}

export async function estimateSession(db: Queryable, request: EstimateRequest): Promise<Estimate> {
  const { articles, analyst, price, researcher, researchMode, budget } = request;
  const worstCases = articles.map((article) => worstCaseOf(analyst, price, article.text_bytes));
  const search = researcher ? micros(researcher.boundCredits * researcher.creditPrice) : ZERO;
  const worstResearch = researcher ? search + price.cost(analyst.validationBound()) : 0;
  const experience = await readExperience(db, analyst, researchMode);
  const guessed = FIRST_GUESS_SHARE[researchMode] * (search + FIRST_GUESS_VALIDATION);
  const expectedPerArticle = micros(Math.round(
    blend(experience.analysis, experience.articles, FIRST_GUESS) +
      (researcher ? blend(experience.research, experience.researched, guessed) : 0),
  ));
  return {
    articles: articles.length,
    expected: micros(expectedPerArticle * articles.length),
    worst: micros(worstCases.reduce((sum, worst) => sum + worst + worstResearch, 0)),
    expectedPerArticle,
    learntFrom: experience.articles,
    affordable: budget === null
      ? null
      : Math.min(articles.length, Math.floor(budget / Math.max(1, expectedPerArticle))),
    worstCases,
  };
}

/**
 * The most that an analysis of a text can cost.
 * @param textBytes UTF-8 bytes of title and body.
 */
export function worstCaseOf(
  analyst: Pick<Analyst, "bound">,
  price: Pick<ModelPrice, "cost">,
  textBytes: number,
): Micros {
  return price.cost(analyst.bound(textBytes));
}

/** The measured mean, with the guess counted in as if it were a few articles more. */
function blend(mean: number, count: number, guess: number): number {
  return (mean * count + guess * GUESS_WEIGHT) / (count + GUESS_WEIGHT);
}

interface Experience {
  /** Mean micro-dollars an article for its analysis, retries included, and over how many articles. */
  analysis: number;
  articles: number;
  /** The same for searches and validations, in sessions that researched like this one. */
  research: number;
  researched: number;
}

async function readExperience(
  db: Queryable,
  analyst: Analyst,
  researchMode: ResearchMode,
): Promise<Experience> {
  const { rows: [row] } = await db.query<Experience>(
    `WITH recent AS (
       SELECT a.article_id, a.session_id, s.settings ->> 'research' = $4 AS same_research
       FROM article_analyses a JOIN batch_processing_sessions s USING (session_id)
       WHERE s.model = $1 AND a.simulated = $2
       ORDER BY a.created_at DESC LIMIT $3
     ),
     paid AS (
       SELECT r.same_research,
         coalesce(sum(c.spent + c.overrun) FILTER (WHERE c.kind = 'analysis'), 0) AS analysis,
         coalesce(sum(c.spent + c.overrun) FILTER (WHERE c.kind <> 'analysis'), 0) AS research
       FROM recent r JOIN paid_calls c USING (article_id, session_id)
       GROUP BY r.article_id, r.session_id, r.same_research
     )
     SELECT coalesce(avg(analysis), 0)::float8 AS analysis, count(*) AS articles,
       coalesce(avg(research) FILTER (WHERE same_research), 0)::float8 AS research,
       count(*) FILTER (WHERE same_research) AS researched
     FROM paid`,
    [analyst.model, analyst.simulated, EXPERIENCE, researchMode],
  );
  return row;
}

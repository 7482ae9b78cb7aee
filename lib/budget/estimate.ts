/** What a session will cost: expected from experience, worst case from bounds. */
import type { Analyst, Researcher } from "../analysis/port.ts";
import type { ReadyArticle } from "../articles/identifier.ts";
import type { Queryable } from "../database/port.ts";
import { type Micros, micros } from "../money.ts";
import type { ModelPrice } from "./prices.ts";

/** The original system's figure, micro-dollars an article; what a model really costs replaces it bit by bit. */
const FIRST_GUESS = 1_300;
/** The guess weighs as much as this many measured articles. */
const GUESS_WEIGHT = 10;
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
  budget: Micros | null;
}

export async function estimateSession(db: Queryable, request: EstimateRequest): Promise<Estimate> {
  const { articles, analyst, price, researcher, budget } = request;
  const worstCases = articles.map((article) => price.cost(analyst.bound(article.text_bytes)));
  const research = researcher
    ? micros(researcher.boundCredits * researcher.creditPrice + price.cost(analyst.validationBound()))
    : 0;
  const { mean, count } = await readExperience(db, analyst);
  const expectedPerArticle = micros(
    Math.round((mean * count + FIRST_GUESS * GUESS_WEIGHT) / (count + GUESS_WEIGHT)),
  );
  return {
    articles: articles.length,
    expected: micros(expectedPerArticle * articles.length),
    worst: micros(worstCases.reduce((sum, worst) => sum + worst + research, 0)),
    expectedPerArticle,
    learntFrom: count,
    affordable: budget === null
      ? null
      : Math.min(articles.length, Math.floor(budget / Math.max(1, expectedPerArticle))),
    worstCases,
  };
}

/** What the last analysed articles of this model cost on average, retries and research included. */
async function readExperience(db: Queryable, analyst: Analyst): Promise<{ mean: number; count: number }> {
  const { rows: [row] } = await db.query<{ mean: number; count: number }>(
    `SELECT coalesce(round(avg(cost)), 0)::bigint AS mean, count(*) AS count
     FROM (
       SELECT a.cost FROM article_analyses a JOIN batch_processing_sessions s USING (session_id)
       WHERE s.model = $1 AND a.simulated = $2
       ORDER BY a.created_at DESC LIMIT $3
     ) recent`,
    [analyst.model, analyst.simulated, EXPERIENCE],
  );
  return row;
}

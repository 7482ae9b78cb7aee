/** One article with everything that is known of it: its newest analysis, and every paid call that was made for it. */
import type { Analysis, Research } from "../analysis/schema.ts";
import type { Queryable } from "../database/port.ts";
import type { Micros } from "../money.ts";

export interface StoredArticle {
  id: number;
  source: string;
  url: string | null;
  title: string;
  body: string;
  body_chars: number;
  language: string | null;
  published_at: Date | null;
  given_up: string | null;
}

export interface ShownAnalysis extends Analysis {
  analysis_id: number;
  version: number;
  session_number: number;
  provider: string;
  model: string;
  prompt_version: string;
  simulated: boolean;
  ungrounded: number;
  research: Research;
  input_tokens: number | null;
  output_tokens: number | null;
  cost: Micros;
  created_at: Date;
}

export interface ShownCall {
  call_id: number;
  session_number: number;
  kind: string;
  provider: string;
  model: string;
  state: string;
  attempt: number;
  amount: Micros;
  spent: Micros;
  overrun: Micros;
  simulated: boolean;
  failure: string | null;
  detail: string | null;
  held_at: Date;
  ended_at: Date | null;
}

export interface ShownArticle {
  article: StoredArticle;
  analysis: ShownAnalysis | null;
  calls: ShownCall[];
}

/** Null when there is no such article. */
export async function showArticle(db: Queryable, id: number): Promise<ShownArticle | null> {
  const { rows: [article] } = await db.query<StoredArticle>(
    `SELECT id, source, url, title, body, body_chars, language, published_at, given_up FROM articles WHERE id = $1`,
    [id],
  );
  if (!article) return null;
  const { rows: [analysis] } = await db.query<ShownAnalysis>(
    `SELECT a.analysis_id, a.version, s.number AS session_number, a.provider, a.model, a.prompt_version, a.simulated,
       a.sentiment, a.impact_score, a.signal_strength, a.uniqueness_score, a.confidence, a.summary, a.context, a.topics,
       a.entities, a.weak_signals, a.pattern_anomalies, a.adjacent_connections, a.narrative_gaps, a.edge_indicators,
       a.ungrounded, a.research, a.input_tokens, a.output_tokens, a.cost, a.created_at
     FROM article_analyses a JOIN batch_processing_sessions s USING (session_id)
     WHERE a.article_id = $1 ORDER BY a.version DESC LIMIT 1`,
    [id],
  );
  const { rows: calls } = await db.query<ShownCall>(
    `SELECT c.call_id, s.number AS session_number, c.kind, c.provider, coalesce(c.answered_model, c.model) AS model,
       c.state, c.attempt, c.amount, c.spent, c.overrun, c.simulated, c.failure, c.detail, c.held_at, c.ended_at
     FROM paid_calls c JOIN batch_processing_sessions s USING (session_id)
     WHERE c.article_id = $1 ORDER BY c.call_id`,
    [id],
  );
  return { article, analysis: analysis ?? null, calls };
}

/** What an analysed article costs, failed tries and searches included, and how that compares with what was held for it. */
import type { Queryable } from "../../lib/database/port.ts";
import type { Micros } from "../../lib/money.ts";
import { IN_SCOPE, type Scope, scopeParams } from "./scope.ts";

export interface ArticleCost {
  number: number;
  article_id: number;
  title: string;
  url: string | null;
  /** That answered. */
  model: string;
  /** Characters of the text. */
  chars: number;
  attempts: number;
  /** Every call to a model. */
  analysis: Micros;
  search: Micros;
  cost: Micros;
}

/** Analysed articles, dearest first. */
export async function readArticleCosts(db: Queryable, scope: Scope): Promise<ArticleCost[]> {
  const { rows } = await db.query<ArticleCost>(
    `SELECT s.number, a.id AS article_id, a.title, a.url, a.body_chars AS chars,
       (array_agg(coalesce(c.answered_model, c.model) ORDER BY c.call_id DESC)
         FILTER (WHERE c.kind = 'analysis' AND c.state = 'SETTLED' AND c.failure IS NULL))[1] AS model,
       count(*) FILTER (WHERE c.kind = 'analysis') AS attempts,
       coalesce(sum(c.spent + c.overrun) FILTER (WHERE c.kind <> 'search'), 0)::bigint AS analysis,
       coalesce(sum(c.spent + c.overrun) FILTER (WHERE c.kind = 'search'), 0)::bigint AS search,
       sum(c.spent + c.overrun)::bigint AS cost
     FROM paid_calls c
     JOIN batch_processing_items i ON i.item_id = c.item_id AND i.status = 'ANALYZED'
     JOIN batch_processing_sessions s ON s.session_id = c.session_id
     JOIN articles a ON a.id = c.article_id
     WHERE ${IN_SCOPE}
     GROUP BY s.number, a.id
     ORDER BY cost DESC, s.number, a.id`,
    scopeParams(scope),
  );
  return rows;
}

export interface ModelMean {
  model: string;
  articles: number;
  chars: number;
  analysis: Micros;
  search: Micros;
  cost: Micros;
}

/** Added up by the model that answered, most articles first. */
export function byModel(articles: readonly ArticleCost[]): ModelMean[] {
  const sums = new Map<string, ModelMean>();
  for (const { model, chars, analysis, search, cost } of articles) {
    const before = sums.get(model);
    sums.set(model, {
      model,
      articles: (before?.articles ?? 0) + 1,
      chars: (before?.chars ?? 0) + chars,
      analysis: (before?.analysis ?? 0) + analysis as Micros,
      search: (before?.search ?? 0) + search as Micros,
      cost: (before?.cost ?? 0) + cost as Micros,
    });
  }
  return [...sums.values()].sort((a, b) => b.articles - a.articles || (a.model < b.model ? -1 : 1));
}

/** A settled call, for `holdsAgainstBills`. */
export interface Bill {
  kind: string;
  model: string;
  hold: Micros;
  /** The part above the hold included. */
  bill: Micros;
}

export async function readBills(db: Queryable, scope: Scope): Promise<Bill[]> {
  const { rows } = await db.query<Bill>(
    `SELECT c.kind, coalesce(c.answered_model, c.model) AS model, c.amount AS hold, c.spent + c.overrun AS bill
     FROM paid_calls c WHERE ${IN_SCOPE} AND c.state = 'SETTLED' ORDER BY c.call_id`,
    scopeParams(scope),
  );
  return rows;
}

/** A call that is charged in full because nobody knows how it ended, or that was billed above its hold. */
export interface OddCall {
  call_id: number;
  number: number;
  title: string;
  url: string | null;
  kind: string;
  model: string;
  hold: Micros;
  overrun: Micros;
  /** Why its outcome is unknown. */
  failure: string | null;
  at: Date;
}

export async function readUnknown(db: Queryable, scope: Scope): Promise<OddCall[]> {
  return await readOddCalls(db, scope, "c.state = 'UNKNOWN'");
}

export async function readOverruns(db: Queryable, scope: Scope): Promise<OddCall[]> {
  return await readOddCalls(db, scope, "c.overrun > 0");
}

async function readOddCalls(db: Queryable, scope: Scope, odd: string): Promise<OddCall[]> {
  const { rows } = await db.query<OddCall>(
    `SELECT c.call_id, s.number, a.title, a.url, c.kind, coalesce(c.answered_model, c.model) AS model, c.amount AS hold,
       c.overrun, c.failure, c.held_at AS at
     FROM paid_calls c
     JOIN batch_processing_sessions s ON s.session_id = c.session_id
     JOIN articles a ON a.id = c.article_id
     WHERE ${IN_SCOPE} AND ${odd} ORDER BY c.call_id`,
    scopeParams(scope),
  );
  return rows;
}

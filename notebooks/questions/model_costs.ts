/**
 * What the recorded work would have cost with other models: the tokens of every settled call, priced anew, call by call.
 * Searches stay what they were; they are not the model's.
 */
import { findPrice, listTextModels, type ModelPrice } from "../../lib/budget/prices.ts";
import type { Queryable } from "../../lib/database/port.ts";
import { type Micros, micros } from "../../lib/money.ts";
import { findEnd, hasEnded, type ModelEnd } from "./lifecycle.ts";
import { IN_SCOPE, type Scope, scopeParams } from "./scope.ts";

/** Calls alike in model and tokens; there are fewer of them than calls. */
export interface Usage {
  model: string;
  input_tokens: number;
  /** Thoughts included. */
  output_tokens: number;
  cached_tokens: number;
  calls: number;
  /** What they were billed. */
  cost: Micros;
}

/** Settled calls to models whose tokens are known. */
export async function readUsage(db: Queryable, scope: Scope): Promise<Usage[]> {
  const { rows } = await db.query<Usage>(
    `SELECT coalesce(c.answered_model, c.model) AS model, c.input_tokens, c.output_tokens,
       coalesce(c.cached_tokens, 0) AS cached_tokens, count(*) AS calls, sum(c.spent + c.overrun)::bigint AS cost
     FROM paid_calls c
     WHERE ${IN_SCOPE} AND c.kind <> 'search' AND c.state = 'SETTLED' AND c.input_tokens IS NOT NULL
       AND c.output_tokens IS NOT NULL
     GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
    scopeParams(scope),
  );
  return rows;
}

export interface NotReplayed {
  calls: number;
  cost: Micros;
}

/** Calls to models that cost something and whose tokens nobody knows: unknown outcomes, answers without usage. */
export async function readNotReplayed(db: Queryable, scope: Scope): Promise<NotReplayed> {
  const { rows: [row] } = await db.query<NotReplayed>(
    `SELECT count(*) AS calls, coalesce(sum(c.spent + c.overrun), 0)::bigint AS cost
     FROM paid_calls c
     WHERE ${IN_SCOPE} AND c.kind <> 'search' AND c.spent + c.overrun > 0
       AND NOT (c.state = 'SETTLED' AND c.input_tokens IS NOT NULL AND c.output_tokens IS NOT NULL)`,
    scopeParams(scope),
  );
  return row as NotReplayed;
}

export interface Replay {
  model: string;
  perMillion: ModelPrice["perMillion"];
  cost: Micros;
  /** The same work in batch jobs. */
  batch: Micros;
  /** The next day on which its price changes, and what the work costs from then on. */
  next: { day: string; cost: Micros } | null;
  /** Null: the lifecycle file does not know it. */
  end: ModelEnd | null;
}

/** Batch jobs cost half (ai.google.dev/gemini-api/docs/batch-api, Nov 2026). */
const BATCH_DIVISOR = 2;

/** Over every text model that has a price and has not ended, cheapest first. */
export function replay(usage: readonly Usage[], at: Date): Replay[] {
  return listTextModels(at).filter(({ model }) => !hasEnded(model, at))
    .map((price) => replayModel(usage, price, at))
    .sort((a, b) => a.cost - b.cost || (a.model < b.model ? -1 : 1));
}

function replayModel(usage: readonly Usage[], price: ModelPrice, at: Date): Replay {
  const cost = priceAll(usage, price);
  const change = nextPrice(price, at);
  return {
    model: price.model,
    perMillion: price.perMillion,
    cost,
    batch: micros(Math.ceil(cost / BATCH_DIVISOR)),
    next: change && { day: change.day, cost: priceAll(usage, change.price) },
    end: findEnd(price.model),
  };
}

/** Each call is rounded up to the micro-dollar by itself, as its bill was. */
export function priceAll(usage: readonly Usage[], price: ModelPrice): Micros {
  let sum = 0;
  for (const { input_tokens, output_tokens, cached_tokens, calls } of usage) {
    sum += calls *
      price.cost({ inputTokens: input_tokens, outputTokens: output_tokens, cachedTokens: cached_tokens });
  }
  return micros(sum);
}

const DAY_MS = 86_400_000;
/** How far ahead price changes are looked for. */
const DAYS_AHEAD = 400;

function nextPrice(now: ModelPrice, at: Date): { day: string; price: ModelPrice } | null {
  const today = Math.floor(at.getTime() / DAY_MS) * DAY_MS;
  for (let ahead = 1; ahead <= DAYS_AHEAD; ahead++) {
    const then = new Date(today + ahead * DAY_MS);
    const price = findPrice(now.model, then);
    if (!price) continue;
    const { input, output } = price.perMillion;
    if (input !== now.perMillion.input || output !== now.perMillion.output) {
      return { day: then.toISOString().slice(0, 10), price };
    }
  }
  return null;
}

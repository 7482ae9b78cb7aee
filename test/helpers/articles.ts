/** Articles and sessions for tests of the ledger and the worker. */
import type { Analysis } from "../../lib/analysis/schema.ts";
import { startSession } from "../../lib/batches/start_session.ts";
import type { Session, SessionSettings } from "../../lib/batches/types.ts";
import { ensureDay } from "../../lib/budget/ledger/day_budget.ts";
import type { Database } from "../../lib/database/port.ts";
import { type Micros, micros } from "../../lib/money.ts";
import type { StoredAnalysis } from "../../lib/budget/ledger/settle_calls.ts";

/** Inserts `count` ready articles and returns their ids, newest first. */
export async function addArticles(db: Database, count: number, chars = 1_500): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>(
    `INSERT INTO articles (source, external_id, title, body, body_chars, body_bytes, body_hash, language, published_at)
     SELECT 'test', gen_random_uuid()::text, 'Article ' || n, repeat('Nodes relay transactions quickly. ', $2 / 34 + 1),
       ($2 / 34 + 1) * 34, ($2 / 34 + 1) * 34, gen_random_uuid()::text, 'en', now() - n * interval '1 hour'
     FROM generate_series(1, $1) AS n
     RETURNING id`,
    [count, chars],
  );
  return rows.map((row) => row.id);
}

export const TEST_SETTINGS: SessionSettings = {
  batchSize: 10,
  batchDelayMs: 0,
  articleTimeoutMs: 10_000,
  maxAttempts: 3,
  retryBaseMs: 0,
  research: "off",
  promptVersion: "test",
};

export interface TestSession {
  articles: number[];
  budget: Micros;
  worstCase?: Micros;
  simulated?: boolean;
  settings?: Partial<SessionSettings>;
  provider?: "gemini" | "offline";
}

/** A session at work over these articles, with today's row made. */
export async function addSession(db: Database, wanted: TestSession): Promise<Session> {
  const { articles, budget, worstCase = micros(1_000), simulated = false, settings, provider = "gemini" } =
    wanted;
  await ensureDay(db, simulated, null);
  return await startSession(db, {
    provider,
    model: "gemini-3.1-flash-lite",
    simulated,
    budget,
    estimatedCost: micros(1_300 * articles.length),
    worstCost: micros(worstCase * articles.length),
    items: articles.map((articleId) => ({ articleId, worstCase })),
    settings: { ...TEST_SETTINGS, ...settings },
    warnPercent: 67,
    criticalPercent: 83,
    startedBy: "test",
  });
}

/** A valid analysis with nothing remarkable in it, as a model writes it. */
export const PLAIN_READING: Analysis = {
  sentiment: "NEUTRAL",
  impact_score: 0.5,
  summary: "Nodes relay transactions.",
  context: "",
  topics: ["relay"],
  entities: [],
  weak_signals: [],
  pattern_anomalies: [],
  adjacent_connections: [],
  narrative_gaps: [],
  edge_indicators: [],
  signal_strength: 0.1,
  uniqueness_score: 0.2,
  confidence: 0.9,
};

/** The same, as it is stored. */
export const PLAIN_ANALYSIS: StoredAnalysis = {
  ...PLAIN_READING,
  provider: "gemini",
  model: "gemini-3.1-flash-lite",
  prompt_version: "test",
  ungrounded: 0,
  research: { status: "NOT_RUN", reason: null, queries: [], sources: [] },
};

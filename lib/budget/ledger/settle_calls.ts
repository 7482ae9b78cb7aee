/**
 * Writes what became of calls and their items: the analysis, the settlement, the item's state, the counters and the
 * audit rows of a whole group commit together or not at all (invariant 6).
 */
import type { Queryable } from "../../database/port.ts";
import type { Micros } from "../../money.ts";
import type { SessionStatus } from "../../batches/types.ts";
import type { Analysis, Research } from "../../analysis/schema.ts";
import type { CallState, ItemStatus } from "./ledger.ts";

export interface CallOutcome {
  call_id: number;
  state: Exclude<CallState, "HELD">;
  /** What the provider charges; null: it charges, but nobody knows what, so the call settles at its hold. */
  bill: Micros | null;
  input_tokens: number | null;
  output_tokens: number | null;
  thought_tokens: number | null;
  cached_tokens: number | null;
  credits: number | null;
  answered_model: string | null;
  failure: string | null;
  detail: string | null;
}

export interface ItemOutcome {
  to: Exclude<ItemStatus, "SKIPPED">;
  /** With `to` PROCESSING: the analysis is stored, research follows under the same claim. */
  stage: "ANALYSIS" | "RESEARCH";
  /** With `to` PENDING: how long to wait, ms. */
  wait_ms: number;
  /** Give the attempt back: waiting for a rate limit is nobody's failure. */
  refund_attempt: boolean;
  error_class: string | null;
  error: string | null;
  permanent: boolean;
  /**
   * The provider did not take the request. It counts for no run of failures, and with `permanent` the article is given
   * up only if an analysis of another one was stored since it was first refused.
   */
  refused?: true;
  /** With `to` PENDING: the most its analysis can cost, as is known now; absent: as it stands. */
  worst_case?: Micros;
}

export interface StoredAnalysis extends Analysis {
  provider: string;
  model: string;
  prompt_version: string;
  ungrounded: number;
  research: Research;
}

/** One write: the end of at most one call and the next state of its item. */
export interface Settlement {
  /** Names this write; the same write sent again after a lost answer is recognised by it. */
  outcome_id: string;
  item_id: number;
  lease_token: string;
  call: CallOutcome | null;
  item: ItemOutcome;
  /** Store a new analysis. */
  analysis: StoredAnalysis | null;
  /** Replace the research part of the item's stored analysis. */
  research: Research | null;
}

export type SettleVerdict = "applied" | "already" | "stale";

export interface SettleResult {
  verdicts: Map<string, SettleVerdict>;
  /** The session after the write. */
  session: {
    status: SessionStatus;
    failure_run: number;
    resume_tries: number;
    open: number;
    held: Micros;
    budget: Micros;
    spent: Micros;
  };
}

/*
 * `live` joins by lease token: a worker that lost its claim finds no row and changes nothing; it is counted in
 * stale_writes and leaves an event with what it wanted to say. `repeated` are writes that come again after their answer
 * was lost, the first perhaps still being written: locking the calls reads them as the first left them. A write
 * without a call has left its name in the audit trail.
 *
 * Nothing is queued again in a session that was cancelled meanwhile: what failed is FAILED, what was only put back is
 * SKIPPED like the rest. Nor is an article whose worst case has become more than the whole budget: it would stand in
 * the way of all behind it.
 *
 * A bill is charged up to the hold, the rest is overrun, and an overrun of an analysis raises hold_permille so that
 * the next holds cover it.
 *
 * The rows are asked for by their ids as an array: joined to `input`, whose size the planner cannot know, it read
 * every call and item of the session instead (1,300 rows for 16 after a minute, growing with the session). For the
 * same reason the session is compared in a form that no index serves, and PROCESSING is not asked for: by constraint
 * an item has a lease token if and only if it is in that state. Calls are asked for one by one: their table is small when
 * this is planned, and a plan that reads all of it stays as it grows (embedded, nothing renews it: 0.3 ms a thousand
 * calls).
 */
const SETTLE = `
WITH clock AS MATERIALIZED (SELECT coalesce($4::timestamptz, now()) AS now),
session AS MATERIALIZED (
  SELECT session_id, simulated, status, budget, hold_permille FROM batch_processing_sessions WHERE session_id = $1
  FOR UPDATE
),
input AS MATERIALIZED (
  SELECT w.outcome_id, w.item_id, w.lease_token, w.analysis, w.research, c.*, n.stage, n.wait_ms, n.refund_attempt,
    n.error_class, n.error, n.refused, n.worst_case, n.permanent AND (n.refused IS NULL OR (
      SELECT a.created_at FROM article_analyses a WHERE a.session_id = $1 ORDER BY a.analysis_id DESC LIMIT 1
    ) > (
      SELECT min(r.ended_at) FROM batch_processing_items i JOIN paid_calls r USING (article_id, item_id)
      WHERE i.item_id = w.item_id AND r.failure = n.error_class
    )) IS TRUE AS permanent, CASE
      WHEN n."to" <> 'PENDING' THEN n."to"
      WHEN s.status NOT IN ('PROCESSING', 'PAUSED') THEN CASE WHEN n.refund_attempt THEN 'SKIPPED' ELSE 'FAILED' END
      WHEN (n.worst_case * s.hold_permille + 999) / 1000 > s.budget THEN 'SKIPPED'
      ELSE 'PENDING' END AS "to"
  FROM session s,
    jsonb_to_recordset($2::jsonb) AS w (outcome_id uuid, item_id bigint, lease_token uuid, call jsonb, item jsonb,
      analysis jsonb, research jsonb),
    jsonb_to_record(coalesce(w.call, '{}')) AS c (call_id bigint, state text, bill bigint, input_tokens integer,
      output_tokens integer, thought_tokens integer, cached_tokens integer, credits integer, answered_model text,
      failure text, detail text),
    jsonb_to_record(w.item) AS n ("to" text, stage text, wait_ms bigint, refund_attempt boolean, error_class text,
      error text, permanent boolean, refused boolean, worst_case bigint)
),
known AS MATERIALIZED (
  SELECT k.call_id, k.outcome_id
  FROM input x CROSS JOIN LATERAL (
    SELECT c.call_id, c.outcome_id FROM paid_calls c
    WHERE c.call_id = x.call_id AND c.session_id IS NOT DISTINCT FROM (SELECT session_id FROM session)
    FOR UPDATE
  ) k
),
repeated AS MATERIALIZED (
  SELECT x.outcome_id FROM input x JOIN known k USING (call_id, outcome_id)
  UNION ALL
  SELECT x.outcome_id FROM input x
  WHERE x.call_id IS NULL AND EXISTS (SELECT FROM session_events v
    WHERE v.detail ->> 'outcome' = x.outcome_id::text AND v.detail ->> 'outcome' IS NOT NULL
      AND v.session_id = $1 AND v.item_id = x.item_id)
),
live AS MATERIALIZED (
  SELECT x.*, i.batch_id, i.article_id, i.attempts, i.status AS from_status
  FROM batch_processing_items i
  JOIN input x ON x.item_id = i.item_id AND x.lease_token = i.lease_token
  WHERE i.item_id = ANY (ARRAY(SELECT item_id FROM input)) AND i.session_id IS NOT DISTINCT FROM (SELECT session_id FROM session)
    AND x.outcome_id NOT IN (SELECT outcome_id FROM repeated)
  ORDER BY i.item_id
  FOR UPDATE OF i
),
ended AS (
  UPDATE paid_calls c
  SET state = l.state, outcome_id = l.outcome_id, ended_at = (SELECT now FROM clock),
    spent = CASE l.state WHEN 'SETTLED' THEN least(coalesce(l.bill, c.amount), c.amount)
      WHEN 'UNKNOWN' THEN c.amount ELSE 0 END,
    overrun = CASE l.state WHEN 'SETTLED' THEN greatest(coalesce(l.bill, c.amount) - c.amount, 0) ELSE 0 END,
    input_tokens = l.input_tokens, output_tokens = l.output_tokens, thought_tokens = l.thought_tokens,
    cached_tokens = l.cached_tokens, credits = l.credits, answered_model = l.answered_model,
    failure = l.failure, detail = l.detail
  FROM live l
  WHERE c.call_id = l.call_id AND c.item_id = l.item_id AND c.state = 'HELD'
  RETURNING c.call_id, c.item_id, c.batch_id, c.state, c.kind, c.amount, c.spent, c.overrun, c.day
),
moved AS (
  UPDATE batch_processing_items i
  SET status = l."to", stage = l.stage, worst_case = coalesce(l.worst_case, i.worst_case),
    reason = CASE WHEN l."to" = 'SKIPPED' THEN
      CASE WHEN (SELECT status FROM session) IN ('PROCESSING', 'PAUSED') THEN 'budget' ELSE 'cancelled' END END,
    attempts = i.attempts - CASE WHEN l.refund_attempt THEN 1 ELSE 0 END,
    not_before = CASE WHEN l."to" = 'PENDING' THEN (SELECT now FROM clock) + l.wait_ms * interval '1 ms'
      ELSE i.not_before END,
    lease_token = CASE WHEN l."to" = 'PROCESSING' THEN i.lease_token END,
    lease_until = CASE WHEN l."to" = 'PROCESSING' THEN i.lease_until END,
    lease_owner = CASE WHEN l."to" = 'PROCESSING' THEN i.lease_owner END,
    error_class = l.error_class, error = l.error, permanent = l.permanent, updated_at = (SELECT now FROM clock)
  FROM live l
  WHERE i.item_id = l.item_id
  RETURNING i.item_id
),
stored AS (
  INSERT INTO article_analyses (article_id, version, session_id, provider, model, prompt_version, simulated, sentiment,
    impact_score, signal_strength, uniqueness_score, confidence, summary, context, topics, entities, weak_signals,
    pattern_anomalies, adjacent_connections, narrative_gaps, edge_indicators, ungrounded, research_status, research,
    input_tokens, output_tokens, cost, created_at)
  SELECT l.article_id,
    1 + coalesce((SELECT max(version) FROM article_analyses o WHERE o.article_id = l.article_id), 0),
    s.session_id, a.provider, a.model, a.prompt_version, s.simulated, a.sentiment, a.impact_score, a.signal_strength,
    a.uniqueness_score, a.confidence, a.summary, a.context, a.topics, a.entities, a.weak_signals, a.pattern_anomalies,
    a.adjacent_connections, a.narrative_gaps, a.edge_indicators, a.ungrounded, a.research ->> 'status', a.research,
    l.input_tokens, l.output_tokens, coalesce(e.spent + e.overrun, 0), (SELECT now FROM clock)
  FROM session s
  CROSS JOIN live l
  CROSS JOIN jsonb_to_record(l.analysis) AS a (provider text, model text, prompt_version text, sentiment text,
    impact_score real, signal_strength real, uniqueness_score real, confidence real, summary text, context text,
    topics text[], entities jsonb, weak_signals jsonb, pattern_anomalies jsonb, adjacent_connections jsonb,
    narrative_gaps jsonb, edge_indicators jsonb, ungrounded integer, research jsonb)
  LEFT JOIN ended e ON e.item_id = l.item_id
  WHERE l.analysis IS NOT NULL
  RETURNING article_id, ungrounded
),
marked AS (
  UPDATE articles a
  SET analyzed_at = CASE WHEN l.analysis IS NOT NULL THEN (SELECT now FROM clock) ELSE a.analyzed_at END,
    given_up = CASE WHEN l.analysis IS NULL THEN l.error END
  FROM live l
  WHERE a.id = l.article_id AND (l.analysis IS NOT NULL OR (l."to" = 'FAILED' AND l.permanent))
),
researched AS (
  UPDATE article_analyses a
  SET research = coalesce(l.research, a.research),
    research_status = coalesce(l.research ->> 'status', a.research_status),
    cost = a.cost + coalesce(e.spent + e.overrun, 0)
  FROM live l LEFT JOIN ended e ON e.item_id = l.item_id
  WHERE a.article_id = l.article_id AND a.session_id = $1 AND l.analysis IS NULL
    AND (l.research IS NOT NULL OR e.kind IN ('search', 'validation'))
    AND a.version = (SELECT max(version) FROM article_analyses o WHERE o.article_id = l.article_id)
),
days AS (
  UPDATE day_budgets d
  SET held = d.held - t.amount, spent = d.spent + t.spent
  FROM (SELECT day, sum(amount)::bigint AS amount, sum(spent)::bigint AS spent FROM ended GROUP BY day) t, session s
  WHERE d.day = t.day AND d.simulated = s.simulated
),
batches AS (
  UPDATE batch_processing_records b
  SET processed = b.processed + t.analyzed, failed = b.failed + t.failed, skipped = b.skipped + t.skipped,
    actual_cost = b.actual_cost + t.spent, error = coalesce(t.error, b.error),
    status = batch_status(b.status, b.total, b.processed + t.analyzed, b.failed + t.failed, b.skipped + t.skipped),
    finished_at = CASE WHEN b.processed + b.failed + b.skipped + t.ended = b.total THEN (SELECT now FROM clock) END
  FROM (
    SELECT l.batch_id, count(*) FILTER (WHERE l."to" = 'ANALYZED') AS analyzed,
      count(*) FILTER (WHERE l."to" = 'FAILED') AS failed, count(*) FILTER (WHERE l."to" = 'SKIPPED') AS skipped,
      count(*) FILTER (WHERE l."to" IN ('ANALYZED', 'FAILED', 'SKIPPED')) AS ended, coalesce(sum(e.spent + e.overrun), 0)::bigint AS spent,
      max(l.error) FILTER (WHERE l."to" = 'FAILED') AS error
    FROM live l LEFT JOIN ended e ON e.item_id = l.item_id
    GROUP BY l.batch_id
  ) t
  WHERE b.batch_id = t.batch_id
  RETURNING b.batch_id, b.status, b.finished_at, t.ended
),
stale AS MATERIALIZED (
  SELECT x.* FROM input x
  WHERE NOT EXISTS (SELECT FROM live l WHERE l.outcome_id = x.outcome_id)
    AND NOT EXISTS (SELECT FROM repeated r WHERE r.outcome_id = x.outcome_id)
),
totals AS (
  UPDATE batch_processing_sessions s
  SET held = s.held - t.amount, spent = s.spent + t.spent, overrun = s.overrun + t.overrun,
    unknown = s.unknown + t.unknown, analyzed = s.analyzed + t.analyzed, failed = s.failed + t.failed,
    skipped = s.skipped + t.skipped, retries = s.retries + t.retries, ungrounded = s.ungrounded + t.ungrounded,
    failure_run = CASE WHEN t.successes > 0 THEN 0 ELSE s.failure_run + t.failures END,
    resume_tries = CASE WHEN t.successes > 0 AND s.status = 'PROCESSING' THEN 0 ELSE s.resume_tries END,
    stale_writes = s.stale_writes + t.stale,
    hold_permille = greatest(s.hold_permille, t.permille),
    last_progress_at = CASE WHEN t.analyzed + t.failed > 0 THEN (SELECT now FROM clock) ELSE s.last_progress_at END
  FROM (
    SELECT coalesce(sum(e.amount), 0)::bigint AS amount, coalesce(sum(e.spent), 0)::bigint AS spent,
      coalesce(sum(e.overrun), 0)::bigint AS overrun,
      coalesce(sum(e.spent) FILTER (WHERE e.state = 'UNKNOWN'), 0)::bigint AS unknown,
      count(*) FILTER (WHERE l."to" = 'ANALYZED') AS analyzed, count(*) FILTER (WHERE l."to" = 'FAILED') AS failed,
      count(*) FILTER (WHERE l."to" = 'SKIPPED') AS skipped,
      count(*) FILTER (WHERE l."to" = 'PENDING' AND NOT l.refund_attempt) AS retries,
      count(*) FILTER (WHERE l."to" = 'ANALYZED' OR l.analysis IS NOT NULL) AS successes,
      count(*) FILTER (WHERE l.refused IS NULL
        AND ((l."to" = 'PENDING' AND NOT l.refund_attempt) OR (l."to" = 'FAILED' AND NOT l.permanent))) AS failures,
      (SELECT coalesce(sum(ungrounded), 0) FROM stored) AS ungrounded,
      (SELECT count(*) FROM stale) AS stale,
      least(1000000, coalesce(max((1000 * (e.amount + e.overrun) + e.amount - 1) / nullif(e.amount, 0))
        FILTER (WHERE e.overrun > 0 AND e.kind = 'analysis'), 1000)
        * (SELECT hold_permille FROM batch_processing_sessions WHERE session_id = $1) / 1000) AS permille
    FROM live l LEFT JOIN ended e ON e.item_id = l.item_id
  ) t
  WHERE s.session_id = $1
  RETURNING s.status, s.failure_run, s.resume_tries, s.total - s.analyzed - s.failed - s.skipped AS open, s.held,
    s.budget, s.spent
),
told AS (
  INSERT INTO session_events (session_id, batch_id, item_id, call_id, actor, action, from_state, to_state, detail, at)
  SELECT $1, l.batch_id, l.item_id, l.call_id, $3,
    CASE l."to" WHEN 'ANALYZED' THEN 'item_analyzed' WHEN 'FAILED' THEN 'item_failed'
      WHEN 'PENDING' THEN 'item_requeued' WHEN 'SKIPPED' THEN 'item_skipped' ELSE 'call_ended' END,
    l.from_status, l."to",
    jsonb_strip_nulls(jsonb_build_object('call', e.state, 'kind', e.kind, 'spent', e.spent,
      'overrun', nullif(e.overrun, 0), 'error_class', l.error_class, 'error', l.error, 'worst_case', l.worst_case,
      'wait_ms', CASE WHEN l."to" = 'PENDING' THEN l.wait_ms END,
      'outcome', CASE WHEN l.call_id IS NULL THEN l.outcome_id END)),
    (SELECT now FROM clock)
  FROM live l LEFT JOIN ended e ON e.item_id = l.item_id
  UNION ALL
  SELECT $1, b.batch_id, NULL, NULL, $3, 'batch_ended', 'PROCESSING', b.status, NULL, (SELECT now FROM clock)
  FROM batches b WHERE b.finished_at IS NOT NULL AND b.ended > 0
  UNION ALL
  SELECT $1, NULL, x.item_id, x.call_id, $3, 'stale_write', NULL, NULL,
    jsonb_strip_nulls(jsonb_build_object('wanted', x."to", 'call', x.state, 'bill', x.bill)), (SELECT now FROM clock)
  FROM stale x
)
SELECT
  (SELECT jsonb_object_agg(x.outcome_id, CASE
      WHEN EXISTS (SELECT FROM live l WHERE l.outcome_id = x.outcome_id) THEN 'applied'
      WHEN EXISTS (SELECT FROM stale y WHERE y.outcome_id = x.outcome_id) THEN 'stale'
      ELSE 'already' END) FROM input x) AS verdicts,
  (SELECT to_jsonb(totals) FROM totals) AS session`;

/** @param actor Who writes, for the audit trail. */
export async function settleCalls(
  db: Queryable,
  sessionId: string,
  settlements: readonly Settlement[],
  actor: string,
  now: Date | null = null,
): Promise<SettleResult> {
  const { rows: [row] } = await db.query<
    { verdicts: Record<string, SettleVerdict>; session: SettleResult["session"] }
  >(SETTLE, [sessionId, toStorableJson(settlements), actor, now], "settle");
  return { verdicts: new Map(Object.entries(row.verdicts)), session: row.session };
}

/** Spells NUL or half a surrogate pair (or the text of such an escape, which costs only time). */
const UNSTORABLE = /\\u(?:0000|d[89a-f])/i;

/** PostgreSQL's text and jsonb hold neither NUL nor half a surrogate pair. */
function toStorableJson(settlements: readonly Settlement[]): string {
  const json = JSON.stringify(settlements);
  // Looking at every string took three times as long as writing them.
  return UNSTORABLE.test(json) ? JSON.stringify(settlements, storable) : json;
}

function storable(_key: string, value: unknown): unknown {
  return typeof value === "string" ? value.replaceAll("\0", "").toWellFormed() : value;
}

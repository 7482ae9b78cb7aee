/**
 * What must be true of a session after every commit, computed from the tables alone: nothing here calls the code that
 * keeps it true.
 */
import type { Queryable } from "../../lib/database/port.ts";

/*
 * One row a broken rule. The trail of events is replayed: the last state told of must be the state in the table, and
 * each event must begin where the one before it ended.
 */
const VIOLATIONS = `
WITH s AS MATERIALIZED (SELECT * FROM batch_processing_sessions WHERE session_id = $1),
b AS MATERIALIZED (SELECT * FROM batch_processing_records WHERE session_id = $1),
i AS MATERIALIZED (SELECT * FROM batch_processing_items WHERE session_id = $1),
c AS MATERIALIZED (SELECT * FROM paid_calls WHERE session_id = $1),
a AS MATERIALIZED (SELECT * FROM article_analyses WHERE session_id = $1),
e AS MATERIALIZED (SELECT * FROM session_events WHERE session_id = $1),
charged AS (
  SELECT coalesce(sum(amount) FILTER (WHERE state = 'HELD'), 0) AS held, coalesce(sum(spent), 0) AS spent,
    coalesce(sum(spent) FILTER (WHERE state = 'UNKNOWN'), 0) AS unknown, coalesce(sum(overrun), 0) AS overrun
  FROM c
),
batch_items AS (
  SELECT batch_id, count(*) AS total, count(*) FILTER (WHERE status IN ('PENDING', 'PROCESSING')) AS open,
    count(*) FILTER (WHERE status = 'PROCESSING') AS under_way, count(*) FILTER (WHERE status = 'ANALYZED') AS analyzed,
    count(*) FILTER (WHERE status = 'FAILED') AS failed, count(*) FILTER (WHERE status = 'SKIPPED') AS skipped
  FROM i GROUP BY batch_id
),
counted AS (
  SELECT sum(total) AS total, sum(open) AS open, sum(analyzed) AS analyzed, sum(failed) AS failed,
    sum(skipped) AS skipped
  FROM batch_items
),
told AS (
  SELECT 'item ' || item_id AS what, event_id, from_state, to_state, 'PENDING' AS born FROM e
  WHERE item_id IS NOT NULL AND to_state IN ('PENDING', 'PROCESSING', 'ANALYZED', 'FAILED', 'SKIPPED')
  UNION ALL
  SELECT 'batch ' || batch_id, event_id, from_state, to_state, 'PENDING' FROM e
  WHERE item_id IS NULL AND batch_id IS NOT NULL AND to_state IS NOT NULL
  UNION ALL
  SELECT 'session', event_id, from_state, to_state, NULL FROM e
  WHERE item_id IS NULL AND batch_id IS NULL AND to_state IS NOT NULL
),
chained AS (
  SELECT *, lag(to_state, 1, born) OVER trail AS before,
    row_number() OVER (PARTITION BY what ORDER BY event_id DESC) AS from_last
  FROM told WINDOW trail AS (PARTITION BY what ORDER BY event_id)
),
stands AS (
  SELECT 'item ' || item_id AS what, status FROM i
  UNION ALL SELECT 'batch ' || batch_id, status FROM b
  UNION ALL SELECT 'session', status FROM s
),
ends AS (
  SELECT call_id, count(*) FILTER (WHERE detail ->> 'call' = 'HELD' OR to_state = 'HELD') AS holds,
    count(*) FILTER (WHERE detail ->> 'call' IN ('SETTLED', 'RELEASED', 'UNKNOWN')) AS ends,
    count(*) FILTER (WHERE action = 'unknown_resolved') AS resolutions,
    coalesce(max(to_state) FILTER (WHERE action = 'unknown_resolved'),
      max(detail ->> 'call') FILTER (WHERE detail ->> 'call' <> 'HELD')) AS told_state
  FROM e WHERE call_id IS NOT NULL AND action <> 'stale_write' GROUP BY call_id
)
SELECT 'session over its budget' AS rule, format('%s + %s > %s', spent, held, budget) AS detail
FROM s WHERE spent + held > budget
UNION ALL
SELECT 'session money differs from its calls', format('%s against %s', (s.held, s.spent, s.unknown, s.overrun), charged)
FROM s, charged
WHERE (s.held, s.spent, s.unknown, s.overrun) IS DISTINCT FROM
  (charged.held, charged.spent, charged.unknown, charged.overrun)
UNION ALL
SELECT 'day over its budget or different from its calls', to_jsonb(d)::text
FROM day_budgets d LEFT JOIN (
  SELECT day, simulated, sum(amount) FILTER (WHERE state = 'HELD') AS held, sum(spent) AS spent
  FROM paid_calls GROUP BY day, simulated
) p USING (day, simulated)
WHERE d.day IN (SELECT day FROM c)
  AND (d.spent + d.held > d.budget OR d.held <> coalesce(p.held, 0) OR d.spent <> coalesce(p.spent, 0))
UNION ALL
SELECT 'a call counts against a day without a row', c.call_id::text
FROM c WHERE NOT EXISTS (SELECT FROM day_budgets d WHERE d.day = c.day AND d.simulated = c.simulated)
UNION ALL
SELECT 'batch cost differs from its calls', format('batch %s: %s', b.batch_id, b.actual_cost)
FROM b WHERE b.actual_cost <>
  coalesce((SELECT sum(c.spent + c.overrun) FROM c WHERE c.batch_id = b.batch_id), 0)
UNION ALL
SELECT 'session counters differ from its items', format('%s against %s', (s.total, s.analyzed, s.failed, s.skipped), counted)
FROM s, counted
WHERE (s.total, s.analyzed, s.failed, s.skipped) IS DISTINCT FROM
  (counted.total, counted.analyzed, counted.failed, counted.skipped)
UNION ALL
SELECT 'batch counters differ from its items', format('batch %s: %s', b.batch_id, n)
FROM b LEFT JOIN batch_items n USING (batch_id)
WHERE (b.total, b.processed, b.failed, b.skipped) IS DISTINCT FROM (n.total, n.analyzed, n.failed, n.skipped)
UNION ALL
SELECT 'batch state differs from its items', format('batch %s is %s: %s', b.batch_id, b.status, n)
FROM b JOIN batch_items n USING (batch_id)
WHERE CASE
    WHEN n.under_way > 0 THEN b.status <> 'PROCESSING'
    WHEN n.open > 0 THEN b.status NOT IN ('PENDING', 'PROCESSING')
    WHEN n.analyzed = n.total THEN b.status <> 'COMPLETED'
    WHEN n.analyzed > 0 THEN b.status <> 'PARTIAL'
    WHEN n.failed > 0 THEN b.status <> 'FAILED'
    ELSE b.status <> 'CANCELLED' END
  OR (b.finished_at IS NOT NULL) <> (n.open = 0)
UNION ALL
SELECT 'session state differs from its items', format('%s (%s): %s', s.status, s.reason, counted)
FROM s, counted
WHERE CASE s.status
    WHEN 'COMPLETED' THEN counted.analyzed < counted.total OR s.reason IS NOT NULL
    WHEN 'FAILED' THEN counted.open > 0 OR counted.analyzed > 0 OR s.reason IS NULL
    WHEN 'PARTIAL' THEN counted.open > 0 OR counted.analyzed IN (0, counted.total) OR s.reason IS NULL
    WHEN 'CANCELLED' THEN s.reason IS NULL OR EXISTS (SELECT FROM i WHERE i.status = 'PENDING')
    ELSE false END
  OR (s.finished_at IS NULL) <> (s.status IN ('INITIATED', 'PROCESSING', 'PAUSED'))
UNION ALL
SELECT 'an article under way without a lease', item_id::text FROM i
WHERE status = 'PROCESSING' AND (lease_token IS NULL OR lease_until IS NULL OR lease_owner IS NULL)
UNION ALL
SELECT 'attempts out of bounds', format('item %s: %s of %s', item_id, attempts, max_attempts) FROM i
WHERE attempts < 0 OR attempts > max_attempts
UNION ALL
SELECT 'a held call without the claim it was made under', c.call_id::text
FROM c LEFT JOIN i ON i.item_id = c.item_id AND i.lease_token = c.lease_token AND i.status = 'PROCESSING'
WHERE c.state = 'HELD' AND i.item_id IS NULL
UNION ALL
SELECT 'two calls of one article are out', item_id::text FROM c WHERE state = 'HELD' GROUP BY item_id HAVING count(*) > 1
UNION ALL
SELECT 'an article in two live sessions', o.article_id::text FROM batch_processing_items o
WHERE o.status IN ('PENDING', 'PROCESSING') AND o.article_id IN (SELECT article_id FROM i)
GROUP BY o.article_id HAVING count(*) > 1
UNION ALL
SELECT 'analyses of an article', format('item %s is %s/%s with %s', i.item_id, i.status, i.stage, count(a.analysis_id))
FROM i LEFT JOIN a USING (article_id)
GROUP BY i.item_id, i.status, i.stage
HAVING count(a.analysis_id) <>
  CASE WHEN i.status = 'ANALYZED' OR (i.status = 'PROCESSING' AND i.stage = 'RESEARCH') THEN 1 ELSE 0 END
UNION ALL
SELECT 'analysed but not marked', i.article_id::text
FROM i JOIN articles r ON r.id = i.article_id WHERE i.status = 'ANALYZED' AND r.analyzed_at IS NULL
UNION ALL
SELECT 'an analysis that nobody paid for', a.article_id::text FROM a WHERE NOT EXISTS
  (SELECT FROM c WHERE c.article_id = a.article_id AND c.kind = 'analysis' AND c.state = 'SETTLED')
UNION ALL
SELECT 'analysis cost differs from its calls', format('article %s: %s', a.article_id, a.cost) FROM a
WHERE a.cost <> (SELECT c.spent + c.overrun FROM c
    WHERE c.article_id = a.article_id AND c.kind = 'analysis' ORDER BY c.call_id DESC LIMIT 1)
  + coalesce((SELECT sum(c.spent + c.overrun) FROM c
    WHERE c.article_id = a.article_id AND c.kind <> 'analysis' AND c.state <> 'HELD'), 0)
UNION ALL
SELECT 'an event does not begin where the one before it ended', format('%s: %s -> %s after %s', what, from_state, to_state, before)
FROM chained WHERE from_state IS DISTINCT FROM before
UNION ALL
SELECT 'a state that no event tells of', format('%s is %s, told %s', what, status, to_state)
FROM stands LEFT JOIN (SELECT what, to_state FROM chained WHERE from_last = 1) last USING (what)
WHERE status IS DISTINCT FROM coalesce(to_state, CASE WHEN what = 'session' THEN NULL ELSE 'PENDING' END)
UNION ALL
SELECT 'a call whose events differ', format('call %s is %s: %s', c.call_id, c.state, n)
FROM c LEFT JOIN ends n USING (call_id)
WHERE n.holds IS DISTINCT FROM 1 OR n.ends <> CASE WHEN c.state = 'HELD' THEN 0 ELSE 1 END
  OR (c.state <> 'HELD' AND n.told_state <> c.state) OR n.resolutions > 1
  OR (n.resolutions = 1 AND c.state NOT IN ('SETTLED', 'RELEASED'))
UNION ALL
SELECT 'stale writes counted', format('%s, told %s', s.stale_writes, (SELECT count(*) FROM e WHERE action = 'stale_write'))
FROM s WHERE s.stale_writes <> (SELECT count(*) FROM e WHERE action = 'stale_write')`;

/** Every rule that the session breaks, as lines for a person; empty when all hold. */
export async function findViolations(db: Queryable, sessionId: string): Promise<string[]> {
  const { rows } = await db.query<{ rule: string; detail: string }>(VIOLATIONS, [sessionId]);
  return rows.map(({ rule, detail }) => `${rule}: ${detail}`);
}

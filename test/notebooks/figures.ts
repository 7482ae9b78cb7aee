/**
 * The figures of executed notebooks against SQL that gets them another way: money from the audit trail instead of the
 * ledger, times from ranges instead of loops, prices by arithmetic instead of the price library.
 */
import { expect } from "vitest";
import type { Queryable } from "../../lib/database/port.ts";
import { microsOf, type Shown, writtenUsd } from "./read_outputs.ts";

type Row = Record<string, number>;

async function one(db: Queryable, sql: string, params: readonly unknown[] = []): Promise<Row> {
  const { rows: [row] } = await db.query<Row>(sql, params);
  return row ?? {};
}

/*
 * What every event says was charged. An operator's word on an unknown call takes back what was charged in full and
 * charges what he says.
 */
const CHARGED = `charged AS (
  SELECT e.session_id, e.batch_id, e.item_id, e.call_id, e.at,
    CASE WHEN e.action = 'unknown_resolved' THEN -(e.detail ->> 'amount')::bigint ELSE 0 END
    + coalesce((e.detail ->> 'spent')::bigint, 0) + coalesce((e.detail ->> 'overrun')::bigint, 0) AS cost
  FROM session_events e JOIN batch_processing_sessions s USING (session_id)
  WHERE s.simulated = $1 AND (e.at AT TIME ZONE 'UTC')::date BETWEEN $2::date AND $3::date
    AND (e.detail ->> 'call' IN ('SETTLED', 'UNKNOWN') OR e.action = 'unknown_resolved')
)`;

export async function checkCosts(db: Queryable, shown: Shown): Promise<void> {
  const [money, from, to] = shown.find(
    /^Below: (real|simulated) money of the 30 days (\S+) to (\S+) \(UTC\)/,
  );
  const scope = [money === "simulated", from, to];

  const total = await one(
    db,
    `WITH ${CHARGED} SELECT sum(cost)::bigint AS cost,
       (SELECT count(*) FROM batch_processing_items i JOIN batch_processing_sessions s USING (session_id)
        WHERE i.status = 'ANALYZED' AND s.simulated = $1) AS articles FROM charged`,
    scope,
  );
  const [articles, cost] = shown.find(/^([\d,]+) articles? in .* cost (\$[\d.,]*\d)/);
  expect([Number(articles?.replaceAll(",", "")), cost]).toEqual([
    total["articles"],
    writtenUsd(total["cost"] ?? 0),
  ]);

  const { rows: sessions } = await db.query<{ number: number; cost: number; done: string }>(
    `WITH ${CHARGED} SELECT s.number, sum(cost)::bigint AS cost,
       (SELECT count(*) FILTER (WHERE status = 'ANALYZED') || ' of ' || count(*) FROM batch_processing_items i
        WHERE i.session_id = s.session_id) AS done
     FROM charged JOIN batch_processing_sessions s USING (session_id) GROUP BY s.number, s.session_id ORDER BY s.number`,
    scope,
  );
  expect(
    shown.table("Session", "Began", "Analysed").map((row) => [row["Session"], row["Cost"], row["Analysed"]]),
  )
    .toEqual(sessions.slice(0, 40).map(({ number, cost, done }) => [`${number}`, writtenUsd(cost), done]));

  const { rows: batches } = await db.query<{ cost: number }>(
    `WITH ${CHARGED} SELECT sum(cost)::bigint AS cost FROM charged GROUP BY batch_id ORDER BY 1 DESC LIMIT 10`,
    scope,
  );
  expect(shown.table("Session", "Batch", "Paid").map((row) => row["Paid"]))
    .toEqual(batches.map(({ cost }) => writtenUsd(cost)));

  const dearest = await one(
    db,
    `WITH ${CHARGED} SELECT sum(cost)::bigint AS cost FROM charged
     WHERE item_id IN (SELECT item_id FROM session_events WHERE to_state = 'ANALYZED' AND item_id IS NOT NULL)
     GROUP BY item_id ORDER BY 1 DESC LIMIT 1`,
    scope,
  );
  expect(shown.table("Article", "Tries", "Cost")[0]?.["Cost"]).toBe(writtenUsd(dearest["cost"] ?? 0));

  // Holds as they were told of when they were made, of calls that were told of as settled.
  const holds = await one(
    db,
    `WITH held AS (
       SELECT call_id, (detail ->> 'amount')::bigint AS amount FROM session_events
       WHERE detail ->> 'amount' IS NOT NULL AND action IN ('item_claimed', 'call_held')
     )
     SELECT count(*) AS calls, sum(held.amount)::bigint AS held FROM held
     JOIN (SELECT call_id FROM session_events e JOIN batch_processing_sessions s USING (session_id)
       WHERE s.simulated = $1 AND e.detail ->> 'call' = 'SETTLED') ended USING (call_id)`,
    [scope[0]],
  );
  const uses = shown.table("Use", "Calls", "Held");
  expect(uses.reduce((sum, row) => sum + Number(row["Calls"]?.replaceAll(",", "")), 0)).toBe(holds["calls"]);
  expectCut(uses.map((row) => microsOf(row["Held"])), holds["held"] ?? 0);

  const odd = await one(
    db,
    "SELECT sum(unknown)::bigint AS unknown, sum(overrun)::bigint AS overrun FROM batch_processing_sessions WHERE simulated = $1",
    [scope[0]],
  );
  const [unknown, overrun] = shown.find(
    /calls of unknown outcome (\$[\d.]+), bills above their holds (\$[\d.]*\d)/,
  );
  expect([unknown, overrun]).toEqual([writtenUsd(odd["unknown"] ?? 0), writtenUsd(odd["overrun"] ?? 0)]);

  const searches = await one(
    db,
    `SELECT coalesce(sum(credits), 0)::bigint AS credits FROM paid_calls WHERE kind = 'search' AND simulated = $1`,
    [scope[0]],
  );
  const byUse = shown.table("Provider", "Use", "Cost");
  const credits = byUse.filter((row) => row["Use"] === "search").map((row) => Number(row["Credits"]));
  expect(credits.reduce((sum, count) => sum + count, 0)).toBe(searches["credits"]);
  expectCut(byUse.map((row) => microsOf(row["Cost"])), total["cost"] ?? 0);
}

/** Amounts are written cut, so their sum is the true one or a little less: up to a hundredth of a cent each. */
function expectCut(amounts: readonly number[], truth: number): void {
  const sum = amounts.reduce((sum, amount) => sum + amount, 0);
  const unit = Math.max(...amounts) >= 1_000_000 ? 10_000 : 100;
  expect(sum).toBeLessThanOrEqual(truth);
  expect(sum).toBeGreaterThan(truth - unit * amounts.length);
}

export async function checkSession(db: Queryable, shown: Shown): Promise<void> {
  const [number] = shown.find(/^Below: session (\d+),/);
  const time = await one(
    db,
    `WITH calls AS (
       SELECT held_at, ended_at FROM paid_calls JOIN batch_processing_sessions s USING (session_id) WHERE s.number = $1
     ),
     busy AS (SELECT unnest(range_agg(tstzrange(held_at, ended_at))) AS span FROM calls),
     gaps AS (SELECT extract(epoch FROM lower(span) - lag(upper(span)) OVER (ORDER BY span)) * 1000 AS ms FROM busy)
     SELECT (SELECT extract(epoch FROM max(ended_at) - min(held_at)) * 1000 FROM calls)::float8 AS whole,
       (SELECT coalesce(sum(ms), 0) FROM gaps WHERE ms >= 250)::float8 AS idle, (SELECT count(*) FROM calls) AS calls`,
    [Number(number)],
  );
  const [whole, idle] = shown.find(/it took ([^;]+); for (\S+ %) of that nothing was on its way/);
  expect(millisecondsOf(whole)).toBeCloseTo(time["whole"] ?? 0, -3);
  expect(Number.parseInt(idle?.replace("<1", "0") ?? "")).toBe(
    Math.round((time["idle"] ?? 0) * 100 / (time["whole"] ?? 1)),
  );

  const session = await one(
    db,
    "SELECT analyzed, failed, retries, (spent + overrun) AS cost FROM batch_processing_sessions WHERE number = $1",
    [Number(number)],
  );
  const minutes = shown.table("From (UTC)", "Sent", "Analysed");
  const sum = (heading: string) =>
    minutes.reduce(
      (total, row) => total + (row[heading] === "–" ? 0 : Number(row[heading]?.replaceAll(",", ""))),
      0,
    );
  expect({ sent: sum("Sent"), analyzed: sum("Analysed"), failed: sum("Failed") })
    .toEqual({ sent: time["calls"], analyzed: session["analyzed"], failed: session["failed"] });
  expectCut(minutes.map((row) => microsOf(row["Cost"])), session["cost"] ?? 0);

  const slowest = await one(
    db,
    `SELECT max(ms)::float8 AS ms FROM (
       SELECT extract(epoch FROM max(c.ended_at) - min(c.held_at)) * 1000 AS ms
       FROM paid_calls c JOIN batch_processing_sessions s USING (session_id) WHERE s.number = $1 GROUP BY c.article_id) x`,
    [Number(number)],
  );
  const shownMs = millisecondsOf(shown.table("Article", "In all")[0]?.["In all"]);
  expect(Math.abs(shownMs - (slowest["ms"] ?? 0))).toBeLessThan(1_000);
}

/** "6 min 5 s", "34.9 s". */
function millisecondsOf(text: string | undefined): number {
  const units: Record<string, number> = { h: 3_600_000, min: 60_000, s: 1_000 };
  return [...(text ?? "").matchAll(/([\d.]+) (h|min|s)/g)]
    .reduce((sum, [, value, unit]) => sum + Number(value) * (units[unit ?? ""] ?? NaN), 0);
}

export async function checkModels(db: Queryable, shown: Shown): Promise<void> {
  const [money] = shown.find(/\((real|simulated) money\)/);
  const usage = `SELECT input_tokens AS i, output_tokens AS o FROM paid_calls
    WHERE kind IN ('analysis', 'validation') AND state = 'SETTLED' AND input_tokens IS NOT NULL AND simulated = $1`;
  const totals = await one(
    db,
    `SELECT count(*) AS calls, sum(i)::bigint AS input, sum(o)::bigint AS output FROM (${usage}) u`,
    [money === "simulated"],
  );
  expect(
    shown.find(/^([\d,]+) calls? with ([\d,]+) tokens in and ([\d,]+) out/).map((text) =>
      Number(text.replaceAll(",", ""))
    ),
  )
    .toEqual([totals["calls"], totals["input"], totals["output"]]);
  const rows = shown.table("Model", "In, $ per million", "This work");
  expect(rows.length).toBeGreaterThan(5);
  for (const row of rows) {
    const { cost = 0 } = await one(
      db,
      `SELECT sum(ceil(i * $2::numeric + o * $3::numeric))::bigint AS cost FROM (${usage}) u`,
      [money === "simulated", row["In, $ per million"], row["Out, $ per million"]],
    );
    expect([row["Model"], row["This work"]]).toEqual([row["Model"], writtenUsd(cost)]);
    expect(row["In batch jobs"]).toBe(writtenUsd(Math.ceil(cost / 2)));
  }
}

export async function checkSignals(db: Queryable, shown: Shown): Promise<void> {
  const counts = await one(
    db,
    `SELECT count(DISTINCT article_id) AS articles, count(*) FILTER (WHERE sentiment = 'NEGATIVE') AS negative,
       (SELECT sum(ungrounded) FROM batch_processing_sessions)::integer AS dropped,
       (SELECT count(*) FROM article_analyses, jsonb_path_query(weak_signals, '$[*].evidence[*]'))::integer AS quotes,
       round(max(signal_strength) FILTER (WHERE weak_signals <> '[]')::numeric, 2)::float8 AS strongest
     FROM article_analyses`,
  );
  const [articles, negative, strongest, quotes] = shown.find(
    /^([\d,]+) analysed articles .* ([\d<]+) % negative.*\(strength ([\d.]+)\).* of ([\d,]+) quotes? did not/,
  );
  expect(Number(articles?.replaceAll(",", ""))).toBe(counts["articles"]);
  expect(negative).toBe(`${Math.round((counts["negative"] ?? 0) * 100 / (counts["articles"] ?? 1))}`);
  expect(Number(strongest)).toBe(counts["strongest"]);
  expect(Number(quotes?.replaceAll(",", ""))).toBe((counts["quotes"] ?? 0) + (counts["dropped"] ?? 0));

  const [name] = shown.table("Name", "Kind", "Articles now");
  const [days, newest] = shown.find(/^In the last (\d+) days \(([\d,]+) articles?\)/);
  const moved = await one(
    db,
    `WITH dated AS (
       SELECT n.entities, (coalesce(a.published_at, a.created_at) AT TIME ZONE 'UTC')::date AS day
       FROM article_analyses n JOIN articles a ON a.id = n.article_id
     ),
     last AS (SELECT max(day) AS day FROM dated)
     SELECT count(*) AS newest, count(*) FILTER (WHERE EXISTS (
       SELECT FROM jsonb_path_query(entities, '$[*].name') AS x WHERE lower(x #>> '{}') = lower($2))) AS named
     FROM dated, last WHERE dated.day > last.day - $1::integer`,
    [Number(days), name?.["Name"]],
  );
  expect([newest, name?.["Articles now"]]).toEqual([`${moved["newest"]}`, `${moved["named"]}`]);
}

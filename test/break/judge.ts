/** The verdict on a session after everything that was done to its processes, from the tables and the wire alone. */
import { readConfig } from "../../lib/config.ts";
import { requirePrice } from "../../lib/budget/prices.ts";
import type { Queryable } from "../../lib/database/port.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { compareWire, type Comparison } from "./compare_wire.ts";
import type { ServiceRun } from "./service_run.ts";
import type { Stage } from "./stage.ts";

export interface Verdict extends Omit<Comparison, "violations"> {
  /** Everything that is not as it must be; empty when all is well. */
  violations: string[];
  session: {
    status: string;
    reason: string | null;
    total: number;
    analyzed: number;
    failed: number;
    skipped: number;
    retries: number;
    stale_writes: number;
    budget: number;
    spent: number;
    unknown: number;
    overrun: number;
  };
  /** Failed articles by their last error. */
  failures: Record<string, number>;
  /** The most that `spent + held` ever was at a commit, of how many commits, and how many crossed the cap. */
  mostCommitted: number;
  commits: number;
  crossings: number;
}

/** Rules that hold once a session has ended; the ones that always hold are in ledger_invariants.ts. */
const AFTER_THE_END = `
WITH i AS MATERIALIZED (SELECT * FROM batch_processing_items WHERE session_id = $1)
SELECT 'an article without an end' AS rule, format('item %s is %s', item_id, status) AS detail
FROM i WHERE status NOT IN ('ANALYZED', 'FAILED', 'SKIPPED')
UNION ALL
SELECT 'articles lost', format('%s of %s', (SELECT count(*) FROM i), $2::integer) WHERE (SELECT count(*) FROM i) <> $2
UNION ALL
SELECT 'an article analysed twice', format('article %s: %s times', article_id, count(*))
FROM article_analyses GROUP BY article_id HAVING count(*) > 1
UNION ALL
SELECT 'failed without a word why', item_id::text FROM i WHERE status = 'FAILED' AND (error_class IS NULL OR error IS NULL)
UNION ALL
SELECT 'given up before its last attempt', format('item %s: %s of %s', item_id, attempts, max_attempts)
FROM i WHERE status = 'FAILED' AND NOT permanent AND attempts < max_attempts
UNION ALL
SELECT 'an attempt without a call', format('item %s: %s attempts, %s with a call', i.item_id, i.attempts, count(DISTINCT c.attempt))
FROM i LEFT JOIN paid_calls c ON c.item_id = i.item_id AND c.kind = 'analysis' AND c.attempt <= i.attempts
GROUP BY i.item_id, i.attempts HAVING count(DISTINCT c.attempt) <> i.attempts
UNION ALL
SELECT 'skipped without a reason', item_id::text FROM i WHERE status = 'SKIPPED' AND reason IS NULL
UNION ALL
SELECT 'the session has not ended', status FROM batch_processing_sessions
WHERE session_id = $1 AND status NOT IN ('COMPLETED', 'PARTIAL', 'FAILED')`;

export async function judge(
  db: Queryable,
  stage: Pick<Stage, "sessionId" | "articles" | "providers" | "envOf">,
  runs: readonly ServiceRun[],
): Promise<Verdict> {
  const { sessionId, articles, providers, envOf } = stage;
  const config = readConfig(envOf("judge"));
  const { violations, ...comparison } = await compareWire(db, sessionId, providers.requests, runs, {
    model: requirePrice(config.gemini.model, new Date(), config.gemini.price),
    credit: config.tavily.creditPrice,
  });
  violations.push(...await findViolations(db, sessionId));
  const { rows: broken } = await db.query<{ rule: string; detail: string }>(AFTER_THE_END, [
    sessionId,
    articles,
  ]);
  violations.push(...broken.map(({ rule, detail }) => `${rule}: ${detail}`));
  const { rows: [session] } = await db.query<Verdict["session"]>(
    `SELECT status, reason, total, analyzed, failed, skipped, retries, stale_writes, budget, spent, unknown, overrun
     FROM batch_processing_sessions WHERE session_id = $1`,
    [sessionId],
  );
  const { rows: failures } = await db.query<{ error_class: string; n: number }>(
    `SELECT error_class, count(*) AS n FROM batch_processing_items WHERE session_id = $1 AND status = 'FAILED'
     GROUP BY error_class`,
    [sessionId],
  );
  const { rows: [money] } = await db.query<{ most: number; commits: number; crossings: number }>(
    `SELECT max(spent + held) AS most, count(*) AS commits,
       count(*) FILTER (WHERE spent + held > budget) AS crossings
     FROM seen_money WHERE session_id = $1`,
    [sessionId],
  );
  if (money.crossings > 0) violations.push(`the cap was crossed at ${money.crossings} commits`);
  violations.push(...runs.flatMap(findDefects));
  return {
    ...comparison,
    violations,
    session,
    failures: Object.fromEntries(failures.map(({ error_class, n }) => [error_class, n])),
    mostCommitted: money.most,
    commits: money.commits,
    crossings: money.crossings,
  };
}

/** What a process says only when the program is wrong; trouble with provider or database is told in other words. */
const DEFECT = /violates|panicked|Uncaught|TypeError|ReferenceError|RangeError|SyntaxError|deadlock/;

function findDefects(run: ServiceRun): string[] {
  return run.lines.filter((line) => DEFECT.test(line)).map((line) => `${run.name} said: ${line}`);
}

/** How often the processes said each thing that is more than information. */
export function countComplaints(runs: readonly ServiceRun[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of runs.flatMap((run) => run.lines)) {
    const what = complaintOf(line);
    if (what !== null) counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

function complaintOf(line: string): string | null {
  try {
    const { level, msg } = JSON.parse(line) as { level: string; msg: string };
    return level === "warn" || level === "error" ? msg.replace(/ \(.*/s, "") : null;
  } catch {
    // What a desk command says to people is no JSON.
    return null;
  }
}

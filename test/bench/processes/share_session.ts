/** How fast several processes work off one session together. */
import type { BenchDatabase } from "../databases.ts";
import { CONCURRENCY, type Crew, startCrew } from "./crew.ts";

export interface SharedSession {
  processes: number;
  latencyMs: number;
  articles: number;
  /** From the session's start to its end by the database's clock. */
  seconds: number;
  perSecond: number;
  /** Ideal time over actual time; null without latency. */
  ofIdeal: number | null;
  /** Articles of the process that finished the fewest, and the most. */
  fewest: number;
  most: number;
  /** Requests that the provider received, and calls in the ledger that were sent: the same number. With the warm-up. */
  requests: number;
  calls: number;
}

export async function shareSession(
  bench: BenchDatabase,
  options: { processes: number; articles: number; latencyMs: number },
): Promise<SharedSession> {
  const { processes, articles, latencyMs } = options;
  const warmUp = processes * CONCURRENCY * 4;
  const crew = await startCrew(bench, { ...options, articles: articles + warmUp });
  await work(bench, crew, warmUp);
  const { session_id, seconds } = await work(bench, crew, articles);
  const finished = await countFinished(bench, crew, session_id);
  const { requests, calls } = await countSent(bench, crew);
  await crew.stop();
  const ideal = Math.ceil(articles / (processes * CONCURRENCY)) * latencyMs / 1_000;
  return {
    ...options,
    seconds,
    perSecond: articles / seconds,
    ofIdeal: ideal > 0 ? ideal / seconds : null,
    fewest: Math.min(...finished),
    most: Math.max(...finished),
    requests,
    calls,
  };
}

/** One session over so many articles, from its start to its end. */
async function work(
  bench: BenchDatabase,
  crew: Crew,
  limit: number,
): Promise<{ session_id: string; seconds: number }> {
  const { number, session_id } = await crew.desk.start({ limit }, "bench");
  await crew.wake();
  const { status, seconds } = await untilEnded(bench, number);
  if (status !== "COMPLETED") throw new Error(`the session ended ${status}`);
  return { session_id, seconds };
}

export async function untilEnded(
  { db }: BenchDatabase,
  number: number,
): Promise<{ status: string; seconds: number }> {
  while (true) {
    const { rows: [row] } = await db.query<{ status: string; seconds: number | null }>(
      `SELECT status, extract(epoch FROM finished_at - started_at)::float8 AS seconds
       FROM batch_processing_sessions WHERE number = $1`,
      [number],
    );
    if (row && row.seconds !== null) return { status: row.status, seconds: row.seconds };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What was sent, by the provider's count and by the ledger's. */
export async function countSent(
  { db }: BenchDatabase,
  crew: Crew,
): Promise<{ requests: number; calls: number }> {
  const { rows: [sent] } = await db.query<{ calls: number }>(
    "SELECT count(*) AS calls FROM paid_calls WHERE failure IS DISTINCT FROM 'not_sent'",
  );
  return { requests: await crew.countRequests(), calls: sent?.calls ?? 0 };
}

async function countFinished({ db }: BenchDatabase, crew: Crew, sessionId: string): Promise<number[]> {
  const { rows } = await db.query<{ actor: string; n: number }>(
    `SELECT actor, count(*) AS n FROM session_events
     WHERE session_id = $1 AND action = 'item_analyzed' GROUP BY actor`,
    [sessionId],
  );
  return crew.workerIds.map((id) => rows.find(({ actor }) => actor === id)?.n ?? 0);
}

/**
 * Minutes of trouble with a provider in the middle of a session, at a fraction of their length: every wait, pause and
 * time limit that the desk knows is cut by the same factor, and everything else is real.
 */
import { expect } from "vitest";
import { BREAKER_TIMING } from "../../lib/analysis/breaker/breaker.ts";
import { createAnalysts } from "../../lib/analysis/make_analyst.ts";
import type { Analyst, CallResult, Researcher } from "../../lib/analysis/port.ts";
import type { Session } from "../../lib/batches/types.ts";
import { CallGate } from "../../lib/batches/worker/call_gate.ts";
import { TROUBLE_TIMING } from "../../lib/batches/worker/come_back.ts";
import { shareRate } from "../../lib/batches/worker/shared_rate.ts";
import type { WorkerOptions } from "../../lib/batches/worker/worker.ts";
import type { Database } from "../../lib/database/port.ts";
import type { SessionRequest } from "../../lib/desk.ts";
import { exactUsd, type Micros } from "../../lib/money.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import type { WireReply, WireRequest } from "../fakes/wire_server.ts";
import { addArticles } from "../helpers/articles.ts";
import { openWorkerBench, type WorkerBench } from "../helpers/worker_bench.ts";

/** How many times faster than life. */
const SCALE = 200;
const MINUTE = 60_000 / SCALE;

const QUICK_BREAKERS = {
  ...BREAKER_TIMING,
  firstOpenMs: BREAKER_TIMING.firstOpenMs / SCALE,
  longestOpenMs: BREAKER_TIMING.longestOpenMs / SCALE,
};

const { outage, rateLimit, patienceMs, longestWaitMs } = TROUBLE_TIMING;
export const QUICK_TROUBLE: Partial<WorkerOptions> = {
  idleLookMs: 1_000 / SCALE,
  troubleTiming: {
    ...TROUBLE_TIMING,
    outage: { firstMs: outage.firstMs / SCALE, longestMs: outage.longestMs / SCALE },
    rateLimit: { firstMs: rateLimit.firstMs / SCALE, longestMs: rateLimit.longestMs / SCALE },
    patienceMs: patienceMs / SCALE,
    longestWaitMs: longestWaitMs / SCALE,
  },
};

type Answer = WireReply | null;
export type Forecast = Answer | ((request: WireRequest) => Answer | Promise<Answer>);

export interface Weather {
  gemini: Forecast;
  tavily: Forecast;
}

export interface StormBench extends WorkerBench {
  weather: Weather;
  /** A worker whose process has breakers and a gate of its own. */
  startProcess(researcher?: (made: Researcher | null) => Researcher | null): void;
}

/** A storm that comes with a request, not with a moment: on a busy machine a session could be over before it. */
export function afterRequests(calm: number, storm: Forecast): Forecast {
  let left = calm;
  return (request) => {
    if (left-- > 0) return null;
    return typeof storm === "function" ? storm(request) : storm;
  };
}

/** A bench whose providers do what `weather` says and answer well while that is null. */
export async function openStormBench(db: Database, env: Record<string, string> = {}): Promise<StormBench> {
  const weather: Weather = { gemini: null, tavily: null };
  const ask = (forecast: Forecast, request: WireRequest) =>
    typeof forecast === "function" ? forecast(request) : forecast;
  const bench = await openWorkerBench(db, {
    gemini: { script: (request) => ask(weather.gemini, request), latencyMs: 20 },
    tavily: { script: (request) => ask(weather.tavily, request) },
    breakers: QUICK_BREAKERS,
    env: {
      // An article's five minutes.
      ARTICLE_TIMEOUT_SECONDS: String(5 * MINUTE / 1_000),
      RETRY_BASE_SECONDS: String(2 / SCALE),
      ...env,
    },
  });
  return Object.assign(bench, {
    weather,
    startProcess(researcher = (made: Researcher | null) => made) {
      const analysts = createAnalysts(bench.config, QUICK_BREAKERS);
      bench.makeWorker({
        ...QUICK_TROUBLE,
        gate: new CallGate({ rate: shareRate(db, "gemini", bench.config.gemini.rpm) }),
        makeAnalyst: (provider, model) => quicken(analysts.analyst(provider, model)),
        makeResearcher: (provider) => researcher(quickenSearches(analysts.researcher(provider))),
        tryNow: analysts.tryNow,
      }).start();
    },
  });
}

/** Told waits come from the provider and from a table; this is where they are cut. */
function quicken(analyst: Analyst): Analyst {
  const cut = <T>(result: CallResult<T>): CallResult<T> =>
    result.ok || result.action !== "wait" ? result : { ...result, waitMs: (result.waitMs ?? 0) / SCALE };
  return {
    ...analyst,
    analyse: async (article, signal, answered) => cut(await analyst.analyse(article, signal, answered)),
    validate: async (claim, sources, signal) => cut(await analyst.validate(claim, sources, signal)),
  };
}

function quickenSearches(researcher: Researcher | null): Researcher | null {
  return researcher && {
    ...researcher,
    async search(query, signal) {
      const result = await researcher.search(query, signal);
      return result.ok || result.action !== "wait"
        ? result
        : { ...result, waitMs: (result.waitMs ?? 0) / SCALE };
    },
  };
}

/** A search's own time limit of 30 s. */
export function hurry(researcher: Researcher | null): Researcher | null {
  return researcher && {
    ...researcher,
    search: (query, signal) =>
      researcher.search(query, AbortSignal.any([signal, AbortSignal.timeout(30_000 / SCALE)])),
  };
}

export interface StormReport {
  session: Session;
  /** Reasons of the pauses, in order. */
  pauses: string[];
  /** Requests that arrived while the storm lasted. */
  requests: number;
  /** What the session was charged for requests that failed. */
  charged: Micros;
  /** Attempts beyond the one that succeeded, over all articles. */
  lostAttempts: number;
  /** The most that one article lost. */
  mostLost: number;
  /** Time from the storm's end to the next analysis, in life's seconds. */
  recoverySeconds: number;
}

/** In one line, for a verbose report. */
export function describeReport(
  { requests, charged, lostAttempts, pauses, recoverySeconds }: StormReport,
): string {
  return `${requests} requests, $${exactUsd(charged)}, ${lostAttempts} attempts lost, ` +
    `paused ${pauses.length} times, back after ${recoverySeconds} s`;
}

/** Nothing is missing, nothing is held, and the books are right. */
export async function expectWhole(db: Database, { session }: StormReport): Promise<void> {
  expect(session).toMatchObject({
    status: "COMPLETED",
    reason: null,
    analyzed: session.total,
    failed: 0,
    skipped: 0,
    held: 0,
    resume_at: null,
    resume_tries: 0,
    stale_writes: 0,
  });
  expect(await findViolations(db, session.session_id)).toEqual([]);
}

export interface StormPlan {
  storm: Partial<Weather>;
  minutes?: number;
  request?: SessionRequest;
  articles?: number;
}

/** Requests that are answered well before the storm. */
const CALM = 8;

/** Starts a session, lets some requests pass, then the storm by the wire, then calm until it has ended. */
export async function rideOut(
  db: Database,
  bench: StormBench,
  { storm, minutes = 10, request = {}, articles = 60 }: StormPlan,
): Promise<StormReport> {
  await addArticles(db, articles);
  const before = countRequests(bench, storm) + CALM;
  for (const [provider, forecast] of Object.entries(storm)) {
    bench.weather[provider as keyof Weather] = afterRequests(CALM, forecast);
  }
  const began = await readClock(db);
  const { number, session_id } = await bench.desk.start(request, "operator:test");
  await expect.poll(() => countRequests(bench, storm), { interval: 5 }).toBeGreaterThan(before);
  await new Promise((resolve) => setTimeout(resolve, minutes * MINUTE));
  const requests = countRequests(bench, storm) - before;
  Object.assign(bench.weather, { gemini: null, tavily: null });
  const over = await readClock(db);
  const session = await bench.untilEnded(number);
  return { session, requests, ...await readBooks(db, session_id, began, over) };
}

function countRequests(bench: StormBench, storm: Partial<Weather>): number {
  return (storm.gemini ? bench.gemini.count : 0) + (storm.tavily ? bench.tavily.count : 0);
}

async function readClock(db: Database): Promise<Date> {
  const { rows: [{ at }] } = await db.query<{ at: Date }>("SELECT clock_timestamp() AS at");
  return at;
}

async function readBooks(db: Database, sessionId: string, began: Date, over: Date) {
  const { rows: [books] } = await db.query<{
    pauses: string[] | null;
    charged: Micros;
    lost: number;
    most: number;
    recovery_ms: number;
  }>(
    `SELECT
       (SELECT array_agg(detail ->> 'reason' ORDER BY event_id) FROM session_events
        WHERE session_id = $1 AND action = 'session_paused') AS pauses,
       (SELECT coalesce(sum(spent), 0)::bigint FROM paid_calls
        WHERE session_id = $1 AND ended_at > $2 AND failure IS NOT NULL) AS charged,
       (SELECT sum(attempts - 1)::bigint FROM batch_processing_items WHERE session_id = $1) AS lost,
       (SELECT max(attempts - 1) FROM batch_processing_items WHERE session_id = $1) AS most,
       (SELECT (extract(epoch FROM min(created_at) - $3) * 1000)::bigint FROM article_analyses
        WHERE session_id = $1 AND created_at > $3) AS recovery_ms`,
    [sessionId, began, over],
  );
  return {
    pauses: books.pauses ?? [],
    charged: books.charged,
    lostAttempts: books.lost,
    mostLost: books.most,
    recoverySeconds: Math.round(books.recovery_ms * SCALE / 1_000),
  };
}

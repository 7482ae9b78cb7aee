/**
 * The conditions that are found by looking: each a pure function from a snapshot to what a person should be told, or
 * null. `open` is what was told already: that has to be well over before it counts as over, or it would be told and
 * taken back again and again around its threshold.
 */
import { projectFit } from "../budget/project_fit.ts";
import { formatUsd, type Micros } from "../money.ts";
import type { RuleName } from "./rules.ts";
import type { SessionSnapshot } from "./snapshot.ts";
import type { Alert } from "./types.ts";
import { count, longTime, money, percent } from "./words.ts";

export interface Thresholds {
  /** Shares in percent. */
  warnPercent: number;
  failurePercent: number;
  ungroundedPercent: number;
  stalledMs: number;
  /** Work that is due and that nobody takes for this long is not just waiting for its turn. */
  notMovingMs: number;
  /** One failure may be the feed's bad hour. */
  feedFailures: number;
}

export interface Finding {
  text: string;
  detail: Record<string, unknown>;
}

export interface Look {
  thresholds: Thresholds;
  /** Since the worker that lives longest began, ms; null: no worker lives. */
  workerMs: number | null;
  /** The alert that is open about it; null: none. */
  open: Pick<Alert, "detail"> | null;
}

export type SessionCondition = (session: SessionSnapshot, look: Look) => Finding | null;

/**
 * Rates and means over fewer articles than this say nothing: one failure among four is 25 %. A matter of numbers, not of
 * taste, so no settings: who wants to hear later raises the percentage.
 */
const FEWEST_ARTICLES = 5;
/** An article brings about four. */
const FEWEST_QUOTES = 20;
/** One search may have bad luck, and a rate limit passes. */
const FEWEST_SEARCHES = 3;
const FAILING_SEARCHES_MS = 5 * 60_000;
/** A rate that was told is over when it is below this share of its threshold, percent. */
const OVER_BELOW = 80;
/** Articles over those that are left, as a share of them, for which there must be room too. */
const SPARE = 0.1;

export const SESSION_CONDITIONS = {
  failure_rate: findFailureRate,
  ungrounded_evidence: findUngrounded,
  searches_failing: findFailingSearches,
  budget_projection: findProjection,
  stalled: findStalled,
  queue_not_moving: findNotMoving,
  no_worker: findNoWorker,
} satisfies Partial<Record<RuleName, SessionCondition>>;

function findFailureRate(session: SessionSnapshot, { thresholds, open }: Look): Finding | null {
  const { number, failed, analyzed } = session;
  const ended = failed + analyzed;
  if (ended < FEWEST_ARTICLES || !exceeds(failed, ended, thresholds.failurePercent, open !== null)) {
    return null;
  }
  return {
    text: `Session ${number}: ${failed} of ${count(ended, "article")} failed (${percent(failed, ended)} %)`,
    detail: { number, failed, ended, threshold_percent: thresholds.failurePercent },
  };
}

function findUngrounded(session: SessionSnapshot, { thresholds, open }: Look): Finding | null {
  const { number, quotes_kept: kept, quotes_dropped: dropped } = session;
  const quotes = kept + dropped;
  if (quotes < FEWEST_QUOTES || !exceeds(dropped, quotes, thresholds.ungroundedPercent, open !== null)) {
    return null;
  }
  return {
    text: `Session ${number}: ${dropped} of ${quotes} quotes do not stand in their article ` +
      `(${percent(dropped, quotes)} %) and were dropped`,
    detail: { number, dropped, quotes, threshold_percent: thresholds.ungroundedPercent },
  };
}

function findFailingSearches(session: SessionSnapshot): Finding | null {
  const { number, searches_failed: failed, searches_failing_ms: ms, search_error: error } = session;
  if (failed < FEWEST_SEARCHES || ms < FAILING_SEARCHES_MS) return null;
  return {
    text: `Session ${number}: no search has succeeded for ${longTime(ms)}, and its analyses go on without. ` +
      `The newest failed: ${error}`,
    detail: { number, failing_ms: ms, error },
  };
}

/**
 * Early, while there is still something to decide: near its cap the session says it louder by itself. Where the cost is
 * about the budget, the mean of each article decides anew whether one is left out; so what was told is over when a tenth
 * more articles than there are would fit, or the first time that the budget was raised enough.
 */
function findProjection(session: SessionSnapshot, { open }: Look): Finding | null {
  const { number, analyzed, failed, skipped, total, budget, spent, overrun, simulated } = session;
  const nearCap = spent * 100 >= budget * session.critical_percent;
  if (analyzed < FEWEST_ARTICLES || (nearCap && !open)) return null;
  const left = total - analyzed - failed - skipped;
  const sameBudget = open !== null && open.detail.budget === budget;
  const fit = projectFit({ ...session, left: sameBudget ? Math.ceil(left * (1 + SPARE)) : left });
  if (fit === null || fit.leftOut === 0) return null;
  const { projected, leftOut, enough } = fit;
  const mean = Math.round((spent + overrun) / analyzed) as Micros;
  return {
    text:
      `Session ${number} will not fit its budget of ${formatUsd(budget)}: at ${money(mean, simulated)} an ` +
      `article about ${leftOut} of ${total} will be left out. About ${formatUsd(enough)} would do for all`,
    detail: { number, budget, spent, projected, left_out: leftOut, enough, mean, total, simulated },
  };
}

/**
 * What waited before a worker was there does not count: after a restart there is a chance to catch up. What was told is
 * not over by a restart.
 */
function findStalled(session: SessionSnapshot, { thresholds, workerMs, open }: Look): Finding | null {
  const { number, status, quiet_ms, due_ms, under_way_ms, analyzed, total } = session;
  const waiting = Math.max(due_ms ?? 0, under_way_ms ?? 0);
  const still = Math.min(quiet_ms, waiting, open ? Infinity : workerMs ?? Infinity);
  if (status !== "PROCESSING" || still < thresholds.stalledMs) return null;
  return {
    text:
      `Session ${number} has stalled: no article ended for ${longTime(quiet_ms)} although some are due. ` +
      `${analyzed} of ${total} analysed`,
    detail: { number, quiet_ms, due_ms, under_way_ms },
  };
}

function findNotMoving(
  session: SessionSnapshot,
  { thresholds: { notMovingMs }, workerMs, open }: Look,
): Finding | null {
  if (workerMs === null || (workerMs < notMovingMs && !open) || !isLeftAlone(session, notMovingMs)) {
    return null;
  }
  const { number, due_ms } = session;
  return {
    text: `Session ${number}: articles are due for ${longTime(due_ms ?? 0)} and no worker takes them`,
    detail: { number, due_ms, worker_ms: workerMs },
  };
}

function findNoWorker(session: SessionSnapshot, { thresholds, workerMs }: Look): Finding | null {
  if (workerMs !== null || !isLeftAlone(session, thresholds.notMovingMs)) return null;
  const { number, due_ms } = session;
  return {
    text: `Session ${number}: articles are due for ${longTime(due_ms ?? 0)} and no worker is alive`,
    detail: { number, due_ms },
  };
}

/** Work is due, and for long nobody claimed any, has any under way, or resumed the session. */
function isLeftAlone(
  { status, due_ms, claimed_ms, under_way_ms, quiet_ms }: SessionSnapshot,
  notMovingMs: number,
): boolean {
  return status === "PROCESSING" && under_way_ms === null &&
    [due_ms ?? 0, claimed_ms ?? Infinity, quiet_ms].every((waited) => waited >= notMovingMs);
}

/** In whole numbers: `part / whole` over `threshold` percent, or over what keeps an open alert open. */
function exceeds(part: number, whole: number, threshold: number, open: boolean): boolean {
  return part * 100 * 100 > whole * threshold * (open ? OVER_BELOW : 100);
}

/** Where a session's time went: minute by minute, and while nothing was on its way. Pure: rows in, figures out. */
import type { Micros } from "../../lib/money.ts";
import type { BatchStart, Move, SessionCall } from "./sessions.ts";

/** Failures that say "come back later" to everybody. */
const RATE_LIMITS = new Set(["rate_limited", "come_back_later"]);
/** What a call of a worker that died is marked with. */
const LOST = "worker_lost";
const MINUTE_MS = 60_000;

export interface Span {
  /** ms since 1970. */
  from: number;
  to: number;
}

export interface Minute extends Span {
  /** Calls that left. */
  sent: number;
  analyzed: number;
  failed: number;
  /** Articles that have to be tried again. */
  retried: number;
  /** Calls that the provider turned away for their rate. */
  limited: number;
  /** Calls on their way, on average and at the most. */
  inFlight: number;
  most: number;
  cost: Micros;
}

/**
 * A worker that died left calls behind that count as out until their leases ran out, although nobody waited for them.
 * Here they end at the last sign of life before that.
 */
export function endAtLastSign(calls: readonly SessionCall[]): SessionCall[] {
  const signs = calls.filter(({ failure }) => failure !== LOST)
    .flatMap(({ held_at, ended_at }) => [held_at.getTime(), ended_at?.getTime() ?? 0]);
  return calls.map((call) => {
    const { failure, held_at, ended_at } = call;
    if (failure !== LOST || ended_at === null) return call;
    const last = signs.reduce(
      (latest, at) => at < ended_at.getTime() ? Math.max(latest, at) : latest,
      held_at.getTime(),
    );
    return { ...call, ended_at: new Date(last) };
  });
}

/** Equal steps of a whole number of minutes, at most `rows` of them, from the first call to the last answer. */
export function byMinute(calls: readonly SessionCall[], moves: readonly Move[], rows = 60): Minute[] {
  const whole = spanOf(calls);
  if (whole === null) return [];
  const step = MINUTE_MS * Math.max(1, Math.ceil((whole.to - whole.from) / MINUTE_MS / rows));
  const minutes: Minute[] = [];
  for (let from = whole.from; from < whole.to || minutes.length === 0; from += step) {
    const inside = (at: Date | null) => at !== null && at.getTime() >= from && at.getTime() < from + step;
    // The last answer comes at the end of the last step, and belongs to it.
    const last = from + step >= whole.to;
    const here = (at: Date | null) => inside(at) || (last && at?.getTime() === from + step);
    const ended = calls.filter(({ ended_at }) => here(ended_at));
    const moved = moves.filter(({ item_id, at }) => item_id !== null && here(at));
    const flying = flight(calls, { from, to: Math.min(from + step, whole.to) });
    minutes.push({
      from,
      to: from + step,
      sent: calls.filter(({ held_at }) => here(held_at)).length,
      analyzed: moved.filter(({ to_state }) => to_state === "ANALYZED").length,
      failed: moved.filter(({ to_state }) => to_state === "FAILED").length,
      retried: moved.filter(({ to_state }) => to_state === "PENDING").length,
      limited: ended.filter(({ failure }) => RATE_LIMITS.has(failure ?? "")).length,
      inFlight: flying.mean,
      most: flying.most,
      cost: ended.reduce((sum, { cost }) => sum + cost, 0) as Micros,
    });
  }
  return minutes;
}

/** From the first call to the last that is known: an answer, or a call that left. Null without a call. */
export function spanOf(calls: readonly SessionCall[]): Span | null {
  const span = { from: Infinity, to: -Infinity };
  for (const { held_at, ended_at } of calls) {
    span.from = Math.min(span.from, held_at.getTime());
    span.to = Math.max(span.to, (ended_at ?? held_at).getTime());
  }
  return calls.length === 0 ? null : span;
}

/** A call still out is on its way for as long as anybody looks. ms since 1970. */
function endOf({ ended_at }: SessionCall): number {
  return ended_at?.getTime() ?? Infinity;
}

/** How many calls were on their way in a span: the mean over its time, and the most at once. */
export function flight(calls: readonly SessionCall[], { from, to }: Span): { mean: number; most: number } {
  const steps = calls.flatMap((call) => {
    const [begin, end] = [Math.max(from, call.held_at.getTime()), Math.min(to, endOf(call))];
    return end > begin ? [{ at: begin, step: 1 }, { at: end, step: -1 }] : [];
  }).sort((a, b) => a.at - b.at || a.step - b.step);
  let [out, most, time, before] = [0, 0, 0, from];
  for (const { at, step } of steps) {
    time += out * (at - before);
    before = at;
    out += step;
    most = Math.max(most, out);
  }
  return { mean: to > from ? time / (to - from) : 0, most };
}

/** What an idle span was spent waiting for. */
export type IdleCause = "ended" | "paused" | "rate limit" | "lost worker" | "batch delay" | "retry" | "other";

export interface Idle extends Span {
  cause: IdleCause;
}

/** Shorter gaps are the desk's own work between two calls. */
const SHORTEST_IDLE_MS = 250;

/** The times between the first call and the last answer at which nothing was on its way, and what they waited for. */
export function findIdle(
  calls: readonly SessionCall[],
  moves: readonly Move[],
  batches: readonly BatchStart[],
): Idle[] {
  const sorted = [...calls].sort((a, b) => a.held_at.getTime() - b.held_at.getTime());
  const idle: Idle[] = [];
  let until = sorted[0]?.held_at.getTime() ?? 0;
  for (const call of sorted) {
    const [from, to] = [until, call.held_at.getTime()];
    if (to - from >= SHORTEST_IDLE_MS) {
      idle.push({ from, to, cause: causeOf({ from, to }, call, moves, batches) });
    }
    until = Math.max(until, endOf(call));
  }
  return idle;
}

/** The call that ended the silence tells what was waited for. */
function causeOf(
  { from, to }: Span,
  next: SessionCall,
  moves: readonly Move[],
  batches: readonly BatchStart[],
): IdleCause {
  const inside = moves.filter(({ at }) => at.getTime() >= from && at.getTime() <= to);
  if (inside.some(({ action }) => action === "session_recovered")) return "ended";
  if (inside.some(({ action }) => action === "session_resumed")) return "paused";
  if (inside.some(({ action }) => action === "lease_expired")) return "lost worker";
  const waits = moves.filter(({ at, wait_ms }) =>
    wait_ms !== null && at.getTime() <= to && at.getTime() + wait_ms > from
  );
  if (waits.some(({ error_class }) => RATE_LIMITS.has(error_class ?? ""))) return "rate limit";
  const start =
    batches.find(({ batch_number }) => batch_number === next.batch_number)?.not_before.getTime() ?? 0;
  if (start > from && start <= to) return "batch delay";
  return waits.some(({ item_id }) => item_id === next.item_id) ? "retry" : "other";
}

/** Time by cause, longest first. */
export function sumIdle(idle: readonly Idle[]): { cause: IdleCause; spans: number; ms: number }[] {
  const sums = new Map<IdleCause, { spans: number; ms: number }>();
  for (const { cause, from, to } of idle) {
    const { spans, ms } = sums.get(cause) ?? { spans: 0, ms: 0 };
    sums.set(cause, { spans: spans + 1, ms: ms + to - from });
  }
  return [...sums].map(([cause, sum]) => ({ cause, ...sum })).sort((a, b) => b.ms - a.ms);
}

export interface ArticleTime {
  item_id: number;
  title: string;
  url: string | null;
  calls: number;
  failures: readonly string[];
  /** With the provider, all tries and searches together. */
  callMs: number;
  /** From its first call to its last answer, waits between tries included. */
  wholeMs: number;
}

/** Slowest first, by the time from first call to last answer. */
export function slowest(calls: readonly SessionCall[]): ArticleTime[] {
  const byItem = Map.groupBy(calls.filter(({ ended_at }) => ended_at !== null), ({ item_id }) => item_id);
  return [...byItem].map(([item_id, own]) => {
    const { from, to } = spanOf(own) as Span;
    const { title, url } = own[0] as SessionCall;
    return {
      item_id,
      title,
      url,
      calls: own.length,
      failures: own.flatMap(({ failure }) => failure === null ? [] : [failure]),
      callMs: own.reduce(
        (sum, { held_at, ended_at }) => sum + (ended_at?.getTime() ?? 0) - held_at.getTime(),
        0,
      ),
      wholeMs: to - from,
    };
  }).sort((a, b) => b.wholeMs - a.wholeMs || a.item_id - b.item_id);
}

/** A change, and the most time that it would have saved. */
export interface Saving {
  change: string;
  ms: number;
}

const CHANGES: Partial<Record<IdleCause, string>> = {
  ended: "recovering it as soon as it had ended",
  paused: "resuming it at once (or a trouble that ends by itself)",
  "rate limit": "a lower GEMINI_RPM or a higher quota: no waits for rate limits",
  "lost worker": "a worker that does not die: no leases to run out",
  "batch delay": "BATCH_DELAY_SECONDS=0: batches begin as soon as there is room",
  retry: "no failed tries to wait for",
};

/** Upper bounds, largest first: what is saved in one place may be waited for in another. */
export function findSavings(calls: readonly SessionCall[], idle: readonly Idle[]): Saving[] {
  const whole = spanOf(calls);
  if (whole === null) return [];
  const idleMs = idle.reduce((sum, { from, to }) => sum + to - from, 0);
  const busyMs = whole.to - whole.from - idleMs;
  const { most } = flight(calls, whole);
  const failedMs = calls.reduce(
    (sum, { failure, held_at, ended_at }) =>
      failure === null || ended_at === null ? sum : sum + ended_at.getTime() - held_at.getTime(),
    0,
  );
  return [
    ...sumIdle(idle).flatMap(({ cause, ms }) => {
      const change = CHANGES[cause];
      return change === undefined ? [] : [{ change, ms }];
    }),
    {
      change: `twice as many calls at once (${most} → ${
        most * 2
      }, by CONCURRENCY): half the busy time at best`,
      ms: busyMs / 2,
    },
    {
      change: "no calls that fail: the time they took, shared by the slots",
      ms: most === 0 ? 0 : failedMs / most,
    },
  ].filter(({ ms }) => ms >= 1_000).sort((a, b) => b.ms - a.ms);
}

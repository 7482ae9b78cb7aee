import { describe, expect, it } from "vitest";
import { micros } from "../../lib/money.ts";
import type { BatchStart, Move, SessionCall } from "../../notebooks/questions/sessions.ts";
import {
  byMinute,
  endAtLastSign,
  findIdle,
  findSavings,
  flight,
  slowest,
  spanOf,
  sumIdle,
} from "../../notebooks/questions/session_time.ts";

const START = Date.UTC(2026, 10, 20, 2, 30);
const at = (seconds: number) => new Date(START + seconds * 1000);
let ids = 0;

function call(from: number, to: number | null, change: Partial<SessionCall> = {}): SessionCall {
  const id = ++ids;
  return {
    call_id: id,
    item_id: id,
    article_id: id,
    title: `Article ${id}`,
    url: null,
    batch_number: 1,
    attempt: 1,
    kind: "analysis",
    state: "SETTLED",
    failure: null,
    detail: null,
    cost: micros(100),
    held_at: at(from),
    ended_at: to === null ? null : at(to),
    ...change,
  };
}

function move(when: number, change: Partial<Move>): Move {
  return {
    item_id: null,
    batch_number: 1,
    action: "item_analyzed",
    actor: "worker:test",
    to_state: null,
    error_class: null,
    wait_ms: null,
    reason: null,
    at: at(when),
    ...change,
  };
}

const BATCHES: BatchStart[] = [{ batch_number: 1, not_before: at(0) }, {
  batch_number: 2,
  not_before: at(60),
}];

describe("calls on their way", () => {
  it("are counted at the most and as a mean over time, also beyond the ends of the span", () => {
    const calls = [call(0, 10), call(5, 15), call(10, 20), call(-5, 1), call(18, null)];
    expect(flight(calls, { from: START, to: START + 20_000 })).toEqual({
      mean: (10 + 10 + 10 + 1 + 2) / 20,
      most: 2,
    });
    expect(flight([], { from: START, to: START })).toEqual({ mean: 0, most: 0 });
  });

  it("of a worker that died end at the last sign of life", () => {
    const calls = [call(0, 10), call(2, 40, { failure: "worker_lost" }), call(41, 50)];
    expect(endAtLastSign(calls).map(({ ended_at }) => ended_at)).toEqual([at(10), at(10), at(50)]);
    expect(endAtLastSign([call(2, 40, { failure: "worker_lost" })])[0]?.ended_at).toEqual(at(2));
  });
});

describe("a session minute by minute", () => {
  it("adds everything up once, the very last answer too", () => {
    const calls = [call(0, 30), call(10, 60), call(60, 120, { failure: "rate_limited" }), call(61, 120)];
    const moves = [
      move(30, { item_id: 1, to_state: "ANALYZED" }),
      move(60, { item_id: 2, to_state: "FAILED" }),
      move(120, { item_id: 3, action: "item_requeued", to_state: "PENDING" }),
      move(120, { item_id: 4, to_state: "ANALYZED" }),
      move(120, { action: "batch_ended", to_state: "COMPLETED" }),
    ];
    expect(
      byMinute(calls, moves).map(({ from: _from, to: _to, inFlight, ...minute }) => ({
        ...minute,
        inFlight: inFlight.toFixed(2),
      })),
    )
      .toEqual([
        { sent: 2, analyzed: 1, failed: 0, retried: 0, limited: 0, most: 2, cost: 100, inFlight: "1.33" },
        { sent: 2, analyzed: 1, failed: 1, retried: 1, limited: 1, most: 2, cost: 300, inFlight: "1.98" },
      ]);
  });

  it("takes longer steps rather than more rows", () => {
    const calls = Array.from({ length: 200 }, (_, index) => call(index * 60, index * 60 + 30));
    const minutes = byMinute(calls, []);
    expect(minutes).toHaveLength(50);
    expect(minutes.reduce((sum, { sent }) => sum + sent, 0)).toBe(200);
    expect(byMinute([], [])).toEqual([]);
  });
});

describe("idle time", () => {
  it.each<[string, Partial<Move>, SessionCall, string]>([
    ["a pause", { action: "session_resumed", at: at(50) }, call(50, 55), "paused"],
    ["an end that was undone", { action: "session_recovered", at: at(50) }, call(50, 55), "ended"],
    [
      "a lease that had to run out",
      { action: "lease_expired", at: at(45), to_state: "PENDING" },
      call(50, 55),
      "lost worker",
    ],
    [
      "a rate limit",
      { item_id: 1, error_class: "rate_limited", wait_ms: 38_000, at: at(11) },
      call(50, 55),
      "rate limit",
    ],
    ["the next batch", {}, call(60, 65, { batch_number: 2 }), "batch delay"],
    [
      "a try again",
      { item_id: 99, error_class: "not_json", wait_ms: 39_000, at: at(10) },
      call(50, 55, { item_id: 99 }),
      "retry",
    ],
    ["nothing that is known", {}, call(50, 55), "other"],
  ])("is put down to %s", (_what, change, next, cause) => {
    const idle = findIdle([call(0, 10), next], [move(5, change)], BATCHES);
    expect(idle).toEqual([{ from: at(10).getTime(), to: next.held_at.getTime(), cause }]);
  });

  it("is only what no call covers, and no blink between two calls", () => {
    const calls = [call(0, 30), call(5, 10), call(30.1, 40), call(50, 60)];
    const idle = findIdle(calls, [], BATCHES);
    expect(sumIdle(idle)).toEqual([{ cause: "other", spans: 1, ms: 10_000 }]);
    expect(findIdle([], [], [])).toEqual([]);
  });
});

describe("a call that is still out", () => {
  const calls = [call(0, 10), call(5, null), call(60, 70)];

  it("is on its way until the last moment that is known, so that no time behind it is idle", () => {
    expect(findIdle(calls, [], BATCHES)).toEqual([]);
    const whole = spanOf(calls);
    expect(whole).toEqual({ from: START, to: START + 70_000 });
    expect(flight(calls, { from: START + 20_000, to: START + 50_000 })).toEqual({ mean: 1, most: 1 });
  });

  it("leaves what was idle before it idle", () => {
    expect(
      findIdle([call(0, 10), call(30, null), call(60, 70)], [], BATCHES).map(({ from, to }) => [from, to]),
    )
      .toEqual([[at(10).getTime(), at(30).getTime()]]);
  });
});

it("a session of 200,000 calls is reviewed like any other", () => {
  const many = Array.from({ length: 200_000 }, (_, index) => call(index, index + 5));
  const minutes = byMinute(many, []);
  expect(minutes.reduce((sum, { sent }) => sum + sent, 0)).toBe(200_000);
  expect(findIdle(many, [], BATCHES)).toEqual([]);
  expect(slowest(many)).toHaveLength(200_000);
  expect(findSavings(many, [])[0]?.change).toContain("twice");
});

it("the slowest article is the one with the longest way, waits between its tries included", () => {
  const tries = { item_id: 7, article_id: 7, title: "Twice" };
  const calls = [
    call(0, 20),
    call(0, 5, { ...tries, failure: "overloaded" }),
    call(40, 50, { ...tries, attempt: 2 }),
    call(60, null),
  ];
  expect(slowest(calls)[0]).toEqual({
    item_id: 7,
    title: "Twice",
    url: null,
    calls: 2,
    failures: ["overloaded"],
    callMs: 15_000,
    wholeMs: 50_000,
  });
  expect(slowest(calls)).toHaveLength(2);
});

it("what would have made a session faster is bounded by what was waited for", () => {
  const calls = [call(0, 10), call(0, 10), call(60, 70, { batch_number: 2, failure: "timed_out" })];
  const idle = findIdle(calls, [], BATCHES);
  expect(findSavings(calls, idle).map(({ change, ms }) => [change.split(/[ =:]/)[0], ms])).toEqual([
    ["BATCH_DELAY_SECONDS", 50_000],
    ["twice", 10_000],
    ["no", 5_000],
  ]);
  expect(findSavings([], [])).toEqual([]);
});

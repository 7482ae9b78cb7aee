import { expect, it } from "vitest";
import type { ComeBack } from "../../lib/batches/change_session.ts";
import { CallGate } from "../../lib/batches/worker/call_gate.ts";
import {
  afterOutage,
  afterQuota,
  afterRateLimit,
  TROUBLE_TIMING,
} from "../../lib/batches/worker/come_back.ts";
import { ProviderTrouble } from "../../lib/batches/worker/provider_trouble.ts";
import type { SharedRate } from "../../lib/batches/worker/shared_rate.ts";
import { describeFailure, type FailureWord } from "../../lib/analysis/failures.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Nobody to tell. */
const ALONE: SharedRate = {
  spacingMs: 1,
  reserve: () => new Promise(() => {}),
  giveBack: () => Promise.resolve(),
};

/** Every wait in turn until it stays paused, in ms. */
function listWaits(comeBack: ComeBack): number[] {
  const waits: number[] = [];
  for (let wait = comeBack(0); wait !== null; wait = comeBack(waits.length)) waits.push(wait);
  return waits;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function failure(word: FailureWord<"gemini">, waitMs?: number) {
  return describeFailure("gemini", { failure: word, ...(waitMs !== undefined && { waitMs }) }, "");
}

it("an outage is tried after 30 s, then after twice as long each time up to 5 minutes, for a day", () => {
  const waits = listWaits(afterOutage(TROUBLE_TIMING, { billing: "NOT_BILLED", waitMs: 0 }));
  expect(waits.slice(0, 7)).toEqual([0.5, 1, 2, 4, 5, 5, 5].map((minutes) => minutes * MINUTE));
  expect(sum(waits)).toBeGreaterThanOrEqual(24 * HOUR);
  expect(sum(waits)).toBeLessThan(24.2 * HOUR);
});

it("an outage whose every try may be charged in full is tried ten times", () => {
  expect(listWaits(afterOutage(TROUBLE_TIMING, { billing: "UNKNOWN" }))).toHaveLength(10);
  expect(listWaits(afterOutage(TROUBLE_TIMING, { billing: "BILLED" }))).toHaveLength(10);
});

it("an outage is not tried before the breaker would let it", () => {
  expect(afterOutage(TROUBLE_TIMING, { billing: "NOT_BILLED", waitMs: 4 * MINUTE })(0)).toBe(4 * MINUTE);
});

it("a rate limit is asked again as told or later, after 5 minutes to an hour, for a day", () => {
  const waits = listWaits(afterRateLimit(TROUBLE_TIMING, 31_000));
  expect(waits.slice(0, 6)).toEqual([5, 10, 20, 40, 60, 60].map((minutes) => minutes * MINUTE));
  expect(sum(waits)).toBeLessThan(26 * HOUR);
  expect(afterRateLimit(TROUBLE_TIMING, 3 * HOUR)(0)).toBe(3 * HOUR);
});

it("a daily quota is tried at the provider's next day, for a week", () => {
  expect(listWaits(afterQuota(TROUBLE_TIMING, 7 * HOUR))).toEqual(Array(7).fill(7 * HOUR));
});

it.each(
  [
    ["purse_empty", "purse_empty", null],
    ["key_refused", "key_refused", null],
    ["model_not_found", "model_not_found", null],
    ["not_available", "not_available", null],
    ["redirected", "redirected", null],
    ["circuit_open", "provider_outage", 30_000],
    ["rate_limited", "rate_limited", 20 * MINUTE],
  ] as const,
)("%s pauses with the reason %s and comes back after %s ms", (word, reason, waitMs) => {
  const trouble = new ProviderTrouble(new CallGate({ rate: ALONE }));
  const consequence = trouble.heed(failure(word, waitMs ?? undefined));
  if (consequence.kind !== "pause") throw new Error(`it was ${consequence.kind}`);
  expect(consequence.reason).toBe(reason);
  expect(consequence.comeBack(0)).toBe(waitMs);
});

it("a short wait closes the gate, and one request has to ask whether it is over until one is answered", () => {
  const gate = new CallGate({ rate: ALONE });
  const trouble = new ProviderTrouble(gate);
  expect(trouble.heed(failure("rate_limited", 31_000))).toEqual({ kind: "stay_away" });
  expect(gate.closedMs).toBeGreaterThan(30_000);
  expect(trouble.waiting).toBe(true);
  // An answer to what was under way before.
  trouble.succeeded(performance.now() - 1_000);
  expect(trouble.waiting).toBe(true);
  trouble.succeeded(performance.now());
  expect(trouble.waiting).toBe(false);
});

it("nothing but waits for longer than patience lasts is a pause; one answer in between begins anew", () => {
  const trouble = new ProviderTrouble(new CallGate({ rate: ALONE }), { ...TROUBLE_TIMING, patienceMs: 0 });
  expect(trouble.heed(failure("rate_limited", 1_000)).kind).toBe("pause");
  const patient = new ProviderTrouble(new CallGate({ rate: ALONE }));
  for (let n = 0; n < 50; n++) expect(patient.heed(failure("rate_limited", 1_000)).kind).toBe("stay_away");
});

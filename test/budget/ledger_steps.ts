/** What can happen to a session: the steps that the property tests string together, and how they are drawn. */
import fc from "fast-check";

/** What a provider bills, against the hold. `unsaid`: it bills but does not say what. */
export type Bill = "nothing" | "small" | "exact" | "above" | "unsaid" | "huge";

export type Ending =
  | { kind: "analysed"; bill: Bill }
  | { kind: "goes_on_to_research"; bill: Bill }
  | {
    kind: "failed";
    action: "retry" | "wait" | "give_up";
    billing: "BILLED" | "NOT_BILLED" | "UNKNOWN";
    bill: Bill;
  }
  | { kind: "unsent" };

/** Numbers called `pick` choose among what there is, modulo how many there are. */
export type SingleStep =
  | { step: "claim"; worker: number; limit: number }
  | { step: "settle"; picks: number[]; endings: Ending[]; twiceAtOnce: boolean }
  | { step: "hold"; pick: number; kind: "search" | "validation"; amount: number }
  | { step: "research_answer"; pick: number; bill: Bill; last: boolean }
  | { step: "repeat"; picks: number[] }
  | { step: "renew"; worker: number }
  | { step: "reclaim"; laterMs: number }
  | { step: "empty_claim" }
  | { step: "finish" }
  | { step: "pause" }
  | { step: "resume" }
  | { step: "cancel" }
  | { step: "recover"; raiseBy: number | null }
  | { step: "budget"; by: number }
  | { step: "resolve"; pick: number; verdict: "paid" | "unpaid"; bill: Bill }
  | { step: "resolve_all"; verdict: "paid" | "unpaid" }
  | { step: "time"; ms: number }
  | { step: "day_cap"; cap: number | null };

/** `together`: these run at the same time, as far as the database lets them. */
export type Step = SingleStep | { step: "together"; steps: SingleStep[] };

export interface Scenario {
  worstCases: number[];
  budget: number;
  dayCap: number | null;
  maxAttempts: number;
  batchSize: number;
  retryBaseMs: number;
  simulated: boolean;
  steps: Step[];
}

export const WORKERS = 4;

const bill = fc.constantFrom<Bill>("nothing", "small", "small", "exact", "above", "unsaid", "huge");
const pick = fc.nat(60);
const verdict = fc.constantFrom("paid" as const, "unpaid" as const);
const worker = fc.nat(WORKERS - 1);

const ending: fc.Arbitrary<Ending> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("analysed" as const), bill }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("goes_on_to_research" as const), bill }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("failed" as const),
      action: fc.constantFrom("retry" as const, "retry" as const, "wait" as const, "give_up" as const),
      billing: fc.constantFrom("BILLED" as const, "NOT_BILLED" as const, "UNKNOWN" as const),
      bill,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "unsent" as const }) },
);

const settle: fc.Arbitrary<SingleStep> = fc.record({
  step: fc.constant("settle" as const),
  picks: fc.array(pick, { minLength: 1, maxLength: 5 }),
  endings: fc.array(ending, { minLength: 1, maxLength: 5 }),
  twiceAtOnce: fc.boolean(),
});

const single: fc.Arbitrary<SingleStep> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      step: fc.constant("claim" as const),
      worker,
      limit: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 20, arbitrary: settle },
  {
    weight: 14,
    arbitrary: fc.record({
      step: fc.constant("hold" as const),
      pick,
      kind: fc.constantFrom("search" as const, "validation" as const),
      amount: fc.integer({ min: 0, max: 3_000 }),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      step: fc.constant("research_answer" as const),
      pick,
      bill,
      last: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      step: fc.constant("repeat" as const),
      picks: fc.uniqueArray(pick, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ step: fc.constant("renew" as const), worker }) },
  {
    weight: 4,
    arbitrary: fc.record({
      step: fc.constant("reclaim" as const),
      laterMs: fc.constantFrom(0, 30_000, 61_000, 61_000),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ step: "empty_claim" as const }) },
  { weight: 2, arbitrary: fc.constant({ step: "finish" as const }) },
  { weight: 1, arbitrary: fc.constant({ step: "pause" as const }) },
  { weight: 3, arbitrary: fc.constant({ step: "resume" as const }) },
  { weight: 1, arbitrary: fc.constant({ step: "cancel" as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      step: fc.constant("recover" as const),
      raiseBy: fc.option(fc.integer({ min: -2_000, max: 20_000 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      step: fc.constant("budget" as const),
      by: fc.integer({ min: -20_000, max: 20_000 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ step: fc.constant("resolve" as const), pick, verdict, bill }),
  },
  { weight: 1, arbitrary: fc.record({ step: fc.constant("resolve_all" as const), verdict }) },
  {
    weight: 1,
    arbitrary: fc.record({
      step: fc.constant("time" as const),
      ms: fc.constantFrom(1_000, 3_600_000, 26 * 3_600_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      step: fc.constant("day_cap" as const),
      cap: fc.option(fc.nat(30_000), { freq: 1 }),
    }),
  },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: single },
  {
    weight: 1,
    arbitrary: fc.record({
      step: fc.constant("together" as const),
      steps: fc.array(single, { minLength: 2, maxLength: 4 }),
    }),
  },
);

/** Sessions of 5 to 40 articles with budgets from next to nothing to ample. */
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  worstCases: fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 200, max: 3_000 })), {
    minLength: 5,
    maxLength: 40,
  }),
  budget: fc.oneof(
    fc.integer({ min: 1, max: 2_000 }),
    fc.integer({ min: 2_000, max: 30_000 }),
    fc.integer({ min: 50_000, max: 200_000 }),
  ),
  dayCap: fc.option(fc.nat(60_000), { freq: 1 }),
  maxAttempts: fc.integer({ min: 1, max: 3 }),
  batchSize: fc.integer({ min: 1, max: 10 }),
  retryBaseMs: fc.constantFrom(0, 1_000),
  simulated: fc.boolean(),
  steps: fc.array(step, { minLength: 5, maxLength: 45, size: "max" }),
});

/** Whether several processes that reach for the same money ever spend more than there is. */
import { exactUsd, type Micros, micros } from "../../../lib/money.ts";
import { findViolations } from "../../budget/ledger_invariants.ts";
import { readMoneySeen, watchMoney } from "../../helpers/watch_money.ts";
import type { BenchDatabase } from "../databases.ts";
import { startCrew } from "./crew.ts";
import { countSent, untilEnded } from "./share_session.ts";

/** What an article costs about, micro-dollars; a session gets money for half of its articles. */
const EXPECTED = 1_300;

export interface SharedBudget {
  budgetOf: "session" | "day";
  processes: number;
  articles: number;
  analyzed: number;
  budget: Micros;
  spent: Micros;
  /** Commits looked at; the most that was spent and held at one of them, as a share of the budget. */
  commits: number;
  most: number;
  /** Commits that left more than the budget; commits where the row and its calls said different things. */
  crossings: number;
  mismatches: number;
  requests: number;
  calls: number;
  violations: string[];
}

export async function shareBudget(
  bench: BenchDatabase,
  options: { budgetOf: "session" | "day"; processes: number; articles: number },
): Promise<SharedBudget> {
  const { budgetOf, articles } = options;
  const budget = micros(Math.floor(articles / 2) * EXPECTED);
  const cap = exactUsd(budget);
  await watchMoney(bench.db);
  const crew = await startCrew(bench, {
    ...options,
    latencyMs: 0,
    env: budgetOf === "session" ? { BATCH_BUDGET_USD: cap } : { DAY_BUDGET_USD: cap },
  });
  const { number, session_id } = await crew.desk.start({}, "bench");
  await crew.wake();
  await untilEnded(bench, number);
  const { session } = await crew.desk.progress(number);
  const wanted = budgetOf === "session" ? "budget" : "day_budget";
  if (session.status !== "PARTIAL" || session.reason !== wanted) {
    throw new Error(`wanted PARTIAL (${wanted}), it ended ${session.status} (${session.reason})`);
  }
  const { requests, calls } = await countSent(bench, crew);
  const seen = await readMoneySeen(bench.db, budgetOf);
  const violations = await findViolations(bench.db, session_id);
  await crew.stop();
  return {
    ...options,
    analyzed: session.analyzed,
    budget,
    spent: session.spent,
    ...seen,
    requests,
    calls,
    violations,
  };
}

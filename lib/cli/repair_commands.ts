/** The commands that put things right: unknown, resolve, budget, cleanup. */
import type { Command } from "commander";
import { describeCleanup } from "../batches/describe_cleanup.ts";
import type { ResolvedUnknown, UnknownVerdict } from "../batches/resolve_unknown.ts";
import { UsageError } from "../errors.ts";
import type { Micros } from "../money.ts";
import { parseBill, parseBudget, parseCount, parseDayCap } from "./arguments.ts";
import { ACTOR, withDesk } from "./context.ts";
import { describeBudgets } from "./describe_budgets.ts";
import { describeResolved, describeUnknown } from "./describe_repairs.ts";
import type { ExitCode } from "./main.ts";
import { note, print, printJson } from "./output.ts";

interface ResolveOptions {
  session?: number;
  bill?: Micros;
  json?: boolean;
}

interface BudgetOptions {
  budget?: Micros;
  day?: Micros | "none" | "default";
  json?: boolean;
}

export function addRepairCommands(program: Command, done: (code: ExitCode) => void): void {
  program.command("unknown").description("calls whose outcome nobody knows, charged in full until you say")
    .argument("[n]", "session number; all sessions unless given", parseCount)
    .option("--json", "one JSON document")
    .action(async (number: number | undefined, { json }: { json?: boolean }) => {
      await withDesk("unknown", async ({ desk }) => {
        const calls = await desk.unknownCalls(number ?? null);
        if (json) printJson(calls);
        else print(describeUnknown(calls, number ?? null));
      });
    });

  program.command("resolve").description("say what became of calls whose outcome nobody knows")
    .usage("<call>... paid|unpaid [--bill <usd>]\n       desk resolve --session <n> paid|unpaid")
    .argument("<call paid|unpaid...>", "numbers of calls, then paid or unpaid")
    .option("--session <n>", "every such call of this session", parseCount)
    .option("--bill <usd>", "with one call that was paid: what the provider charged", parseBill)
    .option("--json", "one JSON document")
    .action(async (words: string[], options: ResolveOptions) => done(await resolve(words, options)));

  program.command("budget").description("the caps and what of them is used; changes them when told to")
    .argument("[n]", "session number; the current one unless given", parseCount)
    .option("--budget <usd>", "the session's new cap in dollars", parseBudget)
    .option("--day <usd>", "the day's new cap: dollars, none, or default (DAY_BUDGET_USD)", parseDayCap)
    .option("--json", "one JSON document")
    .action(changeOrShowBudgets);

  program.command("cleanup").description("take back what dead workers left, put right what does not add up")
    .option("--json", "one JSON document")
    .action(async ({ json }: { json?: boolean }) => {
      await withDesk("cleanup", async ({ desk }) => {
        const report = await desk.cleanup(ACTOR, "all");
        if (json) return printJson(report);
        const lines = describeCleanup(report);
        print(
          lines.length > 0 ? lines.join("\n") : "Nothing to clean up: every sum adds up, nothing is stuck",
        );
      });
    });
}

async function resolve(words: readonly string[], { session, bill, json }: ResolveOptions): Promise<ExitCode> {
  const { calls, verdict } = readWords(words);
  if ((calls.length === 0) === (session === undefined)) {
    throw new UsageError("Cannot resolve: wanted the numbers of calls, or --session <n>, one or the other");
  }
  if (bill !== undefined && (calls.length !== 1 || verdict === "unpaid")) {
    throw new UsageError("Cannot resolve: --bill is for one call that was paid");
  }
  return await withDesk("resolve", async ({ desk }) => {
    const which = session === undefined ? calls.map((call) => ({ call, bill })) : [{ session }];
    const results: ResolvedUnknown[] = [];
    for (const one of which) results.push(await desk.resolveUnknown(one, verdict, ACTOR));
    if (json) printJson(results);
    else print(results.map(describeResolved).join("\n"));
    return results.some((result) => saidOtherwise(result, verdict)) ? 1 : 0;
  });
}

function readWords(words: readonly string[]): { calls: number[]; verdict: UnknownVerdict } {
  const verdict = words.at(-1);
  if (verdict !== "paid" && verdict !== "unpaid") {
    throw new UsageError(`Cannot resolve: wanted paid or unpaid as the last word, got "${verdict}"`);
  }
  const calls = words.slice(0, -1);
  const odd = calls.find((word) => !/^[1-9]\d{0,14}$/.test(word));
  if (odd !== undefined) throw new UsageError(`Cannot resolve: wanted the number of a call, got "${odd}"`);
  return { verdict, calls: calls.map(Number) };
}

/** Somebody's earlier word stands against this one. */
function saidOtherwise({ earlier }: ResolvedUnknown, verdict: UnknownVerdict): boolean {
  return earlier !== null && (earlier.state === "SETTLED") !== (verdict === "paid");
}

async function changeOrShowBudgets(
  number: number | undefined,
  { budget, day, json }: BudgetOptions,
): Promise<void> {
  await withDesk("budget", async ({ desk }) => {
    if (budget !== undefined) {
      const wanted = number ?? (await desk.session(null)).session.number;
      const { status } = await desk.changeBudget(wanted, budget, ACTOR);
      if (status === "PARTIAL" || status === "FAILED") {
        note(`Session ${wanted} has ended; finish it with: deno task desk recover ${wanted}`);
      }
    }
    if (day !== undefined) {
      await desk.changeDayBudget(day === "none" ? null : day === "default" ? "configured" : day, ACTOR);
    }
    const current = await desk.budgets();
    const budgets = number === undefined
      ? current
      : { ...current, session: (await desk.session(number)).session };
    if (json) printJson(budgets);
    else print(describeBudgets(budgets));
  });
}

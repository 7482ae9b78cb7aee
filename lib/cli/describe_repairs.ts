/** Recoveries and unknown outcomes in words, for the terminal. */
import type { RecoveryReport } from "../batches/recover_items.ts";
import type { ResolvedUnknown } from "../batches/resolve_unknown.ts";
import type { UnknownCall } from "../budget/ledger/list_unknown.ts";
import { exactUsd, formatUsd, type Micros } from "../money.ts";
import { count, money, safe, shorten } from "./output.ts";

export function describeRecovery(report: RecoveryReport): string {
  const { session, requeuedFailed, requeuedSkipped } = report;
  const { number } = session;
  const lines = [
    requeuedFailed + requeuedSkipped === 0
      ? `Session ${number}: nothing could be queued again`
      : `Session ${number}: ${count(requeuedFailed, "failed article")} and ` +
        `${count(requeuedSkipped, "skipped article")} queued again`,
  ];
  if (session.reason === "queued") {
    lines.push("  waits: another session is active; it begins by itself after that");
  }
  for (const group of report.permanent) {
    lines.push(`  left alone: ${group.articles} × ${group.error_class}: ${shorten(group.example, 80)}`);
  }
  if (report.exhausted > 0) {
    lines.push(`  left alone: ${report.exhausted} recovered too often already; a new session takes them up`);
  }
  if (report.elsewhere > 0) {
    lines.push(`  left alone: ${report.elsewhere} analysed, given up or queued in another session`);
  }
  if (report.withoutBudget > 0) lines.push(`  no money for: ${report.withoutBudget}; ${adviseMoney(report)}`);
  return lines.join("\n");
}

/** What to do about articles that the session's money, or the day's, does not reach. */
function adviseMoney({ session, shortOf, needed }: RecoveryReport): string {
  const again = `deno task desk recover ${session.number}`;
  const least = needed === null ? "" : ` of at least $${exactUsd(needed)}`;
  return shortOf === "day_budget"
    ? `the next one needs a day's budget${least}: ${again} tomorrow, or after deno task desk budget --day <usd>`
    : `the next one needs a budget${least}: ${again} --budget <usd>`;
}

export function describeUnknown(calls: readonly UnknownCall[], number: number | null): string {
  if (calls.length === 0) {
    return number === null
      ? "The outcome of every call is known"
      : `Session ${number} has no call whose outcome is unknown`;
  }
  const session = number ?? calls[0].number;
  return [
    ...calls.map(describeCall),
    `${count(calls.length, "call")}, charged in full until you say what became of ${
      calls.length === 1 ? "it" : "them"
    }: ${sumOf(calls)}. Look for ${
      calls.length === 1 ? "it" : "them"
    } in the provider's usage by model and time, then:`,
    "  deno task desk resolve <call> paid [--bill <usd>]",
    "  deno task desk resolve <call> unpaid",
    `  deno task desk resolve --session ${session} unpaid    (all of a session)`,
  ].join("\n");
}

function describeCall(call: UnknownCall): string {
  const { call_id, provider, model, kind, amount, simulated, held_at, ended_at, failure, detail } = call;
  const why = [failure?.replaceAll("_", " "), detail].filter((part) => part).join(": ");
  const lines = [
    `call ${call_id}  session ${call.number}  ${kind}  ${provider}/${model}  ${money(amount, simulated)}`,
    `  sent ${instant(held_at)}${ended_at ? `, given up ${instant(ended_at)}` : ""}${
      why ? `: ${shorten(why, 120)}` : ""
    }`,
    `  #${call.article_id} ${shorten(call.title, 80)}`,
  ];
  if (call.late_bill !== null) {
    lines.push(`  an answer came after the claim was lost: it was billed ${formatUsd(call.late_bill)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Real and simulated money are never added up. */
function sumOf(calls: readonly UnknownCall[]): string {
  return [false, true].flatMap((simulated) => {
    const some = calls.filter((call) => call.simulated === simulated);
    if (some.length === 0) return [];
    return [money(some.reduce((sum, call) => sum + call.amount, 0) as Micros, simulated)];
  }).join(" and ");
}

export function describeResolved({ session, resolved, earlier, returned }: ResolvedUnknown): string {
  const { number, simulated } = session;
  if (earlier) {
    return `Call ${earlier.call_id} was resolved before, by ${safe(earlier.by)} at ${instant(earlier.at)}: ` +
      `${earlier.state === "SETTLED" ? "paid" : "not paid"}, ${money(earlier.spent, simulated)} charged. ` +
      "Nothing was changed";
  }
  if (resolved.length === 0) return `Session ${number} has no call whose outcome is unknown`;
  const [first] = resolved;
  const which = resolved.length === 1
    ? `Call ${first.call_id} counts`
    : `${count(resolved.length, "call")} count`;
  const overrun = resolved.reduce((sum, call) => sum + call.overrun, 0) as Micros;
  const parts = [
    `${which} as ${first.state === "SETTLED" ? "paid" : "not paid"}`,
    returned > 0
      ? `${money(returned, simulated)} went back to session ${number}`
      : "charged in full as before",
    overrun > 0 ? `${money(overrun, simulated)} was billed above the hold` : null,
  ].filter((part) => part !== null);
  const still = session.unknown > 0 ? `; ${money(session.unknown, simulated)} of it still unknown` : "";
  return `${parts.join("; ")}\n` +
    `Session ${number}: ${money(session.spent, simulated)} of ${formatUsd(session.budget)} spent${still}`;
}

/** To the second, in UTC. */
export function instant(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}

/** What a cleanup did, in lines for people: the same in terminal, chat and log. */
import { count } from "../alerts/words.ts";
import { formatUsd, type Micros } from "../money.ts";
import type { CleanupReport } from "./clean_up.ts";
import type { DayRepair } from "./reconcile/day_books.ts";
import type { SessionRepair } from "./reconcile/reconcile.ts";
import type { Corrections } from "./reconcile/session_books.ts";

/** Sums that are money; the others are numbers of articles. */
const MONEY: ReadonlySet<string> = new Set(["budget", "held", "spent", "unknown", "overrun"]);

/** A line for each thing that was done; empty: there was nothing to do. */
export function describeCleanup(report: CleanupReport): string[] {
  const { requeued, failed, finished, unknownCalls, ended, neverStarted, repaired, deleted } = report;
  const lines: string[] = [];
  if (requeued + failed + finished > 0) {
    const parts = [
      requeued > 0 ? `${requeued} queued again` : null,
      failed > 0 ? `${failed} failed` : null,
      finished > 0 ? `${finished} kept without research` : null,
    ].filter((part) => part !== null);
    lines.push(
      `Taken back from workers that are gone: ${count(requeued + failed + finished, "article")} (${
        parts.join(", ")
      })`,
    );
  }
  if (unknownCalls > 0) {
    lines.push(`${count(unknownCalls, "call")} charged in full, because nobody knows how they ended`);
  }
  lines.push(...repaired.sessions.map(describeRepair));
  lines.push(...repaired.days.map(describeRepairedDay));
  if (neverStarted.length > 0) {
    lines.push(`Cancelled because they never started: ${nameSessions(neverStarted)}`);
  }
  if (ended.length > 0) lines.push(`Ended: ${nameSessions(ended)}`);
  const old = Object.entries(deleted).map(([table, rows]) => `${rows.toLocaleString("en-US")} of ${table}`);
  if (old.length > 0) lines.push(`Old rows deleted: ${old.join(", ")}`);
  return lines;
}

export function describeRepairedDay({ day, simulated, corrections }: DayRepair): string {
  return `The sums of ${day}${simulated ? " (simulated)" : ""} did not match its calls and were put right: ` +
    describeCorrections(corrections).join("; ");
}

export function describeRepair(
  { number, orphanedCalls, batches, corrections, reopened, skipped }: SessionRepair,
): string {
  const parts = [
    orphanedCalls > 0
      ? `${count(orphanedCalls, "call")} that nobody had the claim of, charged in full`
      : null,
    batches > 0 ? count(batches, "batch", "batches") : null,
    ...describeCorrections(corrections),
    skipped > 0 ? `${count(skipped, "article")} still waiting after it was cancelled` : null,
    reopened ? "its end contradicted its articles, so it was reopened" : null,
  ].filter((part) => part !== null);
  return `Session ${number} did not add up and was put right: ${parts.join("; ")}`;
}

function describeCorrections(corrections: Corrections): string[] {
  return Object.entries(corrections).map(([column, [before, after]]) => {
    const show = (value: number) => MONEY.has(column) ? formatUsd(value as Micros) : String(value);
    return `${column} ${show(before)} -> ${show(after)}`;
  });
}

function nameSessions(numbers: readonly number[]): string {
  return `${numbers.length === 1 ? "session" : "sessions"} ${numbers.join(", ")}`;
}

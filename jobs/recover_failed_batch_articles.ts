/**
 * Gives failed articles new attempts, because a person asked for it: of one session, or of every one that ended short
 * lately. No cron runs this: it would spend unasked.
 */
import type { RecoveryReport } from "../lib/batches/recover_items.ts";
import type { JobContext, JobReport } from "./job.ts";

export interface RecoveryWish {
  /** Who asked. */
  actor: string;
  /** Null: every session that ended short in the last `days`. */
  session: number | null;
  /** Unless given, a week. */
  days?: number;
  /**
   * When it was asked. A queue may deliver the wish twice, and by then the articles may have failed again: what failed
   * after this is not what the person saw, so a second delivery grants nothing.
   */
  askedAt: Date;
}

export async function recoverFailedBatchArticles(
  { desk, log, wake }: Pick<JobContext, "desk" | "log" | "wake">,
  { actor, session, days, askedAt }: RecoveryWish,
): Promise<JobReport> {
  const reports = session === null
    ? await desk.recoverRecent(actor, days, askedAt)
    : [await desk.recover(session, null, actor, askedAt)];
  const detail = { actor, sessions: reports.map(countReport) };
  const queued = reports.filter((report) => report.requeuedFailed + report.requeuedSkipped > 0);
  const text = queued.length === 0
    ? "nothing could be recovered"
    : queued.map((report) =>
      `session ${report.session.number}: ${report.requeuedFailed} failed and ` +
      `${report.requeuedSkipped} skipped articles queued again`
    ).join("; ");
  log("info", detail, text);
  await wake(queued.map((report) => report.session.number));
  return { text, detail };
}

function countReport(report: RecoveryReport): Record<string, unknown> {
  const { session, requeuedFailed, requeuedSkipped, permanent, exhausted, elsewhere, withoutBudget } = report;
  return {
    session: session.number,
    requeuedFailed,
    requeuedSkipped,
    permanent: permanent.reduce((sum, group) => sum + group.articles, 0),
    exhausted,
    elsewhere,
    withoutBudget,
  };
}

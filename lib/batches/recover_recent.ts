/** Recovers every session that ended short lately, oldest first; they work one after another. */
import type { Database } from "../database/port.ts";
import { lockSession } from "./change_session.ts";
import { recoverEnded, type RecoveryOptions, type RecoveryReport } from "./recover_items.ts";
import { findRecoveries } from "./recovery_requests.ts";
import { lockActivation } from "./start_session.ts";
import { isLive } from "./types.ts";

export const RECENT_DAYS = 7;

/**
 * A report for each session that ended PARTIAL or FAILED in the last `days` and lacks an article; a session that an
 * operator cancelled is left as it was wanted. The first becomes active if none is, the others queue behind it. An
 * article that failed in several of them is queued once, in the oldest.
 */
export async function recoverRecent(
  db: Database,
  actor: string,
  days: number,
  options: RecoveryOptions = {},
): Promise<RecoveryReport[]> {
  const { requestKey = null } = options;
  const answered = requestKey === null ? [] : await findRecoveries(db, requestKey);
  const { rows: sessions } = await db.query<{ session_id: string }>(
    `SELECT session_id FROM batch_processing_sessions s
     WHERE status IN ('PARTIAL', 'FAILED')
       AND finished_at > coalesce($2::timestamptz, now()) - $1 * interval '1 day'
       AND session_id <> ALL ($3::uuid[])
       AND EXISTS (SELECT FROM batch_processing_items i WHERE i.session_id = s.session_id
         AND (i.status = 'FAILED' OR (i.status = 'SKIPPED' AND i.reason IN ('budget', 'day_budget'))))
     ORDER BY number`,
    [days, options.now ?? null, answered.map(({ session }) => session.session_id)],
  );
  const reports = [...answered];
  for (const { session_id } of sessions) {
    const report = await db.transaction(async (tx) => {
      await lockActivation(tx);
      const again = requestKey === null ? [] : await findRecoveries(tx, requestKey);
      const twin = again.find(({ session }) => session.session_id === session_id);
      if (twin) return twin;
      const session = await lockSession(tx, session_id);
      // Somebody else may have recovered it since it was found.
      return isLive(session.status) ? null : await recoverEnded(tx, session, actor, "queue", options);
    });
    if (report) reports.push(report);
  }
  return reports.sort((a, b) => a.session.number - b.session.number);
}

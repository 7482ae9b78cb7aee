/** What a wish to recover was answered, kept under the wish's own name: a repeated wish gets the same answer again. */
import type { Queryable } from "../database/port.ts";
import type { RecoveryReport } from "./recover_items.ts";
import { type Session, SESSION_COLUMNS } from "./types.ts";

type Answer = Omit<RecoveryReport, "session">;

/** A report for each session that the wish with this key has recovered, in their order; the sessions as they are now. */
export async function findRecoveries(db: Queryable, requestKey: string): Promise<RecoveryReport[]> {
  const { rows } = await db.query<Session & { report: Answer }>(
    `SELECT ${SESSION_COLUMNS}, report
     FROM (SELECT session_id AS recovered, report FROM recovery_requests WHERE request_key = $1) r
     JOIN batch_processing_sessions ON session_id = recovered
     ORDER BY number`,
    [requestKey],
  );
  return rows.map(({ report, ...session }) => ({ session, ...report }));
}

/** In the transaction that recovers: both are written or neither is. */
export async function rememberRecovery(
  tx: Queryable,
  requestKey: string,
  { session, ...answer }: RecoveryReport,
): Promise<void> {
  await tx.query("INSERT INTO recovery_requests (request_key, session_id, report) VALUES ($1, $2, $3)", [
    requestKey,
    session.session_id,
    JSON.stringify(answer),
  ]);
}

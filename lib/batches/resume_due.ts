/** Brings back the sessions whose pause has ended by itself. Any process may do it, as often as it likes. */
import type { Database } from "../database/port.ts";
import { resumeByItself } from "./change_session.ts";
import { findActive } from "./start_session.ts";
import { type Session, SESSION_COLUMNS } from "./types.ts";

const DUE = `status = 'PAUSED' AND resume_at <= coalesce($1::timestamptz, now())`;

/**
 * Resumes what is due, oldest first, while no other session is active: at most one, since it is active then. The
 * others keep their time and come with a later call.
 * @returns The numbers of the sessions that go on.
 */
export async function resumeDue(db: Database, actor: string, now: Date | null = null): Promise<number[]> {
  // Asked without locks first: nearly always there is nothing to do.
  const { rows: due } = await db.query(`SELECT FROM batch_processing_sessions WHERE ${DUE} LIMIT 1`, [now]);
  if (due.length === 0) return [];
  return await db.transaction(async (tx) => {
    if (await findActive(tx)) return [];
    const { rows: [session] } = await tx.query<Session>(
      `SELECT ${SESSION_COLUMNS} FROM batch_processing_sessions WHERE ${DUE} ORDER BY number LIMIT 1 FOR UPDATE`,
      [now],
    );
    if (!session) return [];
    const { number } = await resumeByItself(tx, session, actor);
    return [number];
  });
}

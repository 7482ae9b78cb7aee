/** Which processes work off sessions: one row each, refreshed while they live. */
import type { Database, Queryable } from "../../database/port.ts";

/** How often a worker says that it lives, ms. */
const BEAT_MS = 3_000;
/** A worker that said nothing for this long counts as gone, s. */
const GONE_AFTER_SECONDS = 10;
/** Rows older than this are of no use to anybody, s. */
const FORGET_AFTER_SECONDS = 3_600;

export interface PresentWorker {
  worker_id: string;
  role: string;
  started_at: Date;
  seen_at: Date;
}

export interface Presence {
  /** Takes the row away. */
  leave(): Promise<void>;
}

/** Keeps this worker's row fresh until `leave`. A database that is away is told by others; here it is waited out. */
export async function announceWorker(db: Database, workerId: string, role: string): Promise<Presence> {
  const beat = () =>
    db.query(
      `INSERT INTO workers (worker_id, role) VALUES ($1, $2)
       ON CONFLICT (worker_id) DO UPDATE SET seen_at = now()`,
      [workerId, role],
    );
  await beat();
  await db.query(`DELETE FROM workers WHERE seen_at < now() - $1 * interval '1 s'`, [FORGET_AFTER_SECONDS]);
  const timer = setInterval(() => beat().catch(() => {}), BEAT_MS);
  return {
    async leave() {
      clearInterval(timer);
      await db.query("DELETE FROM workers WHERE worker_id = $1", [workerId]).catch(() => {});
    },
  };
}

/** The workers that live, longest first. */
export async function listWorkers(db: Queryable): Promise<PresentWorker[]> {
  const { rows } = await db.query<PresentWorker>(
    `SELECT worker_id, role, started_at, seen_at FROM workers
     WHERE seen_at > now() - $1 * interval '1 s' ORDER BY started_at`,
    [GONE_AFTER_SECONDS],
  );
  return rows;
}

/** Which processes live: one row each, refreshed while they do. */
import type { Database, Queryable } from "../../database/port.ts";
import { VERSION } from "../../version.ts";

/** How often a process says that it lives, ms. */
const BEAT_MS = 3_000;
/** One that said nothing for this long counts as gone, s. */
export const GONE_AFTER_SECONDS = 10;
/** Rows older than this are of no use to anybody, s. */
const FORGET_AFTER_SECONDS = 3_600;
/** The role of a process that works off no sessions. */
export const IDLE_ROLE = "web";

/** A live session that a process leaves to others, and what it lacks. */
export interface Inability {
  session: number;
  lacks: string;
}

export interface PresentProcess {
  worker_id: string;
  /** "service", "worker", "web", "drain" (Deno Deploy), or the desk command that does the work itself. */
  role: string;
  /** Null: it may not ask for its machine's name. */
  host: string | null;
  version: string | null;
  started_at: Date;
  seen_at: Date;
  /** Articles that it has claimed. */
  under_way: number;
  /** In the order of the sessions' numbers. */
  unable: Inability[];
}

export interface Presence {
  /** Takes the row away. */
  leave(): Promise<void>;
}

/** Keeps this process's row fresh until `leave`. A database that is away is told by others; here it is waited out. */
export async function announceProcess(db: Database, id: string, role: string): Promise<Presence> {
  const host = hostName();
  const beat = () =>
    db.query(
      `INSERT INTO workers (worker_id, role, host, version) VALUES ($1, $2, $3, $4)
       ON CONFLICT (worker_id) DO UPDATE SET seen_at = now()`,
      [id, role, host, VERSION],
    );
  await beat();
  await db.query(`DELETE FROM workers WHERE seen_at < now() - $1 * interval '1 s'`, [FORGET_AFTER_SECONDS]);
  const timer = setInterval(() => beat().catch(() => {}), BEAT_MS);
  return {
    async leave() {
      clearInterval(timer);
      await db.query("DELETE FROM workers WHERE worker_id = $1", [id]).catch(() => {});
    },
  };
}

/** The processes that live, longest first. */
export async function listProcesses(db: Queryable): Promise<PresentProcess[]> {
  const { rows } = await db.query<PresentProcess>(
    `SELECT w.worker_id, w.role, w.host, w.version, w.started_at, w.seen_at, coalesce(c.claimed, 0)::int AS under_way,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('session', s.number, 'lacks', u.lacks) ORDER BY s.number), '[]')
         FROM jsonb_each_text(w.unable) AS u (number, lacks) JOIN batch_processing_sessions s ON s.number::text = u.number
         WHERE s.status IN ('INITIATED', 'PROCESSING', 'PAUSED')) AS unable
     FROM workers w LEFT JOIN (SELECT lease_owner, count(*) AS claimed FROM batch_processing_items
       WHERE status = 'PROCESSING' GROUP BY lease_owner) c ON c.lease_owner = w.worker_id
     WHERE w.seen_at > now() - $1 * interval '1 s' ORDER BY w.started_at, w.worker_id`,
    [GONE_AFTER_SECONDS],
  );
  return rows;
}

/** One sentence for each, such as "worker:1 cannot serve session 3: it needs a key". */
export function describeInabilities(processes: readonly PresentProcess[]): string[] {
  return processes.flatMap(({ worker_id, unable }) =>
    unable.map(({ session, lacks }) => `${worker_id} cannot serve session ${session}: ${lacks}`)
  );
}

/** Whether it works off sessions. */
export function isWorker({ role }: Pick<PresentProcess, "role">): boolean {
  return role !== IDLE_ROLE;
}

/** Whether it works off sessions for as long as it runs, so that a command can leave the work to it. */
export function isService({ role }: Pick<PresentProcess, "role">): boolean {
  return role === "service" || role === "worker";
}

function hostName(): string | null {
  const may = Deno.permissions.querySync({ name: "sys", kind: "hostname" }).state === "granted";
  return may ? Deno.hostname() : null;
}

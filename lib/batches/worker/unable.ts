/**
 * Sessions that a process lacks something for: a key, a price that a newer version knows. Others may have it, so such a
 * session is left to them; only one that no process alive can serve has to be told.
 */
import type { Queryable } from "../../database/port.ts";
import { GONE_AFTER_SECONDS, IDLE_ROLE } from "./presence.ts";

/*
 * Each says it of itself, in the row that it keeps fresh. Two who say so at the same moment each take the other for able;
 * they look again within a second.
 */
const TELL = `
WITH told AS (
  UPDATE workers SET unable = unable || jsonb_build_object($2::text, $3::text)
  WHERE worker_id = $1 AND unable ->> $2::text IS DISTINCT FROM $3::text
)
SELECT EXISTS (SELECT FROM workers WHERE worker_id <> $1 AND role <> $4 AND NOT unable ? $2::text
  AND seen_at > now() - $5 * interval '1 s') AS others`;

/**
 * Notes that this process cannot serve the session and why. Returns whether another one that lives may.
 * @param number The session's.
 */
export async function tellUnable(
  db: Queryable,
  workerId: string,
  number: number,
  error: string,
): Promise<boolean> {
  const { rows: [{ others }] } = await db.query<{ others: boolean }>(
    TELL,
    [workerId, String(number), error, IDLE_ROLE, GONE_AFTER_SECONDS],
  );
  return others;
}

/** It can after all. */
export async function tellAble(db: Queryable, workerId: string, number: number): Promise<void> {
  await db.query("UPDATE workers SET unable = unable - $2::text WHERE worker_id = $1", [
    workerId,
    String(number),
  ]);
}

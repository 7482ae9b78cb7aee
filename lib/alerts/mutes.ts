/** Mutes: matching notices wait until a mute ends. Alerts are written all the same. */
import { distance } from "fastest-levenshtein";
import { writeEvent } from "../events.ts";
import type { Database, Queryable } from "../database/port.ts";
import { NotFoundError, UserError } from "../errors.ts";
import { isRule, RULE_NAMES } from "./rules.ts";
import type { Mute } from "./types.ts";

export interface MuteScope {
  /** Null: every rule. */
  rule: string | null;
  /** Number of a session; null: every session, and what is about no session. */
  session: number | null;
  until: Date;
}

/** Notices older than NEWS_DAYS (outbox.ts) are put aside; half of that leaves time for those that waited before. */
export const LONGEST_DAYS = 7;

const COLUMNS = "m.mute_id, m.rule, s.number, m.until, m.muted_by, m.created_at";
const ACTIVE = "m.ended_at IS NULL AND m.until > coalesce($1::timestamptz, now())";

/** Throws `UserError` for a rule that does not exist or a time that is over or too far away. */
export async function muteAlerts(
  db: Database,
  { rule, session, until }: MuteScope,
  actor: string,
  now: Date | null = null,
): Promise<Mute> {
  if (rule !== null && !isRule(rule)) {
    const near = RULE_NAMES.toSorted((a, b) => distance(a, rule) - distance(b, rule))[0];
    throw new UserError(`Cannot mute: there is no rule ${rule}; did you mean ${near}?`);
  }
  return await db.transaction(async (tx) => {
    const { rows: [clock] } = await tx.query<{ now: Date; latest: Date }>(
      `SELECT t AS now, t + $2 * interval '1 day' AS latest FROM coalesce($1::timestamptz, now()) AS t`,
      [now, LONGEST_DAYS],
    );
    if (until <= clock.now || until > clock.latest) {
      throw new UserError(
        `Cannot mute: wanted a time within the next ${LONGEST_DAYS} days, got ${until.toISOString()}`,
      );
    }
    const sessionId = session === null ? null : await findSessionId(tx, session);
    const { rows: [mute] } = await tx.query<Mute>(
      `WITH m AS (INSERT INTO alert_mutes (rule, session_id, until, muted_by, created_at)
         VALUES ($1, $2, $3, $4, $5) RETURNING *)
       SELECT ${COLUMNS} FROM m LEFT JOIN batch_processing_sessions s USING (session_id)`,
      [rule, sessionId, until, actor, clock.now],
    );
    const detail = { rule, until: until.toISOString() };
    await writeEvent(tx, { sessionId, actor, action: "alerts_muted", detail });
    return mute;
  });
}

/** Ends every mute now and says how many there were. */
export async function unmuteAlerts(db: Database, actor: string, now: Date | null = null): Promise<number> {
  return await db.transaction(async (tx) => {
    const { rows } = await tx.query<{ session_id: string | null; rule: string | null }>(
      `UPDATE alert_mutes m SET ended_at = coalesce($1::timestamptz, now()) WHERE ${ACTIVE}
       RETURNING session_id, rule`,
      [now],
    );
    for (const { session_id: sessionId, rule } of rows) {
      await writeEvent(tx, { sessionId, actor, action: "alerts_unmuted", detail: { rule } });
    }
    return rows.length;
  });
}

/** The mutes that hold now, those that end first first. */
export async function listMutes(db: Queryable, now: Date | null = null): Promise<Mute[]> {
  const { rows } = await db.query<Mute>(
    `SELECT ${COLUMNS} FROM alert_mutes m LEFT JOIN batch_processing_sessions s USING (session_id)
     WHERE ${ACTIVE} ORDER BY m.until, m.mute_id`,
    [now],
  );
  return rows;
}

async function findSessionId(tx: Queryable, number: number): Promise<string> {
  const { rows: [session] } = await tx.query<{ session_id: string }>(
    "SELECT session_id FROM batch_processing_sessions WHERE number = $1",
    [number],
  );
  if (!session) {
    throw new NotFoundError(`There is no session ${number}. The list of sessions says which there are`);
  }
  return session.session_id;
}

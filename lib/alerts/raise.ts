/**
 * Raises and resolves alerts inside the transaction that caused them (invariant 9). Nothing is sent here: delivery
 * reads the tables afterwards (deliver.ts).
 */
import type { Queryable } from "../database/port.ts";
import { type RuleName, RULES } from "./rules.ts";
import { type Alert, ALERT_COLUMNS, type AlertLevel } from "./types.ts";

export interface NewAlert {
  rule: RuleName;
  /** Unless given, it is about the whole desk. */
  sessionId?: string | null;
  /** What beside rule and session makes it this alert and no other: a cron, a feed, a day, a reason. */
  subject?: string | null;
  /** Unless given, the rule's own. */
  level?: AlertLevel;
  text: string;
  detail?: Record<string, unknown>;
}

/** The same trouble has the same key, so that it is open once: rule, session, subject, and a level of its own. */
export function dedupeKey(
  { rule, sessionId, subject, level }: Pick<NewAlert, "rule" | "sessionId" | "subject" | "level">,
): string {
  const own = level === undefined || level === RULES[rule].level ? null : level;
  return [rule, sessionId, subject, own].filter((part) => part !== null && part !== undefined).join(":");
}

/** False when it is open already: then nothing changes, so the same trouble is told once. */
export async function raiseAlert(tx: Queryable, alert: NewAlert): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO alerts (session_id, dedupe_key, rule, level, lasting, text, detail)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (dedupe_key) WHERE resolved_at IS NULL DO NOTHING`,
    [
      alert.sessionId ?? null,
      dedupeKey(alert),
      alert.rule,
      alert.level ?? RULES[alert.rule].level,
      RULES[alert.rule].lasting,
      alert.text,
      JSON.stringify(alert.detail ?? {}),
    ],
  );
  return rowCount === 1;
}

/** Which open alerts; what is left out does not narrow it. */
export interface OpenAlerts {
  rules?: readonly RuleName[];
  sessionId?: string;
  dedupeKeys?: readonly string[];
  /** All but this one. */
  exceptKey?: string;
}

export interface Resolution {
  /** Why it is over, for people; completes "over: …". */
  resolution: string;
  /** Whether those who were told of it are told of its end. */
  tell: boolean;
}

/** Ends open alerts and returns them, oldest first. */
export async function resolveAlerts(tx: Queryable, which: OpenAlerts, how: Resolution): Promise<Alert[]> {
  const { rows } = await tx.query<Alert>(
    `WITH a AS (
       UPDATE alerts SET resolved_at = now(), resolution = $5, tell_resolved = $6
       WHERE resolved_at IS NULL AND ($1::text[] IS NULL OR rule = ANY ($1)) AND ($2::uuid IS NULL OR session_id = $2)
         AND ($3::text[] IS NULL OR dedupe_key = ANY ($3)) AND ($4::text IS NULL OR dedupe_key <> $4)
       RETURNING *
     )
     SELECT ${ALERT_COLUMNS} FROM a LEFT JOIN batch_processing_sessions s USING (session_id) ORDER BY a.alert_id`,
    [
      which.rules ?? null,
      which.sessionId ?? null,
      which.dedupeKeys ?? null,
      which.exceptKey ?? null,
      how.resolution,
      how.tell,
    ],
  );
  return rows;
}

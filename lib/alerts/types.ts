/** Alerts, their notices and mutes, in the words that the tables use. */
import type { RuleName } from "./rules.ts";

export type AlertLevel = "info" | "warning" | "critical";

/** A condition that lasts until it is resolved (`lasting`), or an event that is told once. */
export interface Alert {
  alert_id: number;
  session_id: string | null;
  /** Number of the session; null: it is about the whole desk. */
  number: number | null;
  /** The same trouble is open once. */
  dedupe_key: string;
  rule: RuleName;
  level: AlertLevel;
  /** For people; as it was when it was raised. */
  text: string;
  /** The figures behind the text. */
  detail: Record<string, unknown>;
  lasting: boolean;
  created_at: Date;
  acknowledged_at: Date | null;
  acknowledged_by: string | null;
  resolved_at: Date | null;
  /** Why it is over; null with `resolved_at`: nothing to say. */
  resolution: string | null;
}

/** "Be quiet about this until then." */
export interface Mute {
  mute_id: number;
  /** Null: every rule. */
  rule: RuleName | null;
  /** Number of the session; null: every session, and what is about no session. */
  number: number | null;
  until: Date;
  muted_by: string;
  created_at: Date;
}

/** The columns of an `Alert`, for `FROM alerts a LEFT JOIN batch_processing_sessions s USING (session_id)`. */
export const ALERT_COLUMNS =
  `a.alert_id, a.session_id, s.number, a.dedupe_key, a.rule, a.level, a.text, a.detail,
  a.lasting, a.created_at, a.acknowledged_at, a.acknowledged_by, a.resolved_at, a.resolution`;

/**
 * Looks at everything and brings the alerts that are found by looking in line with it: raises what is missing, ends
 * what is over. Safe at any time and in any number of processes at once.
 */
import type { Database } from "../database/port.ts";
import { SESSION_CONDITIONS, type SessionCondition, type Thresholds } from "./conditions.ts";
import { findDeskAlerts } from "./desk_conditions.ts";
import { dedupeKey, type NewAlert, raiseAlert, type Resolution, resolveAlerts } from "./raise.ts";
import { listOpenAlerts } from "./read_alerts.ts";
import type { RuleName } from "./rules.ts";
import {
  type DeskSnapshot,
  readDeskSnapshot,
  readSessionSnapshots,
  type SessionSnapshot,
} from "./snapshot.ts";
import type { Alert } from "./types.ts";

export interface WatchReport {
  raised: Alert[];
  resolved: Alert[];
}

const CONDITIONS = Object.entries(SESSION_CONDITIONS) as [
  keyof typeof SESSION_CONDITIONS,
  SessionCondition,
][];

/** Why each is over when it is no longer found. What is not here is not ended by looking. */
const OVER: Partial<Record<RuleName, string>> = {
  failure_rate: "fewer articles fail now",
  ungrounded_evidence: "the quotes stand in their articles again",
  searches_failing: "they do not fail any more",
  budget_projection: "everything fits the budget now",
  stalled: "articles end again",
  queue_not_moving: "a worker takes them now",
  no_worker: "a worker is there",
  cron_not_running: "it runs again",
  cron_failing: "it went well again",
  schedules_differ: "they agree again",
  feed_failing: "it was read again",
  day_budget_warning: "the day's budget has room again",
  day_budget_exhausted: "the day's budget was raised",
};

export async function watchDesk(
  db: Database,
  thresholds: Thresholds,
  now: Date | null = null,
): Promise<WatchReport> {
  const [open, sessions, desk] = await Promise.all([
    listOpenAlerts(db),
    readSessionSnapshots(db, now),
    readDeskSnapshot(db, now),
  ]);
  const told = new Map(open.map((alert) => [alert.dedupe_key, alert]));
  const wanted = new Map([
    ...sessions.flatMap((session) => findSessionAlerts(session, thresholds, desk, told)),
    ...findDeskAlerts(desk, thresholds, open),
  ].map((alert) => [dedupeKey(alert), alert]));
  const raised: string[] = [];
  for (const [key, alert] of wanted) {
    if (!told.has(key) && await raiseFound(db, alert)) raised.push(key);
  }
  const resolved: Alert[] = [];
  for (const alert of open) {
    if (OVER[alert.rule] === undefined || wanted.has(alert.dedupe_key)) continue;
    const how = explainEnd(alert, sessions, desk, wanted);
    resolved.push(...await resolveAlerts(db, { dedupeKeys: [alert.dedupe_key] }, how));
  }
  const found = raised.length > 0 ? await listOpenAlerts(db) : [];
  return { raised: found.filter(({ dedupe_key }) => raised.includes(dedupe_key)), resolved };
}

function findSessionAlerts(
  session: SessionSnapshot,
  thresholds: Thresholds,
  desk: DeskSnapshot,
  told: ReadonlyMap<string, Alert>,
): NewAlert[] {
  return CONDITIONS.flatMap(([rule, find]) => {
    const key = dedupeKey({ rule, sessionId: session.session_id });
    const finding = find(session, { thresholds, workerMs: desk.worker_ms, open: told.get(key) ?? null });
    return finding === null ? [] : [{ rule, sessionId: session.session_id, ...finding }];
  });
}

/** A session may have ended since it was looked at; under its lock that cannot happen unseen. */
async function raiseFound(db: Database, alert: NewAlert): Promise<boolean> {
  const { sessionId } = alert;
  if (!sessionId) return await raiseAlert(db, alert);
  return await db.transaction(async (tx) => {
    const { rows: [session] } = await tx.query<{ lives: boolean }>(
      `SELECT status IN ('INITIATED', 'PROCESSING', 'PAUSED') AS lives FROM batch_processing_sessions
       WHERE session_id = $1 FOR SHARE`,
      [sessionId],
    );
    return session?.lives === true && await raiseAlert(tx, alert);
  });
}

function explainEnd(
  alert: Alert,
  sessions: readonly SessionSnapshot[],
  desk: DeskSnapshot,
  wanted: ReadonlyMap<string, NewAlert>,
): Resolution {
  const resolution = OVER[alert.rule] ?? "it is over";
  if (alert.session_id !== null) {
    const session = sessions.find(({ session_id }) => session_id === alert.session_id);
    if (!session) return { resolution: "the session has ended", tell: false };
    const waits = session.status === "PAUSED" && ON_THE_MOVE.has(alert.rule);
    return { resolution: waits ? "the session is paused" : resolution, tell: true };
  }
  const day = alert.rule.startsWith("day_") ? String(alert.detail.day) : null;
  const today = desk.now.toISOString().slice(0, 10);
  if (day !== null && day < today) return { resolution: "the day is over", tell: false };
  // A louder one that took its place has told it.
  const louder = wanted.has(alert.dedupe_key.replace("day_budget_warning", "day_budget_exhausted"));
  return { resolution, tell: !louder };
}

/** Rules about sessions at work only. */
const ON_THE_MOVE: ReadonlySet<RuleName> = new Set(["stalled", "queue_not_moving", "no_worker"]);

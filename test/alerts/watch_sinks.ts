/** Sinks that remember, for tests of delivery, and short ways to read alerts. */
import type { AlertSink, Notice, SendResult } from "../../lib/alerts/sinks/port.ts";
import { deliverAlerts, type DeliveryOptions } from "../../lib/alerts/deliver.ts";
import { raiseAlert, resolveAlerts } from "../../lib/alerts/raise.ts";
import type { Database } from "../../lib/database/port.ts";

export interface RecordingSink extends AlertSink {
  /** "raised some text", in the order in which they were taken. */
  readonly told: string[];
  readonly notices: Notice[];
  /** What it answers; a test changes it. */
  answer: (notice: Notice, signal: AbortSignal) => SendResult | Promise<SendResult>;
}

export function recordingSink(name = "test"): RecordingSink {
  const notices: Notice[] = [];
  const sink: RecordingSink = {
    name,
    notices,
    get told() {
      return notices.map(({ alert, notice }) => `${notice} ${alert.text}`);
    },
    answer: () => ({ ok: true }),
    async send(notice, signal) {
      const result = await sink.answer(notice, signal);
      if (result.ok) notices.push(notice);
      return result;
    },
  };
  return sink;
}

/** A sink that is registered before the first alert. */
export async function registeredSink(db: Database, name = "test"): Promise<RecordingSink> {
  const sink = recordingSink(name);
  await deliverAlerts(db, [sink], deliveryOptions());
  return sink;
}

export const DOWN: SendResult = { ok: false, refused: false, error: "the sink is down" };

export interface LogLine {
  level: string;
  fields: Record<string, unknown>;
  message: string;
}

export function deliveryOptions(
  change: Partial<DeliveryOptions> = {},
): DeliveryOptions & { lines: LogLine[] } {
  const lines: LogLine[] = [];
  return {
    quietHours: null,
    timeZone: "UTC",
    log: (level, fields, message) => void lines.push({ level, fields, message }),
    lines,
    ...change,
  };
}

/** Raises an event, or with `lasting` a condition, that belongs to no session. */
export async function raise(
  db: Database,
  text: string,
  { lasting = false, level = "warning" as "info" | "warning" | "critical" } = {},
): Promise<string> {
  const rule = lasting ? "feed_failing" : "overrun";
  await raiseAlert(db, { rule, subject: text, level, text });
  const { rows: [{ dedupe_key }] } = await db.query<{ dedupe_key: string }>(
    "SELECT dedupe_key FROM alerts WHERE text = $1 ORDER BY alert_id DESC LIMIT 1",
    [text],
  );
  return dedupe_key;
}

/** "rule level open" or "rule level over: why", with "quietly" when nobody is told, oldest first. */
export async function listAlertStates(db: Database): Promise<string[]> {
  const { rows } = await db.query<
    {
      rule: string;
      level: string;
      resolved_at: Date | null;
      resolution: string | null;
      tell_resolved: boolean;
    }
  >("SELECT rule, level, resolved_at, resolution, tell_resolved FROM alerts ORDER BY alert_id");
  return rows.map(({ rule, level, resolved_at, resolution, tell_resolved }) => {
    const over = `over${tell_resolved ? "" : " quietly"}: ${resolution}`;
    return `${rule} ${level} ${resolved_at === null ? "open" : over}`;
  });
}

/** Ends what `raise` has raised. */
export async function endAlert(db: Database, dedupeKey: string, tell = true): Promise<void> {
  await resolveAlerts(db, { dedupeKeys: [dedupeKey] }, { resolution: "it went away", tell });
}

/** What became of every notice, such as "some text raised sent". */
export async function listOutcomes(db: Database): Promise<string[]> {
  const { rows } = await db.query<{ text: string }>(
    `SELECT a.text || ' ' || d.notice || ' ' || d.outcome AS text FROM alert_deliveries d JOIN alerts a USING (alert_id)
     ORDER BY d.alert_id, d.notice`,
  );
  return rows.map(({ text }) => text);
}

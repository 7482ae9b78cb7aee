/** What arrived at the alert webhook against the tables of the outbox: at least once, in order, and nothing else. */
import type { Queryable } from "../../lib/database/port.ts";
import type { SeenAlert } from "../fakes/alert_receiver.ts";
import { sleep } from "./kill_moments.ts";
import type { ServiceRun } from "./service_run.ts";

export interface AlertVerdict {
  /** Notices that the tables call sent. */
  sent: number;
  /** Put aside because they were over before they could be told. */
  obsolete: number;
  /** Requests that arrived; some were turned away and came again. */
  arrived: number;
  turnedAway: number;
  /** Taken more than once, because the sender was killed before it could write that down. */
  repeats: number;
  violations: string[];
}

interface Notice {
  key: string;
  text: string;
  outcome: "sent" | "refused" | "obsolete" | null;
  /** Whether it may be put aside: a condition that is over and was not critical. */
  passing: boolean;
  /** When it happened, ms since 1970. */
  at: number;
}

/** Everything that the webhook has to be told, and what became of it; written apart from the program's own question. */
const DUE = `
WITH sink AS (SELECT since FROM alert_sinks WHERE sink = 'webhook'),
raised AS (
  SELECT a.*, d.outcome, d.at AS told_at FROM sink JOIN alerts a ON a.created_at >= sink.since
  LEFT JOIN alert_deliveries d ON d.alert_id = a.alert_id AND d.notice = 'raised' AND d.sink = 'webhook'
)
SELECT alert_id || ':raised' AS key, text, outcome, lasting AND resolved_at IS NOT NULL AND level <> 'critical' AS passing,
  extract(epoch FROM created_at)::float8 * 1000 AS at
FROM raised
UNION ALL
SELECT r.alert_id || ':resolved', r.text, d.outcome, false, extract(epoch FROM r.resolved_at)::float8 * 1000
FROM raised r LEFT JOIN alert_deliveries d ON d.alert_id = r.alert_id AND d.notice = 'resolved' AND d.sink = 'webhook'
WHERE r.outcome = 'sent' AND r.resolved_at IS NOT NULL
  AND (r.tell_resolved OR r.level = 'critical' AND r.told_at >= r.resolved_at)`;

/** Transactions that overlap become visible in another order than they began; none lasts this long, ms. */
const OVERLAP_MS = 3_000;

/** What is raised so shortly before the end of the last service need not be told by it, ms. */
const LAST_MOMENT_MS = 10_000;

/** Resolves once nothing is left to be told; throws when something still is after `withinMs`. */
export async function waitForAlerts(db: Queryable, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (true) {
    const { rows } = await db.query<Notice>(DUE);
    const left = rows.filter(({ outcome }) => outcome === null);
    if (left.length === 0) return;
    if (Date.now() > deadline) {
      throw new Error(`alerts were not told: ${left.map(({ text }) => text).join("; ")}`);
    }
    await sleep(100);
  }
}

export async function judgeAlerts(
  db: Queryable,
  seen: readonly SeenAlert[],
  runs: readonly ServiceRun[],
): Promise<AlertVerdict> {
  const { rows: due } = await db.query<Notice>(DUE);
  const byKey = new Map(due.map((notice) => [notice.key, notice]));
  const taken = Map.groupBy(seen.filter((alert) => alert.taken), ({ key }) => key);
  const repeats = [...taken.values()].flatMap((times) =>
    times.slice(1).map((again, nth) => ({ again, last: times[nth] }))
  );
  // A cron may still raise one while the last service stops; it waits for the next one.
  const toldUntil = (runs.at(-1)?.endedAt ?? Infinity) - LAST_MOMENT_MS;
  return {
    sent: due.filter(({ outcome }) => outcome === "sent").length,
    obsolete: due.filter(({ outcome }) => outcome === "obsolete").length,
    arrived: seen.length,
    turnedAway: seen.filter((alert) => !alert.taken).length,
    repeats: repeats.length,
    violations: [
      ...due.filter(({ outcome, at }) => outcome !== null || at < toldUntil)
        .flatMap((notice) => judgeNotice(notice, taken.has(notice.key))),
      ...[...taken].flatMap(([key, [{ text }]]) => judgeArrival(byKey.get(key), key, text)),
      ...judgeOrder([...taken.keys()].flatMap((key) => byKey.get(key) ?? [])),
      ...repeats.filter(({ again, last }) => !runs.some((run) => diedBetween(run, last.at, again.at)))
        .map(({ again }) => `an alert was told twice although nobody died: ${again.key} ${again.text}`),
    ],
  };
}

function judgeNotice({ key, text, outcome, passing }: Notice, arrived: boolean): string[] {
  if (outcome === null) return [`an alert was never told: ${key} ${text}`];
  if (outcome === "refused") {
    return [`an alert was given up although the webhook refuses none: ${key} ${text}`];
  }
  if (outcome === "obsolete" && !passing) {
    return [`an alert was put aside although it was due: ${key} ${text}`];
  }
  return outcome === "sent" && !arrived ? [`an alert is called sent and never arrived: ${key} ${text}`] : [];
}

/** One that its sender died over may have arrived before it was put aside. */
function judgeArrival(notice: Notice | undefined, key: string, text: string): string[] {
  if (notice === undefined) return [`an alert arrived that nobody raised: ${key} ${text}`];
  return notice.text === text ? [] : [`an alert arrived with another text: ${key} ${text}`];
}

/** @param arrived By their first arrival. */
function judgeOrder(arrived: readonly Notice[]): string[] {
  let newest = -Infinity;
  return arrived.flatMap(({ key, text, at }) => {
    const late = at < newest - OVERLAP_MS;
    newest = Math.max(newest, at);
    return late ? [`an alert was told after what happened later: ${key} ${text}`] : [];
  });
}

function diedBetween({ endedAt }: ServiceRun, from: number, to: number): boolean {
  return endedAt !== null && endedAt >= from && endedAt <= to;
}

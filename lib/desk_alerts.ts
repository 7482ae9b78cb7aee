/** The part of the desk that is about alerts: what is open, being quiet about it, looking for it, and the digest. */
import { type Digest, raiseDigest, readDigest, readYesterday } from "./alerts/digest.ts";
import { listMutes, muteAlerts, type MuteScope, unmuteAlerts } from "./alerts/mutes.ts";
import { listSinks, type SinkState } from "./alerts/sink_rows.ts";
import { acknowledgeAlert, listOpenAlerts, listRecentAlerts } from "./alerts/read_alerts.ts";
import type { Alert, Mute } from "./alerts/types.ts";
import { watchDesk, type WatchReport } from "./alerts/watch.ts";
import type { Analysts } from "./analysis/make_analyst.ts";
import { countReady } from "./articles/identifier.ts";
import { endFinished } from "./batches/clean_up.ts";
import { type Health, readHealth } from "./batches/read_health.ts";
import { listLiveSessions, type Progress, readProgress } from "./batches/read_sessions.ts";
import { isWorker, listProcesses, type PresentProcess } from "./batches/worker/presence.ts";
import type { Config } from "./config.ts";
import type { Database } from "./database/port.ts";
import { UserError } from "./errors.ts";
import { rulesFor } from "./plan_session.ts";

export interface MonitorReport extends WatchReport {
  /** The live sessions. */
  sessions: (Progress & Health)[];
  /** Numbers of sessions that monitoring found finished and ended. */
  ended: number[];
  workers: PresentProcess[];
  /** Every condition that lasts now. */
  open: Alert[];
}

export interface AlertDesk {
  /** Conditions that last now, the loudest first. */
  openAlerts(): Promise<Alert[]>;
  /** Events and conditions alike, newest first. */
  recentAlerts(limit: number): Promise<Alert[]>;
  acknowledgeAlert(alertId: number, actor: string): Promise<Alert>;
  muteAlerts(scope: MuteScope, actor: string): Promise<Mute>;
  /** Ends every mute and says how many there were. */
  unmuteAlerts(actor: string): Promise<number>;
  mutes(): Promise<Mute[]>;
  /** Where alerts go, and how it goes there. */
  alertSinks(): Promise<SinkState[]>;
  /** Raises and ends what is found by looking. Cheap: every process that works does it every few seconds. */
  watch(): Promise<WatchReport>;
  /** The same, ends finished sessions, and says how the live ones fare. */
  monitor(actor: string): Promise<MonitorReport>;
  /** @param day UTC, such as 2026-11-23; null: yesterday. */
  digest(day: string | null): Promise<Digest>;
  /** Tells yesterday's digest to the sinks, once. False: it was told before. */
  sendDigest(actor: string): Promise<boolean>;
}

export function createAlertDesk(
  { db, config, analysts }: { db: Database; config: Config; analysts: Analysts },
): AlertDesk {
  const watch = () => watchDesk(db, config.alerts);
  const makeDigest = async (day: string) =>
    await readDigest(db, day, await countReady(db, rulesFor(config, analysts)));
  return {
    openAlerts: () => listOpenAlerts(db),
    recentAlerts: (limit) => listRecentAlerts(db, limit),
    acknowledgeAlert: (alertId, actor) => acknowledgeAlert(db, alertId, actor),
    muteAlerts: (scope, actor) => muteAlerts(db, scope, actor),
    unmuteAlerts: (actor) => unmuteAlerts(db, actor),
    mutes: () => listMutes(db),
    alertSinks: () => listSinks(db),
    watch,
    async monitor(actor) {
      const ended = await endFinished(db, actor);
      const report = await watch();
      const live = await listLiveSessions(db);
      const sessions = await Promise.all(live.map(async (session) => ({
        ...await readProgress(db, session),
        ...await readHealth(db, session.session_id),
      })));
      const workers = (await listProcesses(db)).filter(isWorker);
      return { ...report, ended, sessions, workers, open: await listOpenAlerts(db) };
    },
    async digest(day) {
      if (day !== null && !isDay(day)) {
        throw new UserError(`Cannot make a digest: wanted a day in UTC such as 2026-11-23, got "${day}"`);
      }
      return await makeDigest(day ?? await readYesterday(db));
    },
    sendDigest: async (actor) => await raiseDigest(db, await makeDigest(await readYesterday(db)), actor),
  };
}

function isDay(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** What people ask about alerts, and their word that they have seen one. */
import { writeEvent } from "../events.ts";
import type { Database, Queryable } from "../database/port.ts";
import { NotFoundError } from "../errors.ts";
import { type Alert, ALERT_COLUMNS } from "./types.ts";

const FROM = "FROM alerts a LEFT JOIN batch_processing_sessions s USING (session_id)";

/** Conditions that last now, the loudest first, then the oldest. */
export async function listOpenAlerts(db: Queryable): Promise<Alert[]> {
  const { rows } = await db.query<Alert>(
    `SELECT ${ALERT_COLUMNS} ${FROM} WHERE a.resolved_at IS NULL AND a.lasting
     ORDER BY array_position(ARRAY['critical', 'warning', 'info'], a.level), a.created_at, a.alert_id`,
  );
  return rows;
}

/** Events and conditions alike, newest first. */
export async function listRecentAlerts(db: Queryable, limit: number): Promise<Alert[]> {
  const { rows } = await db.query<Alert>(
    `SELECT ${ALERT_COLUMNS} ${FROM} ORDER BY a.created_at DESC, a.alert_id DESC LIMIT $1`,
    [limit],
  );
  return rows;
}

/**
 * Somebody has seen it; the first word stays. It goes on lasting until its cause is gone. Throws `NotFoundError` when
 * there is no such alert.
 */
export async function acknowledgeAlert(db: Database, alertId: number, actor: string): Promise<Alert> {
  return await db.transaction(async (tx) => {
    const { rows: [alert] } = await tx.query<Alert>(
      `SELECT ${ALERT_COLUMNS} ${FROM} WHERE a.alert_id = $1 FOR UPDATE OF a`,
      [alertId],
    );
    if (!alert) {
      throw new NotFoundError(`There is no alert ${alertId}. The list of alerts says which there are`);
    }
    if (alert.acknowledged_at !== null) return alert;
    const { rows: [seen] } = await tx.query<Pick<Alert, "acknowledged_at" | "acknowledged_by">>(
      `UPDATE alerts SET acknowledged_at = now(), acknowledged_by = $2 WHERE alert_id = $1
       RETURNING acknowledged_at, acknowledged_by`,
      [alertId, actor],
    );
    await writeEvent(tx, {
      sessionId: alert.session_id,
      actor,
      action: "alert_acknowledged",
      detail: { alert: alertId, rule: alert.rule },
    });
    return { ...alert, ...seen };
  });
}

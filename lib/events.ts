/** One row of the append-only audit trail. Written in the transaction of the change that it tells of. */
import type { Queryable } from "./database/port.ts";

export interface SessionEvent {
  /** Null: it concerns no session, such as the sums of a day. */
  sessionId: string | null;
  batchId?: number | null;
  itemId?: number | null;
  callId?: number | null;
  actor: string;
  action: string;
  from?: string | null;
  to?: string | null;
  detail?: Record<string, unknown> | null;
}

export async function writeEvent(tx: Queryable, event: SessionEvent): Promise<void> {
  await tx.query(
    `INSERT INTO session_events (session_id, batch_id, item_id, call_id, actor, action, from_state, to_state, detail)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      event.sessionId,
      event.batchId ?? null,
      event.itemId ?? null,
      event.callId ?? null,
      event.actor,
      event.action,
      event.from ?? null,
      event.to ?? null,
      event.detail ? JSON.stringify(event.detail) : null,
    ],
  );
}

/** Calls whose outcome nobody knows, with what an operator needs to look them up at the provider. */
import type { Queryable } from "../../database/port.ts";
import type { Micros } from "../../money.ts";
import type { CallKind } from "./ledger.ts";

export interface UnknownCall {
  call_id: number;
  /** Number of its session. */
  number: number;
  article_id: number;
  title: string;
  provider: string;
  model: string;
  kind: CallKind;
  simulated: boolean;
  attempt: number;
  /** What is charged for it until somebody says. */
  amount: Micros;
  /** When it was about to leave. */
  held_at: Date;
  /** When it was given up. */
  ended_at: Date | null;
  failure: string | null;
  detail: string | null;
  /** The bill of an answer that came after the claim was lost: it was paid, and this much. */
  late_bill: Micros | null;
}

/** Oldest first. @param number Of one session; null: of all. */
export async function listUnknown(db: Queryable, number: number | null): Promise<UnknownCall[]> {
  // Late answers are looked for only where there are some: the trail of a session is long.
  const { rows } = await db.query<UnknownCall>(
    `WITH late AS MATERIALIZED (
       SELECT e.call_id, max((e.detail ->> 'bill')::bigint) AS bill
       FROM batch_processing_sessions s JOIN session_events e USING (session_id)
       WHERE s.unknown > 0 AND s.stale_writes > 0 AND ($1::integer IS NULL OR s.number = $1)
         AND e.action = 'stale_write' AND e.call_id IS NOT NULL
       GROUP BY e.call_id
     )
     SELECT c.call_id, s.number, c.article_id, a.title, c.provider, c.model, c.kind, c.simulated, c.attempt, c.amount,
       c.held_at, c.ended_at, c.failure, c.detail, late.bill AS late_bill
     FROM paid_calls c
     JOIN batch_processing_sessions s USING (session_id)
     JOIN articles a ON a.id = c.article_id
     LEFT JOIN late USING (call_id)
     WHERE c.state = 'UNKNOWN' AND ($1::integer IS NULL OR s.number = $1)
     ORDER BY c.call_id`,
    [number],
  );
  return rows;
}

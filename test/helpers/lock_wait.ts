/** Lets a test hold a lock until somebody else stands before it. */
import type { Queryable } from "../../lib/database/port.ts";
import { SERVER } from "./database.ts";

/**
 * Resolves when another connection of this database waits for a lock. The embedded database lets nobody else begin
 * while a transaction is open, so there is nothing to wait for.
 */
export async function untilWaitedFor(tx: Queryable): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (SERVER) {
    // Within a transaction PostgreSQL would show the same activity again.
    await tx.query("SELECT pg_stat_clear_snapshot()");
    const { rows } = await tx.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    if (rows.length > 0) return;
    if (Date.now() > deadline) throw new Error("nobody waited for the lock");
  }
}

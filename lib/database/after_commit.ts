/** What may be told to others only when a transaction is in the database: a span, not a message that must arrive. */
import type { Queryable } from "./port.ts";

const waiting = new WeakMap<Queryable, (() => void)[]>();

/** @param tell Must not throw. Not called when the transaction is rolled back. */
export function afterCommit(tx: Queryable, tell: () => void): void {
  waiting.set(tx, [...waiting.get(tx) ?? [], tell]);
}

/** Called by the one who has committed it. */
export function tellCommitted(tx: Queryable): void {
  for (const tell of waiting.get(tx) ?? []) tell();
}

/** Tells people that sums were wrong: somebody else than the program wrote to the database. */
import { raiseAlert } from "../../alerts/raise.ts";
import type { Queryable } from "../../database/port.ts";

/** What was repaired: a session, or the sums of a day and kind of money. */
export type Repaired = { sessionId: string; number: number } | { day: string; simulated: boolean };

/** Once a day for each, so that a hand that goes on writing does not fill the chat. */
export async function alertRepair(tx: Queryable, repaired: Repaired, text: string): Promise<void> {
  const { rows: [{ today }] } = await tx.query<{ today: string }>(
    "SELECT (now() AT TIME ZONE 'UTC')::date::text AS today",
  );
  const ofDay = "day" in repaired;
  await raiseAlert(tx, {
    rule: "books_repaired",
    sessionId: ofDay ? null : repaired.sessionId,
    subject: ofDay ? `${today}:${repaired.day}${repaired.simulated ? ":simulated" : ""}` : today,
    text,
    detail: ofDay ? { day: repaired.day, simulated: repaired.simulated } : { number: repaired.number },
  });
}

/** Which calls a notebook speaks of: some days up to the newest call, and one kind of money. */
import type { Queryable } from "../../lib/database/port.ts";

/** Real and simulated money are never added up. */
export type Money = "real" | "simulated";

export interface Scope {
  /** First and last UTC day, YYYY-MM-DD, both included. */
  from: string;
  to: string;
  days: number;
  money: Money;
  /** Behind amounts of simulated money; empty for real money. */
  unpaid: "" | " (simulated)";
  /** Nothing was called yet: every figure is 0. */
  empty: boolean;
}

export interface ScopeOptions {
  /** Up to the newest call; 30 unless told. */
  days?: number;
  /** Real when any real call was made, unless told. */
  money?: Money;
}

interface Span {
  real: string | null;
  simulated: string | null;
  today: string;
}

export async function chooseScope(db: Queryable, { days = 30, money }: ScopeOptions = {}): Promise<Scope> {
  const { rows: [span] } = await db.query<Span>(
    `SELECT max(day) FILTER (WHERE NOT simulated)::text AS real, max(day) FILTER (WHERE simulated)::text AS simulated,
       (now() AT TIME ZONE 'UTC')::date::text AS today
     FROM paid_calls`,
  );
  const chosen = money ?? (span?.real || !span?.simulated ? "real" : "simulated");
  const last = span?.[chosen] ?? null;
  const to = last ?? span?.today ?? "1970-01-01";
  const from = new Date(Date.parse(to) - (days - 1) * 86_400_000).toISOString().slice(0, 10);
  return {
    from,
    to,
    days,
    money: chosen,
    unpaid: chosen === "simulated" ? " (simulated)" : "",
    empty: last === null,
  };
}

/** The condition on paid_calls that a scope stands for, with its parameters $1, $2, $3. */
export const IN_SCOPE = "c.day BETWEEN $1::date AND $2::date AND c.simulated = $3";

export function scopeParams({ from, to, money }: Scope): [string, string, boolean] {
  return [from, to, money === "simulated"];
}

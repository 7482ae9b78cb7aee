/**
 * Every request that the providers saw against the ledger's rows, one to one. A row belongs to the process that held
 * it, a request to the process whose door it came through, and a process has one call of an article out at a time: so
 * a request is of the last row held before it arrived. What a settled row says must be what that very answer said.
 */
import type { Queryable } from "../../lib/database/port.ts";
import type { ModelPrice } from "../../lib/budget/prices.ts";
import type { SeenRequest } from "../fakes/unreliable_providers.ts";
import type { ServiceRun } from "./service_run.ts";

export interface LedgerRow {
  call_id: number;
  article_id: number;
  kind: SeenRequest["kind"];
  state: "HELD" | "SETTLED" | "RELEASED" | "UNKNOWN";
  failure: string | null;
  amount: number;
  spent: number;
  overrun: number;
  input_tokens: number | null;
  output_tokens: number | null;
  credits: number | null;
  held_at: Date;
  ended_at: Date | null;
  /** Who held it. */
  actor: string;
}

export interface Comparison {
  violations: string[];
  requests: number;
  /** Requests that have a row of their own. */
  matched: number;
  rows: Record<LedgerRow["state"], number>;
  /** Rows without a request: given back unsent, or the process died before it sent. */
  rowsWithoutRequest: number;
  /** Requests that arrived when their call had been given up and charged already. */
  sentLate: number;
  /** Micro-dollars that the providers charge, lost answers included. */
  providersCharge: number;
  /** Micro-dollars that the ledger says, overrun included. */
  ledgerSays: number;
}

export interface WirePrices {
  model: ModelPrice;
  credit: number;
}

const ROWS = `
SELECT c.call_id, c.article_id, c.kind, c.state, c.failure, c.amount, c.spent, c.overrun, c.input_tokens,
  c.output_tokens, c.credits, c.held_at, c.ended_at, e.actor
FROM paid_calls c
LEFT JOIN session_events e ON e.call_id = c.call_id AND (e.detail ->> 'call' = 'HELD' OR e.to_state = 'HELD')
WHERE c.session_id = $1
ORDER BY c.call_id`;

export async function compareWire(
  db: Queryable,
  sessionId: string,
  requests: readonly SeenRequest[],
  runs: readonly ServiceRun[],
  prices: WirePrices,
): Promise<Comparison> {
  const { rows } = await db.query<LedgerRow>(ROWS, [sessionId]);
  const doors = nameDoors(rows, runs);
  const violations: string[] = [];
  const groups = new Map<string, LedgerRow[]>();
  for (const row of rows) {
    const door = doors.get(row.actor);
    if (door === undefined) violations.push(`call ${row.call_id}: which process is ${row.actor}?`);
    const key = `${door} ${row.kind} ${row.article_id}`;
    groups.set(key, [...groups.get(key) ?? [], row]);
  }
  const requestOf = new Map<LedgerRow, SeenRequest>();
  for (const request of requests) {
    const what = `a request (${request.kind}) about article ${request.article} through ${request.door}`;
    const held = groups.get(`${request.door} ${request.kind} ${request.article}`) ?? [];
    const row = held.findLast(({ held_at }) => held_at.getTime() <= request.arrivedAt + CLOCK_GRAIN_MS);
    if (!row) violations.push(`${what} has no row in the ledger`);
    else if (requestOf.has(row)) violations.push(`${what} is the second one of call ${row.call_id}`);
    else requestOf.set(row, request);
  }
  const states = { HELD: 0, SETTLED: 0, RELEASED: 0, UNKNOWN: 0 };
  let providersCharge = 0;
  let sentLate = 0;
  for (const row of rows) {
    states[row.state]++;
    const request = requestOf.get(row);
    const bill = request ? priceOf(request, prices) : 0;
    providersCharge += bill;
    if (request && row.ended_at && request.arrivedAt > row.ended_at.getTime() + CLOCK_GRAIN_MS) sentLate++;
    const fault = findFault(row, request, bill);
    if (fault) {
      violations.push(
        `call ${row.call_id} (${row.kind}, ${row.state}, ${row.failure ?? "no failure"}, answer: ${
          request?.trouble ?? "not asked"
        }): ${fault}`,
      );
    }
  }
  return {
    violations,
    requests: requests.length,
    matched: requestOf.size,
    rows: states,
    rowsWithoutRequest: rows.length - requestOf.size,
    sentLate,
    providersCharge,
    ledgerSays: rows.reduce((sum, row) => sum + row.spent + row.overrun, 0),
  };
}

/** Database and runner read the same clock, one of them in whole ms. */
const CLOCK_GRAIN_MS = 1;

/** Which door each worker's requests came through: as told, or the only process that lived when it wrote. */
function nameDoors(rows: readonly LedgerRow[], runs: readonly ServiceRun[]): Map<string, string> {
  const times = new Map<string, number[]>();
  for (const { actor, held_at } of rows) times.set(actor, [...times.get(actor) ?? [], held_at.getTime()]);
  const doors = new Map<string, string>();
  for (const [actor, held] of times) {
    const known = runs.filter((run) => run.workerId === actor);
    const alive = runs.filter((run) =>
      run.workerId === null && run.startedAt <= Math.min(...held) &&
      Math.max(...held) <= (run.endedAt ?? Infinity)
    );
    const [run, another] = known.length > 0 ? known : alive;
    if (run && !another) doors.set(actor, run.name);
  }
  return doors;
}

function priceOf({ bill }: SeenRequest, { model, credit }: WirePrices): number {
  return bill === null ? 0 : model.cost(bill) + bill.credits * credit;
}

/** Failures of calls that never left: given back by the worker, or kept in by an open circuit breaker. */
const UNSENT: ReadonlySet<string | null> = new Set(["not_sent", "circuit_open"]);

/** Failures of calls of which nobody can know whether they left: time may be up before a connection is made. */
const MAY_NOT_HAVE_LEFT: ReadonlySet<string | null> = new Set(["worker_lost", "cancelled", "timed_out"]);

/** What is wrong with a row, given its request and what the provider charges for it; null when nothing is. */
function findFault(row: LedgerRow, request: SeenRequest | undefined, bill: number): string | null {
  if (bill > row.spent + row.overrun) {
    return `the provider charges ${bill}, the ledger has ${row.spent} and ${row.overrun} of overrun`;
  }
  switch (row.state) {
    case "HELD":
      return "its hold was never ended";
    case "RELEASED":
      if (!request) return UNSENT.has(row.failure) ? null : "answered, but the provider saw no request";
      return UNSENT.has(row.failure) ? "said not to be sent, but it was" : null;
    case "UNKNOWN":
      if (request) return null;
      return MAY_NOT_HAVE_LEFT.has(row.failure) ? null : "lost on its way, but the provider saw no request";
    case "SETTLED":
      if (!request?.bill) return "charged for what the provider did not charge";
      if (!request.billTold) {
        return row.spent === row.amount ? null : "not told the bill, it must charge its hold";
      }
      return row.input_tokens === (row.kind === "search" ? null : request.bill.inputTokens) &&
          row.output_tokens === (row.kind === "search" ? null : request.bill.outputTokens) &&
          row.credits === (row.kind === "search" ? request.bill.credits : null)
        ? null
        : "settled with the usage of another answer";
  }
}

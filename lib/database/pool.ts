/**
 * The `pg` pool that both backends share. Error handlers stand on the pool and on every client: without them one
 * killed backend ends the whole process.
 */
import pg from "pg";
import { tellCommitted } from "./after_commit.ts";
import type { Database, Queryable } from "./port.ts";

/** A statement that takes longer is a fault of ours; the client gives up so that nothing hangs for ever. */
const QUERY_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;

export interface PoolOptions {
  kind: Database["kind"];
  where: string;
  max: number;
  connection: pg.PoolConfig;
  /** Told about connections that died while idle; they are replaced by themselves. */
  onConnectionError: (message: string) => void;
  /** Runs after the pool has closed: the owner of an embedded database stops its server here. */
  afterClose?: () => Promise<void>;
}

export function createPool(options: PoolOptions): Database {
  const pool = new pg.Pool({
    ...options.connection,
    max: options.max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser },
  });
  // The client's own listener tells; without one here the same error would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => {
    client.on("error", (error) => options.onConnectionError(error.message));
    connectionNames.set(client, crypto.randomUUID().slice(0, 8));
  });
  let closing: Promise<void> | undefined;
  const runPrepared = createPreparedRunner(pool);
  return {
    kind: options.kind,
    where: options.where,
    query: (text, params, prepareAs) =>
      prepareAs ? runPrepared(text, params, prepareAs) : run(pool, text, params),
    transaction: (work) => runTransaction(pool, work),
    close: () => closing ??= pool.end().then(() => options.afterClose?.()),
  };
}

async function run<Row extends object>(
  on: pg.Pool | pg.PoolClient,
  text: string,
  params: readonly unknown[] = [],
): Promise<{ rows: Row[]; rowCount: number }> {
  // One result for each statement of the text.
  const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await on.query<Row>(text, [...params]);
  if (Array.isArray(result)) return joinResults(result);
  return { rows: result.rows, rowCount: result.rowCount ?? 0 };
}

function joinResults<Row extends object>(results: pg.QueryResult<Row>[]): { rows: Row[]; rowCount: number } {
  return {
    rows: results.flatMap(({ rows }) => rows),
    rowCount: results.reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0),
  };
}

/**
 * A name is good for one connection. On the embedded database all connections share one backend and so one space of
 * names: there each connection adds a name of its own.
 */
const connectionNames = new WeakMap<object, string>();

/** The server does not know the name: a pooler sent the statement to another backend, or the names were dropped. */
const UNKNOWN_NAME = "26000";
/** It knows the name already: a pooler sent us to a backend that was somebody else's. */
const TAKEN_NAME = "42P05";
/** "cached plan must not change result type": a migration has changed a table since it was prepared. */
const STALE_PLAN = "0A000";

/**
 * Runs a statement under its name. `pg` believes that what it prepared once on a connection is there for good, so where
 * that is wrong the connection is thrown away and the statement runs again without a name. All three errors come before
 * anything is executed, and there is no transaction around it, so a repeat does nothing twice. Behind a pooler that hands
 * every transaction another backend names cannot work: one that is unknown or taken is the last one given here.
 */
function createPreparedRunner(pool: pg.Pool) {
  let namesWork = true;
  return async <Row extends object>(
    text: string,
    params: readonly unknown[] = [],
    prepareAs: string,
  ): Promise<{ rows: Row[]; rowCount: number }> => {
    if (namesWork) {
      const named = await runNamed<Row>(pool, text, params, prepareAs);
      if (typeof named !== "string") return named;
      if (named !== STALE_PLAN) namesWork = false;
    }
    return await run<Row>(pool, text, params);
  };
}

/** Resolves to the SQLSTATE when the name was at fault. */
async function runNamed<Row extends object>(
  pool: pg.Pool,
  text: string,
  params: readonly unknown[],
  prepareAs: string,
): Promise<{ rows: Row[]; rowCount: number } | string> {
  const client = await pool.connect();
  let broken = false;
  try {
    const name = `${prepareAs}_${connectionNames.get(client)}`;
    const result = await client.query<Row>({ name, text, values: [...params] });
    return { rows: result.rows, rowCount: result.rowCount ?? 0 };
  } catch (error) {
    // Without an SQLSTATE it is the connection that failed, not the statement.
    const code = error instanceof pg.DatabaseError ? error.code : undefined;
    const nameFailed = code === UNKNOWN_NAME || code === TAKEN_NAME || code === STALE_PLAN;
    broken = nameFailed || !(error instanceof pg.DatabaseError);
    if (!nameFailed) throw error;
    return code;
  } finally {
    client.release(broken);
  }
}

/**
 * A process that is stopped in the middle of a transaction (suspended, frozen, cut off) would keep its locks, and
 * everybody else waiting, for as long as it likes. The embedded database has its own rule for that (wire_server.ts).
 * LOCAL, because a setting of the connection does not pass through poolers.
 */
const BEGIN = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '20s'";

async function runTransaction<T>(pool: pg.Pool, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(BEGIN);
    const tx: Queryable = { query: (text, params) => run(client, text, params) };
    const result = await work(tx);
    await client.query("COMMIT");
    tellCommitted(tx);
    return result;
  } catch (error) {
    // A connection that cannot even roll back is thrown away; the server rolls back for it.
    await client.query("ROLLBACK").catch((rollbackError: Error) => broken = rollbackError);
    throw error;
  } finally {
    client.release(broken);
  }
}

const INT8_OID = 20;
const INT8_ARRAY_OID = 1016;

/** How values of PostgreSQL's types come back: as `port.ts` says. */
export function getTypeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  if (format !== "binary") {
    if (oid === INT8_OID) return parseInt8;
    if (oid === INT8_ARRAY_OID) {
      const parseArray = getBuiltinParser(INT8_ARRAY_OID) as (value: string) => (string | null)[];
      return (value) => parseArray(value).map((item) => item === null ? null : parseInt8(item));
    }
  }
  return getBuiltinParser(oid, format);
}

/** The published types list only scalar types; the function takes every OID. */
const getBuiltinParser = pg.types.getTypeParser as (
  oid: number,
  format?: "text" | "binary",
) => (value: string) => unknown;

/** bigint columns hold ids, counts and micro-dollars: all far below 2^53, and a defect if not. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`A bigint from the database is too large: ${text}`);
  return value;
}

/**
 * The `pg` pool that both backends share. Error handlers stand on the pool and on every client: without them one
 * killed backend ends the whole process.
 */
import pg from "pg";
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
  return {
    kind: options.kind,
    where: options.where,
    query: (text, params, prepareAs) =>
      prepareAs ? runPrepared(pool, text, params, prepareAs) : run(pool, text, params),
    transaction: (work) => runTransaction(pool, work),
    close: () => closing ??= pool.end().then(() => options.afterClose?.()),
  };
}

async function run<Row extends object>(
  on: pg.Pool | pg.PoolClient,
  text: string,
  params: readonly unknown[] = [],
): Promise<{ rows: Row[]; rowCount: number }> {
  const result = await on.query<Row>(text, [...params]);
  return { rows: result.rows, rowCount: result.rowCount ?? 0 };
}

/**
 * A name is good for one connection. On the embedded database all connections share one backend and so one space of
 * names: there each connection adds a name of its own.
 */
const connectionNames = new WeakMap<object, string>();

async function runPrepared<Row extends object>(
  pool: pg.Pool,
  text: string,
  params: readonly unknown[] = [],
  prepareAs: string,
): Promise<{ rows: Row[]; rowCount: number }> {
  const client = await pool.connect();
  let broken = false;
  try {
    const name = `${prepareAs}_${connectionNames.get(client)}`;
    const result = await client.query<Row>({ name, text, values: [...params] });
    return { rows: result.rows, rowCount: result.rowCount ?? 0 };
  } catch (error) {
    // Without an SQLSTATE it is the connection that failed, not the statement.
    broken = !(error instanceof pg.DatabaseError);
    throw error;
  } finally {
    client.release(broken);
  }
}

async function runTransaction<T>(pool: pg.Pool, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("BEGIN");
    const result = await work({ query: (text, params) => run(client, text, params) });
    await client.query("COMMIT");
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

function getTypeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
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

/**
 * Queries that cannot change anything. Each is one statement in a transaction of its own that is READ ONLY, runs as a
 * role that may only read where the login may take it, and ends with ROLLBACK.
 *
 * Why not a read-only session: all clients of the embedded database are one session of one backend, so what a SET
 * changes would change for the service too. Why ROLLBACK and not COMMIT: it takes back settings that a function made
 * (`set_config`). Advisory locks of the session survive even that, so they are let go by hand.
 */
import pg from "pg";
import { isConnectionLost } from "../../lib/database/connection_lost.ts";
import { getTypeParser } from "../../lib/database/pool.ts";
import type { Queryable } from "../../lib/database/port.ts";
import { messageOf, UserError } from "../../lib/errors.ts";

/** A question that takes longer is put wrongly. */
const STATEMENT_TIMEOUT_S = 30;
const CONNECT_TIMEOUT_MS = 10_000;
/** Questions at once. */
const CONNECTIONS = 2;

/** Built into PostgreSQL: SELECT on everything and nothing else, no functions that reach outside the database. */
const READER = "pg_read_all_data";
const BEGIN = "BEGIN READ ONLY; SET LOCAL idle_in_transaction_session_timeout = '20s'; " +
  "SET LOCAL statement_timeout = ";
const END = "ROLLBACK; SELECT pg_advisory_unlock_all()";

/** The extended protocol takes exactly one statement, with parameters or without. The published types lack it. */
type Statement = pg.QueryConfig & { queryMode: "extended" };

const READING = new Set(["select", "with", "values", "table", "explain", "show"]);

export interface Reader extends Queryable {
  /** Runs as a role that could not write even outside a READ ONLY transaction. */
  readonly asReader: boolean;
  close(): Promise<void>;
}

export interface ReaderOptions {
  /** Ends a question from outside. Without it the server does, which the embedded database cannot. */
  interrupt?: (() => Promise<void>) | undefined;
  /** How long a question may take, s. */
  timeoutS?: number;
}

/** Throws `UserError` when the database cannot be reached. */
export async function openReader(
  connection: pg.PoolConfig,
  where: string,
  { interrupt, timeoutS = STATEMENT_TIMEOUT_S }: ReaderOptions = {},
): Promise<Reader> {
  const pool = new pg.Pool({
    ...connection,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // A server that ends a question itself says so first.
    query_timeout: (interrupt ? timeoutS : timeoutS + 5) * 1000,
    allowExitOnIdle: true,
    types: { getTypeParser },
  });
  // Without listeners a connection that dies while idle would end the kernel.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  try {
    const asReader = await mayBecomeReader(pool);
    const limited = `${BEGIN}'${timeoutS}s'`;
    const begin = asReader ? `${limited}; SET LOCAL ROLE ${READER}` : limited;
    const read: Queryable["query"] = (text, params) => readOnce({ pool, begin, timeoutS }, text, params);
    return {
      asReader,
      query: interrupt ? oneAtATime(interruptible(read, interrupt, timeoutS)) : read,
      close: () => pool.end(),
    };
  } catch (error) {
    await pool.end();
    throw new UserError(`Cannot read from ${where}: ${messageOf(error)}. Check that it runs and the address`);
  }
}

/** What `pg` says when no answer comes in time; it gives no code. */
const NO_ANSWER = "Query read timeout";

function interruptible(
  read: Queryable["query"],
  interrupt: () => Promise<void>,
  timeoutS: number,
): Queryable["query"] {
  return async (text, params) => {
    try {
      return await read(text, params);
    } catch (error) {
      if (!(error instanceof Error) || error.message !== NO_ANSWER) throw error;
      await interrupt();
      throw gaveUp(timeoutS, "the question was ended");
    }
  };
}

/** A question that waits for another one must not be ended with it. */
function oneAtATime(read: Queryable["query"]): Queryable["query"] {
  let before: Promise<unknown> = Promise.resolve();
  return (text, params) => {
    const own = before.then(() => read(text, params));
    before = own.catch(() => {});
    // The caller says what a row is; a chain cannot.
    return own as ReturnType<typeof read<never>>;
  };
}

function gaveUp(timeoutS: number, why: string): UserError {
  return new UserError(`Gave up after ${timeoutS} s: ${why}. Ask for less, or narrow the time`);
}

interface Asking {
  pool: pg.Pool;
  begin: string;
  timeoutS: number;
}

/** Throws `UserError` for what is not a question, and for what the database refuses because it would write. */
async function readOnce<Row extends object>(
  { pool, begin, timeoutS }: Asking,
  text: string,
  params: readonly unknown[] = [],
): Promise<{ rows: Row[]; rowCount: number }> {
  assertReading(text);
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const statement: Statement = { text, values: [...params], queryMode: "extended" };
    const { rows, rowCount } = await client.query<Row>(statement);
    return { rows, rowCount: rowCount ?? 0 };
  } catch (error) {
    if (isConnectionLost(error) || !(error instanceof pg.DatabaseError)) broken = error as Error;
    throw explain(error, timeoutS);
  } finally {
    if (!broken) await client.query(END).catch((error: Error) => broken = error);
    client.release(broken);
  }
}

function assertReading(text: string): void {
  const bare = text.replace(/\/\*[\s\S]*?\*\/|--[^\n]*/g, " ").replace(/^[\s(;]+/, "");
  const [word = ""] = bare.match(/^[a-z]+/i) ?? [];
  if (READING.has(word.toLowerCase())) return;
  throw new UserError(
    `A notebook only reads: wanted a statement that begins with SELECT, WITH, VALUES, TABLE, EXPLAIN or SHOW, ` +
      `got ${word === "" ? "nothing" : JSON.stringify(word)}. Changes are made with the desk's commands`,
  );
}

/** read_only_sql_transaction and insufficient_privilege. */
const REFUSED = new Set(["25006", "42501"]);
const SEVERAL_STATEMENTS = /multiple commands/;
const QUERY_CANCELLED = "57014";

function explain(error: unknown, timeoutS: number): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  if (REFUSED.has(error.code ?? "")) {
    return new UserError(
      `A notebook only reads: ${error.message}. Changes are made with the desk's commands`,
    );
  }
  if (SEVERAL_STATEMENTS.test(error.message)) {
    return new UserError("A notebook asks one thing at a time: wanted one statement, got several");
  }
  if (error.code === QUERY_CANCELLED) {
    return gaveUp(timeoutS, error.message);
  }
  return error;
}

/** A superuser may, and whoever was granted it; everybody else reads as himself, in READ ONLY transactions. */
async function mayBecomeReader(pool: pg.Pool): Promise<boolean> {
  const client = await pool.connect();
  try {
    await client.query(`BEGIN READ ONLY; SET LOCAL ROLE ${READER}; SELECT count(*) FROM pg_class`);
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError) return false;
    throw error;
  } finally {
    const failure = await client.query("ROLLBACK").then(() => undefined, (error: Error) => error);
    client.release(failure);
  }
}

/** SQLSTATE classes of a server that is stopping, starting or cut the connection, 25P03 for a transaction gone silent. */
const LOST_STATES = /^(08|57P0[1-3]|25P03)/;
const LOST_CODES = new Set(["ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE", "ETIMEDOUT"]);
const SOCKET_CALLS = new Set<unknown>(["connect", "read", "write"]);
/** What `pg` says without a code. */
const LOST_TEXTS =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/;

/** True for a query that failed because the database went away, not because of what was asked. */
export function isConnectionLost(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code, syscall } = thrown as { code?: unknown; syscall?: unknown };
  if (LOST_TEXTS.test(thrown.message)) return true;
  if (typeof code !== "string") return false;
  // The system's codes also belong to files; only those of a socket are meant.
  return LOST_STATES.test(code) || (LOST_CODES.has(code) && SOCKET_CALLS.has(syscall));
}

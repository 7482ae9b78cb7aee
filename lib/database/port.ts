/**
 * What the rest of Nightdesk may ask of a database. Both backends are PostgreSQL and both are reached with
 * `pg`, so SQL, types and error codes are the same; only `connect.ts` knows which one it is.
 *
 * Rows come back with bigint as `number` (refused past 2^53), timestamptz as `Date`, jsonb parsed.
 */
export interface Queryable {
  /**
   * Runs one statement. `params` are sent apart from the text, never pasted into it. Without params the text may hold
   * several statements, parted by semicolons: then the rows of all of them come back, one after the other.
   * @param prepareAs A name of its own for a statement that runs all the time: it is planned once a connection.
   */
  query<Row extends object = Record<string, unknown>>(
    text: string,
    params?: readonly unknown[],
    prepareAs?: string,
  ): Promise<{ rows: Row[]; rowCount: number }>;
}

export interface Database extends Queryable {
  readonly kind: "embedded" | "postgres";
  /** Where the data is, fit for a person to read: no password in it. */
  readonly where: string;
  /**
   * Runs `work` inside one transaction on one connection. Keep it short and never await anything but
   * queries inside: on the embedded database an open transaction makes every other client wait.
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import pg from "pg";
import type { Database } from "../../lib/database/port.ts";
import { joinRunning } from "../../lib/database/embedded/embedded.ts";
import { UserError } from "../../lib/errors.ts";
import { openReader, type Reader } from "../../notebooks/kit/read_only.ts";
import { openSource } from "../../notebooks/kit/source.ts";
import { addArticles, addSession } from "../helpers/articles.ts";
import { openTestDatabase, SERVER, type TestDatabase } from "../helpers/database.ts";
import { micros } from "../../lib/money.ts";
import { runScript } from "./run_cells.ts";

let test: TestDatabase;
let db: Database;
let reader: Reader;

beforeAll(async () => {
  test = await openTestDatabase();
  db = test.db;
  const articles = await addArticles(db, 3);
  await addSession(db, { articles, budget: micros(100_000) });
  await db.query(`CREATE FUNCTION change_all() RETURNS integer LANGUAGE plpgsql AS $$
    BEGIN UPDATE articles SET title = 'changed'; RETURN 1; END $$`);
  await db.query(`CREATE FUNCTION switch_and_change() RETURNS integer LANGUAGE plpgsql AS $$
    BEGIN SET TRANSACTION READ WRITE; UPDATE articles SET title = 'changed'; RETURN 1; END $$`);
  await db.query(`CREATE PROCEDURE commit_and_change() LANGUAGE plpgsql AS $$
    BEGIN COMMIT; UPDATE articles SET title = 'changed'; COMMIT; END $$`);
  reader = await openTestReader();
});

afterAll(async () => {
  await reader.close();
  await test.close();
});

/** As a notebook would reach it while this process serves it. */
async function openTestReader(): Promise<Reader> {
  const { databaseUrl, dataDir } = test.settings;
  if (databaseUrl !== null) {
    const { connection, where } = await openSource({ databaseUrl, dataDir, dataDirName: dataDir });
    return await openReader(connection, where);
  }
  const joined = await joinRunning(dataDir);
  if (!joined) throw new Error("the test's database is not served");
  return await openReader(joined.connection, "the test's database");
}

/** Everything that a write could have changed. */
async function fingerprint(): Promise<unknown> {
  const { rows } = await db.query(
    `SELECT (SELECT jsonb_agg(a ORDER BY id) FROM articles a) AS articles,
       (SELECT jsonb_agg(s) FROM batch_processing_sessions s) AS sessions,
       (SELECT jsonb_agg(d) FROM day_budgets d) AS days,
       (SELECT count(*) FROM session_events) AS events,
       (SELECT last_value FROM articles_id_seq) AS sequence,
       (SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'S')) AS relations,
       (SELECT count(*) FROM pg_largeobject_metadata) AS objects,
       (SELECT count(*) FROM pg_roles) AS roles, current_setting('search_path') AS path,
       current_setting('default_transaction_read_only') AS read_only, current_user AS role`,
  );
  return rows[0];
}

const WRITES = [
  "INSERT INTO workers (worker_id, role) VALUES ('w', 'r')",
  "UPDATE articles SET title = 'changed'",
  "DELETE FROM articles",
  "TRUNCATE articles CASCADE",
  "MERGE INTO articles USING (SELECT 1) AS x ON true WHEN MATCHED THEN DELETE",
  "CREATE TABLE intruder (n integer)",
  "CREATE TEMP TABLE intruder (n integer)",
  "DROP TABLE articles CASCADE",
  "ALTER TABLE articles ADD COLUMN intruder integer",
  "GRANT ALL ON articles TO PUBLIC",
  "COPY articles TO STDOUT",
  "COPY workers FROM STDIN",
  "DO $$ BEGIN UPDATE articles SET title = 'changed'; END $$",
  "DO $$ BEGIN COMMIT; UPDATE articles SET title = 'changed'; END $$",
  "CALL commit_and_change()",
  "SET TRANSACTION READ WRITE",
  "SET default_transaction_read_only = off",
  "RESET ROLE",
  "COMMIT",
  "ROLLBACK",
  "BEGIN",
  "PREPARE TRANSACTION 'x'",
  "LISTEN intruder",
  "NOTIFY intruder",
  "LOCK TABLE articles",
  "VACUUM",
  "REFRESH MATERIALIZED VIEW intruder",
  "WITH gone AS (DELETE FROM articles RETURNING id) SELECT * FROM gone",
  "WITH made AS (INSERT INTO workers (worker_id, role) VALUES ('w', 'r') RETURNING *) SELECT * FROM made",
  "EXPLAIN ANALYZE DELETE FROM articles",
  "SELECT * INTO intruder FROM articles",
  "SELECT * FROM articles FOR UPDATE",
  "SELECT nextval('articles_id_seq')",
  "SELECT setval('articles_id_seq', 99)",
  "SELECT change_all()",
  "SELECT switch_and_change()",
  "SELECT set_config('transaction_read_only', 'off', true), change_all()",
  "SELECT set_config('transaction_read_only', 'off', false)",
  "SELECT 1; UPDATE articles SET title = 'changed'",
  "SELECT 1; COMMIT; UPDATE articles SET title = 'changed'",
  "/* SELECT */ UPDATE articles SET title = 'changed'",
  "-- SELECT\nUPDATE articles SET title = 'changed'",
  "",
];

describe("a notebook's query", () => {
  it.each(WRITES)("cannot write: %s", async (statement) => {
    const before = await fingerprint();
    await expect(reader.query(statement)).rejects.toThrow();
    expect(await fingerprint()).toEqual(before);
  });

  it.each([
    ["settings", "SELECT set_config('search_path', 'intruder', false), set_config('role', 'none', false)"],
    ["large objects", "SELECT lo_creat(-1)"],
    ["notifications", "SELECT pg_notify('intruder', 'x')"],
  ])("leaves nothing behind: %s", async (_what, statement) => {
    const before = await fingerprint();
    await reader.query(statement).catch(() => {});
    expect(await fingerprint()).toEqual(before);
    const { rows } = await reader.query("SELECT current_setting('search_path') AS path");
    expect(rows).toEqual([{ path: (before as { path: string }).path }]);
  });

  it("keeps no lock that would keep a session from starting", async () => {
    await reader.query("SELECT pg_advisory_lock(4815162342), pg_advisory_xact_lock(7)");
    const { rows } = await db.query("SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory'");
    expect(rows).toEqual([{ locks: 0 }]);
  });

  it("is refused in one line that says what is wanted", async () => {
    await expect(reader.query("update articles set title = 'x'")).rejects.toThrow(UserError);
    await expect(reader.query("update articles set title = 'x'")).rejects.toThrow(
      /^A notebook only reads: wanted a statement that begins with SELECT, .*, got "update"\. Changes are made with the desk's commands$/,
    );
    await expect(reader.query("SELECT 1; SELECT 2")).rejects.toThrow(
      "A notebook asks one thing at a time: wanted one statement, got several",
    );
  });

  it("reads what the desk reads, with parameters, exact money, dates and parsed json", async () => {
    const { rows } = await reader.query(
      "SELECT s.budget, s.started_at, s.settings, $1::text AS given FROM batch_processing_sessions s",
      ["'; DROP TABLE articles; --"],
    );
    expect(rows).toEqual([{
      budget: 100_000,
      started_at: expect.any(Date),
      settings: expect.objectContaining({ batchSize: 10 }),
      given: "'; DROP TABLE articles; --",
    }]);
  });

  it.each([
    "( SELECT 1 AS n )",
    "-- why\nSELECT 1 AS n",
    "/* why */ VALUES (1)",
    "TABLE workers",
    "EXPLAIN SELECT 1",
    "SHOW server_version",
  ])("may be written as: %s", async (statement) => {
    expect((await reader.query(statement)).rowCount).toBeGreaterThanOrEqual(0);
  });

  it("does not disturb those who write at the same time", async () => {
    const reading = Array.from({ length: 30 }, () => reader.query("SELECT count(*) FROM articles"));
    for (let times = 0; times < 20; times++) {
      await db.transaction(async (tx) => {
        await tx.query("UPDATE workers SET seen_at = now()");
        await tx.query("INSERT INTO workers (worker_id, role) VALUES ($1, 'test')", [`w${times}`]);
      });
    }
    await Promise.all(reading);
    const { rows } = await reader.query("SELECT count(*) AS n FROM workers");
    expect(rows).toEqual([{ n: 20 }]);
  });

  it("runs as a role that may only read, because this login may become it", async () => {
    expect(reader.asReader).toBe(true);
    expect((await reader.query("SELECT current_user AS role")).rows).toEqual([{ role: "pg_read_all_data" }]);
    await expect(reader.query("SELECT pg_read_file('PG_VERSION')")).rejects.toThrow(/permission denied/);
  });
});

describe.skipIf(!SERVER)("on a server (skipped without TEST_DATABASE_URL)", () => {
  const owner = `nd_owner_${Deno.pid}`;
  const guest = `nd_guest_${Deno.pid}`;

  beforeAll(async () => {
    for (const role of [owner, guest]) await db.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'`);
    await db.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${owner}`);
    await db.query(`GRANT pg_read_all_data TO ${guest}`);
  });

  afterAll(async () => {
    await db.query(`DROP OWNED BY ${owner}, ${guest}`);
    for (const role of [owner, guest]) await db.query(`DROP ROLE ${role}`);
  });

  function urlFor(role: string): string {
    const url = new URL(test.settings.databaseUrl ?? "");
    url.username = role;
    url.password = "p";
    return url.href;
  }

  async function readAs<T>(role: string, work: (reader: Reader) => Promise<T>): Promise<T> {
    const source = await openSource({ databaseUrl: urlFor(role), dataDir: "", dataDirName: "" });
    const own = await openReader(source.connection, source.where);
    return await work(own).finally(() => own.close());
  }

  it("the session itself is read-only too, and gives up after a while", async () => {
    const { rows } = await reader.query(
      "SELECT current_setting('default_transaction_read_only') AS read_only, current_setting('statement_timeout') AS timeout",
    );
    expect(rows).toEqual([{ read_only: "on", timeout: "30s" }]);
  });

  it("a login that may write and not become the reader reads in read-only transactions", async () => {
    await readAs(owner, async (own) => {
      expect(own.asReader).toBe(false);
      expect((await own.query("SELECT count(*) AS n FROM articles")).rows).toEqual([{ n: 3 }]);
      await expect(own.query("WITH x AS (DELETE FROM articles RETURNING 1) SELECT * FROM x")).rejects.toThrow(
        /read-only/,
      );
    });
  });

  it("a login that cannot become the reader is told what that leaves open, and the GRANT that closes it", async () => {
    const script = `import { desk, show } from "./desk.ts"; await show(desk); await desk.close();`;
    const { stdout, stderr } = await runScript(script, { DATABASE_URL: urlFor(owner) });
    expect(stderr).toBe("");
    expect(stdout).toContain(`GRANT pg_read_all_data TO ${owner} closes that.`);
    const closed = await runScript(script, { DATABASE_URL: urlFor(guest) });
    expect(closed.stdout).toMatch(/^Reading the PostgreSQL server/);
    expect(closed.stdout).not.toContain("GRANT");
  });

  it("a login of its own that may read and nothing else is enough", async () => {
    await readAs(guest, async (own) => {
      expect(own.asReader).toBe(true);
      expect((await own.query("SELECT count(*) AS n FROM articles")).rows).toEqual([{ n: 3 }]);
      // It cannot end the service's connections.
      const { rows: [{ pid }] } = await db.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      await expect(own.query("SELECT pg_terminate_backend($1)", [pid])).rejects.toThrow(
        /permission denied|must be/i,
      );
    });
  });

  it("a server that is not there is told in one line, without the password", async () => {
    const url = "postgres://user:geheim@127.0.0.1:9/none";
    const source = await openSource({ databaseUrl: url, dataDir: "", dataDirName: "" });
    const failed = openReader(source.connection, source.where);
    await expect(failed).rejects.toThrow(/^Cannot read from the PostgreSQL server 127\.0\.0\.1:9\/none: /);
    await expect(failed).rejects.not.toThrow(/geheim/);
  });

  it("uses no connection for longer than a question", async () => {
    await reader.query("SELECT 1");
    const client = new pg.Client({ connectionString: test.settings.databaseUrl ?? "" });
    await client.connect();
    const { rows } = await client.query(
      `SELECT state FROM pg_stat_activity WHERE application_name = 'nightdesk notebook' AND datname = current_database()`,
    );
    await client.end();
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["idle"]));
  });
});

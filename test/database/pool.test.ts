import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { describeUrl, openDatabase } from "../../lib/database/connect.ts";
import { isConnectionLost } from "../../lib/database/connection_lost.ts";
import type { Database } from "../../lib/database/port.ts";
import { messageOf, UserError } from "../../lib/errors.ts";
import { openTestDatabase, SERVER, type TestDatabase } from "../helpers/database.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
  await test.db.query("CREATE TABLE noted (n bigint)");
});
afterAll(() => test.close());

describe("the pool", () => {
  it("gives bigint as number, timestamptz as Date and jsonb parsed, and refuses what a number cannot hold", async () => {
    const { rows: [row] } = await test.db.query(
      `SELECT 9007199254740991::bigint AS big, ARRAY[1, NULL]::bigint[] AS many, '{"a": [1]}'::jsonb AS json,
         '2026-01-02T03:04:05Z'::timestamptz AS at`,
    );
    expect(row).toEqual({
      big: Number.MAX_SAFE_INTEGER,
      many: [1, null],
      json: { a: [1] },
      at: new Date("2026-01-02T03:04:05Z"),
    });
    await expect(test.db.query("SELECT 9007199254740992::bigint")).rejects.toThrow(/too large/);
    expect((await test.db.query("SELECT 1 AS n")).rows).toEqual([{ n: 1 }]);
  });

  it("gives the rows of every statement of a text, one after the other", async () => {
    expect(await test.db.query("SELECT 1 AS n; SELECT 2 AS n UNION SELECT 3 ORDER BY n")).toEqual({
      rows: [{ n: 1 }, { n: 2 }, { n: 3 }],
      rowCount: 3,
    });
  });

  it("commits a transaction as a whole", async () => {
    const sum = await test.db.transaction(async (tx) => {
      for (const n of [1, 2]) await tx.query("INSERT INTO noted VALUES ($1)", [n]);
      return (await tx.query<{ sum: number }>("SELECT sum(n)::bigint AS sum FROM noted")).rows[0].sum;
    });
    expect(sum).toBe(3);
    expect((await test.db.query("SELECT n FROM noted")).rowCount).toBe(2);
  });

  it("rolls a transaction back when its work fails, in SQL or outside, and is free for the next", async () => {
    await test.db.query("TRUNCATE noted");
    for (const fail of ["SELECT 1 / 0", null]) {
      await expect(test.db.transaction(async (tx) => {
        await tx.query("INSERT INTO noted VALUES (1)");
        if (fail) await tx.query(fail);
        throw new Error("division of labour failed");
      })).rejects.toThrow(/division/);
    }
    expect((await test.db.query("SELECT n FROM noted")).rowCount).toBe(0);
  });

  it("runs more transactions at once than it has connections", async () => {
    await test.db.query("TRUNCATE noted");
    await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        test.db.transaction(async (tx) => {
          await tx.query("INSERT INTO noted VALUES ($1)", [n]);
          await tx.query("SELECT 1");
        })),
    );
    expect((await test.db.query("SELECT DISTINCT n FROM noted")).rowCount).toBe(30);
  });
});

describe("a statement with a name", () => {
  const ONE = "INSERT INTO noted SELECT $1::bigint RETURNING n";
  let database: Database;

  beforeEach(async () => {
    ({ database } = await openDatabase({ ...test.settings, role: "test", onConnectionError: () => {} }));
    await test.db.query("TRUNCATE noted");
  });
  afterEach(() => database.close());

  /** Runs `text` on `many` connections of the pool, each of which has run the statement by its name. */
  async function onConnections(many: number, text: string): Promise<void> {
    const ready = Promise.withResolvers<void>();
    let open = 0;
    await Promise.all(Array.from({ length: many }, () =>
      database.transaction(async (tx) => {
        if (++open === many) ready.resolve();
        await ready.promise;
        await tx.query(text);
      })));
  }

  async function insert(n: number): Promise<unknown[]> {
    return (await database.query(ONE, [n], "one")).rows;
  }

  // On the embedded database an open transaction has the one backend for itself.
  const many = () => database.kind === "postgres" ? 3 : 1;

  async function insertOnAll(): Promise<void> {
    await onConnections(many(), "SELECT 1");
    await Promise.all(Array.from({ length: many() }, (_, n) => insert(n)));
  }

  /** How many connections have the statement by its name. */
  async function countNames(key: string): Promise<number> {
    return (await database.query("SELECT FROM pg_prepared_statements WHERE name LIKE $1", [`${key}\\_%`]))
      .rowCount;
  }

  it("is run once, and without a name from then on, where the server has forgotten its name", async () => {
    await insertOnAll();
    expect(await countNames("one")).toBeGreaterThan(0);
    await onConnections(many(), "DEALLOCATE ALL");
    await test.db.query("TRUNCATE noted");
    expect(await Promise.all([10, 11, 12].map(insert))).toEqual([[{ n: 10 }], [{ n: 11 }], [{ n: 12 }]]);
    expect((await test.db.query("SELECT n FROM noted ORDER BY n")).rows).toEqual([
      { n: 10 },
      { n: 11 },
      { n: 12 },
    ]);
    await onConnections(many(), "DEALLOCATE ALL");
    for (const n of [20, 21, 22]) await insert(n);
    expect(await countNames("one")).toBe(0);
  });

  it("is run once where the server has its name from somebody else", async () => {
    await database.query(ONE, [1], "first");
    const { rows: [{ name }] } = await database.query<{ name: string }>(
      "SELECT name FROM pg_prepared_statements WHERE name LIKE 'first_%'",
    );
    // What the next statement of this connection will be called.
    await database.query(`PREPARE ${name.replace(/^first_/, "second_")} AS SELECT 1`);
    expect((await database.query(ONE, [2], "second")).rows).toEqual([{ n: 2 }]);
    expect((await test.db.query("SELECT n FROM noted ORDER BY n")).rows).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it("goes on by its name after a migration that changed what it gives", async () => {
    await test.db.query("CREATE TABLE changing AS SELECT 1 AS n");
    const read = async () => (await database.query("SELECT * FROM changing", [], "changing")).rows;
    expect(await read()).toEqual([{ n: 1 }]);
    await test.db.query("ALTER TABLE changing ADD COLUMN more text");
    expect(await read()).toEqual([{ n: 1, more: null }]);
    expect(await read()).toEqual([{ n: 1, more: null }]);
    // On the embedded database the connection that was thrown away has left its name behind.
    expect(await countNames("changing")).toBe(database.kind === "postgres" ? 1 : 2);
    await test.db.query("DROP TABLE changing");
  });

  it("fails as any other when it is at fault itself, and is tried once", async () => {
    await expect(database.query("SELECT 1 / $1::int AS n", [0], "divide")).rejects.toThrow(
      "division by zero",
    );
    expect((await database.query("SELECT 1 / $1::int AS n", [1], "divide")).rows).toEqual([{ n: 1 }]);
    expect(await countNames("divide")).toBe(1);
  });
});

// The embedded database has one backend for everybody: there is no connection of its own to cut.
describe.skipIf(!SERVER)("the pool on a server whose connections are cut", () => {
  const CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
    "WHERE datname = current_database() AND pid <> pg_backend_pid()";

  it("replaces idle ones without a failed query, and tells each once", async () => {
    const told: string[] = [];
    const { database } = await openDatabase({
      ...test.settings,
      role: "test",
      onConnectionError: (message) => told.push(message),
    });
    await Promise.all(Array.from({ length: 5 }, () => database.query("SELECT pg_sleep(0.05)")));
    await test.db.query(CUT);
    await expect.poll(() => told.length).toBe(5);
    await Promise.all(Array.from({ length: 5 }, () => database.query("SELECT 1")));
    expect(told).toHaveLength(5);
    await database.close();
  });

  it("rejects the queries and transactions that were on them, and goes on with the next", async () => {
    const { database } = await openDatabase({ ...test.settings, role: "test", onConnectionError: () => {} });
    const busy = [
      database.query("SELECT pg_sleep(60)"),
      database.transaction((tx) => tx.query("SELECT pg_sleep(60)")),
    ].map((work) => work.then(() => null, (error: unknown) => error));
    const sleeping = () =>
      test.db.query("SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'");
    await expect.poll(async () => (await sleeping()).rowCount).toBe(2);
    await test.db.query(CUT);
    for (const error of await Promise.all(busy)) expect(isConnectionLost(error)).toBe(true);
    expect((await database.query("SELECT 1 AS n")).rows).toEqual([{ n: 1 }]);
    await database.close();
  });
});

describe("a server that cannot be used", () => {
  const refusal = (databaseUrl: string) =>
    openDatabase({ databaseUrl, dataDir: "", role: "test", onConnectionError: () => {} })
      .then(() => null, (error: unknown) => error);

  it("is named in one line without its password", async () => {
    const error = await refusal("postgres://someone:opensesame@localhost:1/nights");
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(
      /^Cannot open the database localhost:1\/nights: .*ECONNREFUSED.*Check DATABASE_URL[^\n]*$/,
    );
    expect((error as UserError).message).not.toContain("opensesame");
  });

  it("is told from one that hangs up while we say hello", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    expect(messageOf(await refusal(`postgres://a@127.0.0.1:${port}/b`))).toMatch(/Connection terminated/);
    server.close();
  });

  it("has an error with every address it was tried at", () => {
    expect(messageOf(new AggregateError([new Error("no route"), new Error("refused")]))).toBe(
      "no route; refused",
    );
    expect(describeUrl("postgres://u:p@/x?host=/run")).not.toContain("p@");
  });
});

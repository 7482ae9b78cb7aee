import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeUrl, openDatabase } from "../../lib/database/connect.ts";
import { isConnectionLost } from "../../lib/database/connection_lost.ts";
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

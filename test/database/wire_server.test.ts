import { PGlite } from "@electric-sql/pglite";
import { once } from "node:events";
import { join as joinPath } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { serveWire } from "../../lib/database/embedded/wire_server.ts";
import { makeEmbeddedFolder } from "../helpers/embedded.ts";
import { endProcesses, startChild } from "../helpers/process.ts";
import { connectRaw, join, message, parse, query, say } from "../helpers/wire.ts";

/** Long enough for a client that works, short enough to wait for one that does not. */
const SILENT_MS = 400;
const SOCKET = ".s.PGSQL.5432";

let folder: string;
let db: PGlite;
let server: { close(): Promise<void> };
const clients: pg.Client[] = [];

beforeAll(async () => {
  folder = await makeEmbeddedFolder();
  db = await PGlite.create({ dataDir: joinPath(folder, "postgres") });
  server = await serveWire(db, joinPath(folder, SOCKET), SILENT_MS);
});
afterEach(async () => {
  await endProcesses();
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => {})));
});
afterAll(async () => {
  await server.close();
  await db.close();
  await Deno.remove(folder, { recursive: true });
});

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ host: folder, user: "postgres", database: "postgres" });
  client.on("error", () => {});
  await client.connect();
  clients.push(client);
  return client;
}

describe("the wire server", () => {
  it("never mixes the parameterised statements of eight connections at once", async () => {
    const connected = await Promise.all(Array.from({ length: 8 }, connect));
    const answers = await Promise.all(
      connected.flatMap((client, who) =>
        Array.from({ length: 25 }, async (_, n) => {
          const { rows } = await client.query("SELECT $1::int AS who, $2::int AS n, $3::text AS text", [
            who,
            n,
            "x".repeat(n * 100),
          ]);
          return [who, n, rows] as const;
        })
      ),
    );
    for (const [who, n, rows] of answers) expect(rows).toEqual([{ who, n, text: "x".repeat(n * 100) }]);
  });

  it("isolates the transactions of two clients: neither sees what the other has not committed", async () => {
    const [one, two] = await Promise.all([connect(), connect()]);
    await one.query("CREATE TABLE seen (who text)");
    await one.query("BEGIN");
    await one.query("INSERT INTO seen VALUES ('one')");
    const other = two.query("BEGIN").then(() => two.query("SELECT who FROM seen"));
    await one.query("INSERT INTO seen VALUES ('one again')");
    await one.query("ROLLBACK");
    expect((await other).rows).toEqual([]);
    await two.query("COMMIT");
  });

  it("rolls back for a process that is killed inside its transaction and serves the next at once", async () => {
    const child = startChild("hold_transaction", { SOCKET_FOLDER: folder });
    await child.printed(/open/);
    const client = await connectWhileBusy();
    const answer = client.query("SELECT to_regclass('half_done') AS left_over");
    child.kill("SIGKILL");
    expect((await answer).rows).toEqual([{ left_over: null }]);
  });

  it("cuts off a client that opened a transaction and then says nothing", async () => {
    const [silent, next] = await Promise.all([connect(), connect()]);
    await silent.query("BEGIN");
    await silent.query("CREATE TABLE of_the_silent (n integer)");
    const cut = new Promise<void>((resolve) => silent.once("end", resolve));
    const { rows } = await next.query("SELECT to_regclass('of_the_silent') AS left_over");
    expect(rows).toEqual([{ left_over: null }]);
    await cut;
  });

  it("cleans up after a client that left in the middle of a failed statement", async () => {
    const raw = await connectRaw(joinPath(folder, SOCKET));
    await say(raw, query("BEGIN"));
    expect(await say(raw, join(parse("SELEC nonsense"), message("H")))).toMatch(/syntax error/);
    raw.destroy();
    const client = await connect();
    expect((await client.query("SELECT now() = statement_timestamp() AS fresh")).rows).toEqual([
      { fresh: true },
    ]);
  });

  it("passes a row of 5 MB both ways", async () => {
    const client = await connect();
    await client.query("CREATE TABLE huge (body text)");
    const body = "Bitcoin ".repeat(655_360);
    await client.query("INSERT INTO huge VALUES ($1)", [body]);
    const { rows: [row] } = await client.query("SELECT body FROM huge");
    expect(row.body === body).toBe(true);
  });

  it("leaves the connection usable after a statement that failed, simple or with parameters", async () => {
    const client = await connect();
    await expect(client.query("SELECT 1 / 0")).rejects.toThrow(/division by zero/);
    await expect(client.query("SELECT $1::int / 0", [1])).rejects.toThrow(/division by zero/);
    await expect(client.query("SELECT FROM nowhere WHERE a = $1", [1])).rejects.toThrow(/nowhere/);
    expect((await client.query("SELECT $1::int AS n", [7])).rows).toEqual([{ n: 7 }]);
  });

  it("answers every statement of a simple query that holds several", async () => {
    const client = await connect();
    const results = await client.query("SELECT 1 AS n; SELECT 2 AS n; SELECT 3 AS n") as unknown;
    expect((results as pg.QueryResult<{ n: number }>[]).map(({ rows }) => rows[0].n)).toEqual([1, 2, 3]);
  });

  it("refuses COPY FROM STDIN as an error of that statement, simple or extended, and lives on", async () => {
    const client = await connect();
    await client.query("CREATE TABLE copied (n integer)");
    await expect(client.query("COPY copied FROM STDIN")).rejects.toThrow(/takes no COPY FROM STDIN/);
    // A statement with a name goes the extended way.
    await expect(client.query({ text: "COPY copied FROM STDIN", name: "copy" })).rejects.toThrow(
      /takes no COPY FROM STDIN/,
    );
    expect((await client.query("SELECT count(*)::int AS n FROM copied")).rows).toEqual([{ n: 0 }]);
  });

  it("hangs up on what is not the protocol and serves the others on", async () => {
    const client = await connect();
    const raw = await connectRaw(joinPath(folder, SOCKET));
    const closed = once(raw, "close");
    raw.resume().write(new Uint8Array(64).fill(0xff));
    await closed;
    expect((await client.query("SELECT 1 AS n")).rows).toEqual([{ n: 1 }]);
  });
});

/** A connection whose hello waits behind somebody else's transaction. */
function connectWhileBusy(): Promise<pg.Client> {
  const client = new pg.Client({ host: folder, user: "postgres", database: "postgres" });
  client.on("error", () => {});
  clients.push(client);
  void client.connect();
  return Promise.resolve(client);
}

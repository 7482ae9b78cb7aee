/** Databases on a PostgreSQL server for tests that start processes: TEST_DATABASE_URL's server, or one of the file's own. */
import { afterAll, beforeAll, inject } from "vitest";
import { openDatabase } from "../../lib/database/connect.ts";
import { SERVER } from "./database.ts";
import { findPostgresPrograms, type PostgresServer, startPostgresServer } from "./postgres_server.ts";
import { databaseOn, onServer } from "./template.ts";

/** Where there is no server to be had, such tests are skipped. */
export const HAS_SERVER = SERVER !== null || findPostgresPrograms() !== null;

export interface ServerDatabase {
  databaseUrl: string;
  /** An empty folder for what a process keeps beside it. */
  dataDir: string;
  drop(): Promise<void>;
}

export interface ServerDatabases {
  make(state: "migrated" | "empty"): Promise<ServerDatabase>;
}

/** One server for the file: starting one takes seconds, a database on it a moment. */
export function useServerDatabases(): ServerDatabases {
  let own: PostgresServer | null = null;
  let [address, template] = ["", ""];
  let made = 0;
  beforeAll(async () => {
    if (SERVER) [address, template] = [SERVER, inject("template")];
    else if (HAS_SERVER) {
      own = await startPostgresServer();
      [address, template] = [own.url, "migrated"];
      await onServer(address, `CREATE DATABASE ${template}`);
      const databaseUrl = databaseOn(address, template);
      const { database } = await openDatabase({
        databaseUrl,
        dataDir: "",
        role: "test",
        onConnectionError() {},
      });
      await database.close();
    }
  });
  afterAll(() => own?.remove());
  return {
    async make(state) {
      const name = `nd_process_${Deno.pid}_${++made}`;
      await onServer(address, `CREATE DATABASE ${name}${state === "empty" ? "" : ` TEMPLATE ${template}`}`);
      const dataDir = await Deno.makeTempDir({ prefix: "nd-" });
      return {
        databaseUrl: databaseOn(address, name),
        dataDir,
        async drop() {
          await onServer(address, `DROP DATABASE ${name} WITH (FORCE)`);
          await Deno.remove(dataDir, { recursive: true });
        },
      };
    },
  };
}

/** A database of its own for one run of a breaker: a new embedded folder, or a new database on a server. */
import { databaseOn, onServer } from "../helpers/template.ts";

export interface BreakDatabase {
  databaseUrl: string | null;
  dataDir: string;
  drop(): Promise<void>;
}

/** @param server Address of a server where databases may be made; null for the embedded one. */
export async function makeBreakDatabase(server: string | null): Promise<BreakDatabase> {
  const dataDir = await Deno.makeTempDir({ prefix: "nd-break-" });
  const name = `nd_break_${Deno.pid}_${Date.now()}`;
  if (server) await onServer(server, `CREATE DATABASE ${name}`);
  return {
    databaseUrl: server && databaseOn(server, name),
    dataDir,
    async drop() {
      if (server) await onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

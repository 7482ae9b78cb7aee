/** Plain SQL migrations (migrations/*.sql) run by node-pg-migrate, on both backends, safe when processes race. */
import { fromFileUrl } from "./paths.ts";
import { messageOf, UserError } from "../errors.ts";

const FOLDER = fromFileUrl(new URL("../../migrations/", import.meta.url));
const TABLE = "nightdesk_migrations";

export interface MigrationState {
  applied: string[];
  pending: string[];
  /** Applied to the database but unknown to this program: a newer version was here. */
  unknown: string[];
}

interface Runnable {
  query(text: string): Promise<{ rows: { name: string }[] }>;
}

/** Names of the migrations this program brings, in order, without `.sql`. */
export function listMigrations(): string[] {
  return [...Deno.readDirSync(FOLDER)].map((entry) => entry.name).filter((name) => name.endsWith(".sql"))
    .map((name) => name.slice(0, -".sql".length)).sort();
}

export async function readMigrationState(client: Runnable): Promise<MigrationState> {
  const known = listMigrations();
  const { rows: tables } = await client.query(
    `SELECT table_name AS name FROM information_schema.tables
     WHERE table_schema = 'public' AND table_name = '${TABLE}'`,
  );
  const { rows } = tables.length === 0
    ? { rows: [] }
    : await client.query(`SELECT name FROM public.${TABLE} ORDER BY id`);
  const applied = rows.map((row) => row.name);
  return {
    applied,
    pending: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
  };
}

/**
 * Brings the database to this program's version and returns the names of what was applied.
 * Two processes that start at once wait for each other. Throws `UserError` when the database is newer.
 */
export async function migrate(connection: import("pg").ClientConfig): Promise<string[]> {
  // Loaded here because nearly every start finds nothing to do.
  const [{ default: pg }, { runner }] = await Promise.all([import("pg"), import("node-pg-migrate")]);
  const client = new pg.Client(connection);
  client.on("error", () => {});
  await client.connect();
  try {
    assertNotNewer(await readMigrationState(client));
    // All clients of the embedded database are one session to its advisory locks; an open transaction is what
    // makes them wait for each other there. It also takes in the migrations table itself.
    await client.query("BEGIN");
    const done = await runner({
      dbClient: client,
      dir: FOLDER,
      direction: "up",
      migrationsTable: TABLE,
      advisoryLockMode: "wait",
      singleTransaction: true,
      checkOrder: true,
      log: () => {},
    });
    // The runner has committed, unless it found that somebody else was faster.
    await client.query("COMMIT");
    return done.map((migration) => migration.name);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `Cannot migrate the database: ${
        messageOf(error)
      }. Nothing was changed; see migrations/ for what was tried`,
    );
  } finally {
    await client.end();
  }
}

/** Throws `UserError` when migrations were applied that this program does not know. */
export function assertNotNewer(state: MigrationState): void {
  if (state.unknown.length === 0) return;
  throw new UserError(
    `Cannot use this database: it is from a newer Nightdesk (it has ${
      state.unknown.join(", ")
    }, this program ` +
      `ends at ${listMigrations().at(-1)}). Update Nightdesk, or choose another DATABASE_URL or DATA_DIR`,
  );
}

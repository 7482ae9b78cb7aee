/** Opens the database that the settings name, migrated to this program's version. */
import type { Client, ClientConfig } from "pg";
import { messageOf, UserError } from "../errors.ts";
import { isConnectionLost } from "./connection_lost.ts";
import { openEmbedded } from "./embedded/embedded.ts";
import { describeOwner } from "./embedded/owner_lock.ts";
import { assertNotNewer, migrate, readMigrationState } from "./migrate.ts";
import type { Database } from "./port.ts";

/** Connections to a server: enough for the worker's claims and settlements, bot and web side by side. */
const SERVER_POOL = 10;
/** The embedded database runs one statement at a time; more connections would only queue there instead of here. */
const EMBEDDED_POOL = 4;

export interface DatabaseSettings {
  /** PostgreSQL 15 or newer; null for the embedded one. */
  databaseUrl: string | null;
  dataDir: string;
  /** The most connections to a server at once; 10 unless given. Nobody who has one waits for a second one. */
  connections?: number;
  /** Who opens it, for the message that a second service gets. */
  role: string;
  onConnectionError: (message: string) => void;
  /** The embedded database that this process owns died and does not come back: end the process. */
  onStopped?: (message: string) => void;
}

export interface OpenedDatabase {
  database: Database;
  /** Which other process owns the embedded files, in words; null when this one does, and for every server. */
  ownedBy: string | null;
  migrated: string[];
}

/** Throws `UserError` when the database cannot be reached, opened or migrated. */
export async function openDatabase(settings: DatabaseSettings): Promise<OpenedDatabase> {
  const { databaseUrl } = settings;
  return databaseUrl === null ? await openOwn(settings) : await openServer(databaseUrl, settings);
}

async function openServer(databaseUrl: string, settings: DatabaseSettings): Promise<OpenedDatabase> {
  const connection: ClientConfig = { connectionString: databaseUrl, application_name: "nightdesk" };
  const where = describeUrl(databaseUrl);
  try {
    const { createPool } = await import("./pool.ts");
    const migrated = await bringUpToDate(connection);
    const max = settings.connections ?? SERVER_POOL;
    const database = createPool({ ...settings, kind: "postgres", where, max, connection });
    return { database, ownedBy: null, migrated };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `Cannot open the database ${where}: ${messageOf(error)}. Check DATABASE_URL and that the server runs`,
    );
  }
}

async function openOwn(settings: DatabaseSettings): Promise<OpenedDatabase> {
  // The pool's library is loaded while the database opens in its thread.
  const [embedded, { createPool }] = await Promise.all([
    openEmbedded(settings.dataDir, settings.role, (message) => settings.onStopped?.(message)),
    import("./pool.ts"),
  ]);
  try {
    const migrated = await bringUpToDate(embedded.connection);
    const database = createPool({
      ...settings,
      kind: "embedded",
      where: `embedded PostgreSQL in ${settings.dataDir}`,
      max: EMBEDDED_POOL,
      connection: embedded.connection,
      afterClose: embedded.close,
    });
    const ownedBy = embedded.owner ? null : describeOwner(settings.dataDir);
    return { database, ownedBy, migrated };
  } catch (error) {
    await embedded.close();
    if (!isConnectionLost(error)) throw error;
    throw new UserError(
      `Cannot open DATA_DIR ${settings.dataDir}: the process that owned it ended a moment ago. Try again`,
    );
  }
}

async function bringUpToDate(connection: ClientConfig): Promise<string[]> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 10_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    await assertVersion(client);
    const state = await readMigrationState(client);
    assertNotNewer(state);
    if (state.pending.length === 0) return [];
  } finally {
    await client.end();
  }
  return await migrate(connection);
}

/** The oldest server that the statements were tested on. */
const OLDEST_MAJOR = 15;

async function assertVersion(client: Client): Promise<void> {
  const { rows: [{ version }] } = await client.query<{ version: string }>(
    "SELECT current_setting('server_version_num') AS version",
  );
  const major = Math.floor(Number(version) / 10_000);
  if (major >= OLDEST_MAJOR) return;
  throw new UserError(
    `Cannot use this database: wanted PostgreSQL ${OLDEST_MAJOR} or newer, it is ${major}. ` +
      `Update the server, or unset DATABASE_URL to use the embedded one`,
  );
}

/** Host and database of a connection URL, for a person: never the user's password. */
export function describeUrl(databaseUrl: string): string {
  try {
    const url = new URL(databaseUrl);
    return `${url.hostname || "local socket"}${url.port ? `:${url.port}` : ""}${url.pathname}`;
  } catch {
    return "DATABASE_URL";
  }
}

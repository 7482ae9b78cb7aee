/**
 * Where a notebook reads: the server of DATABASE_URL; else a copy of the embedded database, made through the process
 * that serves it when one does; else the fixture. The first that is there.
 */
import { join } from "node:path";
import pg from "pg";
import { describeUrl } from "../../lib/database/connect.ts";
import { isConnectionLost } from "../../lib/database/connection_lost.ts";
import { joinRunning } from "../../lib/database/embedded/embedded.ts";
import { describeOwner, takeOwnerLock } from "../../lib/database/embedded/owner_lock.ts";
import { UserError } from "../../lib/errors.ts";
import { FIXTURE_NOW } from "../fixture/story.ts";
import { fixtureFiles } from "../fixture/fixture.ts";
import { copyFolder } from "./copy_folder.ts";
import { copyForReading, openCopy } from "./private_copy.ts";
import { copyServed } from "./snapshot.ts";
import type { NotebookSettings } from "./settings.ts";
import { clock } from "./words.ts";

export type SourceKind = "server" | "running" | "copy" | "fixture";

export interface Source {
  kind: SourceKind;
  /** For a person: no password, and no path that was not in the settings. */
  where: string;
  connection: pg.PoolConfig;
  /** The moment at which it is looked at, where that is not now. */
  now: Date | null;
  /** Where no timeout of its own ends a question: ends it from outside. */
  interrupt?(): Promise<void>;
  close(): Promise<void>;
}

/** How long a process that holds the embedded database may take to answer, ms: its first start takes seconds. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 100;

/** Throws `UserError` when there is a database but no way to it. */
export async function openSource({ databaseUrl, dataDir, dataDirName }: NotebookSettings): Promise<Source> {
  if (databaseUrl !== null) return await serverSource(databaseUrl);
  if (!isDatabase(dataDir)) return await fixtureSource(dataDir);
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline) {
    const lock = takeOwnerLock(dataDir, "notebook, copying");
    if (lock) return await copySource(dataDir, dataDirName, lock.release);
    const running = await joinRunning(dataDir);
    const source = running && await servedSource(dataDir, dataDirName, running.connection);
    if (source) return source;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new UserError(
    `Cannot read the embedded database in ${dataDirName}: ${
      describeOwner(dataDir)
    } holds it but does not answer. ` +
      "End that process, or wait until it has started",
  );
}

/** What would be opened now, without opening it; for a person. */
export function describeSource({ databaseUrl, dataDir, dataDirName }: NotebookSettings): string {
  if (databaseUrl !== null) return `the PostgreSQL server ${describeUrl(databaseUrl)} (DATABASE_URL)`;
  if (isDatabase(dataDir)) return `the embedded database in ${dataDirName} (DATA_DIR)`;
  return `a fixture, an invented month: DATABASE_URL is not set and ${dataDirName} (DATA_DIR) holds no database`;
}

/** On a server the session itself is read-only too. */
const READ_ONLY_SESSION = "-c default_transaction_read_only=on";

async function serverSource(databaseUrl: string): Promise<Source> {
  const plain = { connectionString: databaseUrl, application_name: "nightdesk notebook" };
  const strict = { ...plain, options: READ_ONLY_SESSION };
  return {
    kind: "server",
    where: `the PostgreSQL server ${describeUrl(databaseUrl)}`,
    connection: await takesOptions(strict) ? strict : plain,
    now: null,
    close: () => Promise.resolve(),
  };
}

/** protocol_violation: what a pooler answers that knows no startup options. READ ONLY transactions hold there alone. */
const NO_OPTIONS = "08P01";

async function takesOptions(connection: pg.ClientConfig): Promise<boolean> {
  const probe = new pg.Client(connection);
  probe.on("error", () => {});
  try {
    await probe.connect();
    await probe.end();
    return true;
  } catch (error) {
    // Whatever else is wrong is told by the first question.
    return !(error instanceof pg.DatabaseError && error.code === NO_OPTIONS);
  }
}

/** Whoever wants to start in the meantime waits for the lock (`openEmbedded`). */
async function copySource(dataDir: string, name: string, release: () => void): Promise<Source> {
  const fill = (to: string) => copyFolder(filesOf(dataDir), to);
  const copy = await openCopy(await copyForReading(fill).finally(release));
  const where = `a copy of the embedded database in ${name}, taken now because no process serves it`;
  return { ...copy, kind: "copy", where, now: null };
}

/** Null: the process ended in the middle of it. */
async function servedSource(
  dataDir: string,
  name: string,
  connection: pg.ClientConfig,
): Promise<Source | null> {
  try {
    const owner = describeOwner(dataDir);
    const folder = await copyForReading((to) => copyServed(connection, filesOf(dataDir), to));
    const at = `${clock(new Date())} UTC`;
    const where =
      `the embedded database in ${name}, served by ${owner}, as it was at ${at} (await desk.refresh() reads it anew)`;
    return { ...await openCopy(folder), kind: "running", where, now: null };
  } catch (error) {
    if (isConnectionLost(error)) return null;
    throw error;
  }
}

async function fixtureSource(dataDir: string): Promise<Source> {
  const files = await fixtureFiles(dataDir);
  const copy = await openCopy(await copyForReading((to) => copyFolder(files, to)));
  const where = "the fixture, an invented month made on this machine: no article is real and nobody was paid";
  return { ...copy, kind: "fixture", where, now: FIXTURE_NOW };
}

function filesOf(dataDir: string): string {
  return join(dataDir, "postgres");
}

function isDatabase(dataDir: string): boolean {
  try {
    return Deno.statSync(join(filesOf(dataDir), "PG_VERSION")).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
